// Executes a Graph, float, int8 or mixed.
//
//   auto session = Session::Create(context, graph, {});
//   auto x = (*session)->input(0).as<float>();   // fill in, row-major in the model's own layout
//   (*session)->Run();
//   auto y = (*session)->output(0).as<float>();
#ifndef QLITE_SESSION_H_
#define QLITE_SESSION_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "qlite/context.h"
#include "qlite/graph.h"
#include "qlite/tensor.h"

namespace qlite {

// When integer weights of a weight-quantized graph (constants with a Dequantize node) become float32. The results are
// the same bits.
enum class WeightDecoding : uint8_t {
  kAsModelSays,  // kOnTheFly where the graph's metadata say "qlite.dequant_strategy" = "ON_THE_FLY", else kAtLoad
  kAtLoad,       // when the session is created
  // Weights of Conv, Gemm and MatMul stay in memory as integers of 2, 4 or 8 bits and are decoded tile by tile inside
  // the product: a quarter of the memory or less, and single rows of inputs run faster, bound by memory as they are.
  // Those of depthwise and transposed convolutions and of Gather, those of more than 8 bits, with blocks or scales
  // along other axes than quantizers make them, and those that nodes other than such products read as well are decoded
  // when the session is created.
  kOnTheFly,
};

struct SessionOptions {
  // Extents of graph inputs by name. Dimensions that stay unknown become 1.
  std::map<std::string, std::vector<int64_t>> input_shapes;
  // Keep the constant weights of float products (Conv, Gemm, MatMul) in float16: half the memory, and faster where
  // Session::float16() is kArithmetic. Depthwise convolutions and products with fewer than 16 outputs (a group) stay as
  // they are, as do the values between operators. Results are near those of float32, with other bits on other
  // processors; inputs of products must stay within 65504.
  bool float16 = false;
  WeightDecoding weight_decoding = WeightDecoding::kAsModelSays;
  // Measure the time of every node (see profile()). Nodes that otherwise pass rows on to each other while these are in a
  // cache run one after the other then.
  bool profile = false;
};

// A computed value as it lies in memory, handed to a tap. Valid during the call.
struct TappedValue {
  ElementType type = ElementType::kFloat32;
  std::vector<int64_t> dims;  // logical extents, in the graph's layout
  const void* data = nullptr;
  int64_t elements = 0;
  // Where true, a value of extents [N, C, spatial...] lies in memory as [N, spatial..., C].
  bool channels_last = false;
  // int8 values are held as uint8 = q + 128.
  bool offset_by_128 = false;
};

// Copies a tapped value in logical row-major order, integers dequantized by `params`; out has `elements` floats.
void CopyTappedValue(const TappedValue& value, const QuantParams* params, float* out);

struct NodeProfile {
  std::string name, op;
  int64_t calls = 0;
  double total_ms = 0;
};

// What a session makes of float16.
enum class Float16Use {
  kNone,        // nothing: not asked for, or no product that it is for
  kStorage,     // weights are kept in float16 and products computed in float32
  kArithmetic,  // products are computed in float16, in short sums that are added in float32
};

struct SessionMemory {
  uint64_t weights_bytes = 0;      // packed, shared by forks
  uint64_t activations_bytes = 0;  // planned arena, per fork
  uint64_t coded_bytes = 0;        // of weights_bytes: weights that are decoded on the fly, with their parameters
};

// Memory is planned once at creation; Run allocates nothing. One thread at a time; forks are independent.
class Session {
 public:
  // The graph is validated, its shapes inferred, its program built and its weights packed; the session keeps what it
  // needs (constants by shared ownership). A graph that is moved in gives up the memory of each weight that is packed.
  // kUnimplemented names each node that cannot run, kResourceExhausted a memory plan beyond
  // Limits::memory_budget_bytes.
  static absl::StatusOr<std::unique_ptr<Session>> Create(const Context& context, Graph graph,
                                                         const SessionOptions& options = {});
  virtual ~Session() = default;

  // Another session over the same program and packed weights with its own activations and executor.
  virtual absl::StatusOr<std::unique_ptr<Session>> Fork(const Context& context) const = 0;

  virtual size_t input_count() const = 0;
  virtual size_t output_count() const = 0;
  virtual const std::string& input_name(size_t i) const = 0;
  virtual const std::string& output_name(size_t i) const = 0;
  // The session's own buffers, in the graph's layout and element type. Input contents survive Run.
  virtual MutableTensorView input(size_t i) = 0;
  virtual TensorView output(size_t i) const = 0;

  virtual absl::Status Run() = 0;
  // As Run; calls `tap` after each node for every value it made that exists in memory (not those fused away), and first
  // for the graph inputs and for values that do not depend on them, which were computed when the session was made.
  // ValueIds are those of the graph given to Create.
  using Tap = absl::FunctionRef<void(ValueId, const TappedValue&)>;
  virtual absl::Status RunTapped(Tap tap) = 0;

  virtual const std::vector<NodeProfile>& profile() const = 0;
  virtual SessionMemory memory() const = 0;
  virtual Float16Use float16() const = 0;
};

}  // namespace qlite

#endif  // QLITE_SESSION_H_
