// LSTM and GRU. The product of all the inputs with W is made at once; then each step of time is one product with R and
// functions of the gates.
#include <algorithm>
#include <cstring>

#include "core/status_macros.h"
#include "core/str_cat.h"
#include "kernels/gemm_f32.h"
#include "kernels/unary_f32.h"
#include "runtime/lowering.h"

namespace qlite {
namespace {

using kernels::UnaryOp;

// A constant matrix in the form of the kernels, for products [m, k] x [k, n].
struct PackedMatrix {
  Operand at;
  int64_t k = 0, n = 0;
};

// Extents of a node, and what its directions share.
struct Recurrence {
  int64_t time = 0, batch = 0, features = 0, hidden = 0, directions = 1, gates = 0;
  bool linear_before_reset = false;
  kernels::UnaryF32Function sigmoid = nullptr, tanh = nullptr;
  const kernels::GemmF32Kernels* gemm = nullptr;
  Operand x, initial_h, initial_c;  // states may be absent
  Operand y, last_h, last_c;        // the last two may be absent

  int64_t state() const { return batch * hidden; }
};

// One direction: weights, and memory for the time that it runs.
struct Direction {
  int64_t index = 0;
  bool reverse = false;
  PackedMatrix w, r, r_candidate;  // the last where a GRU resets before its product
  Operand w_bias, r_bias;
  Operand inputs;      // [time, batch, gates * hidden]: X * W + bias
  Operand gates;       // [batch, gates * hidden] of one step
  Operand cell, work;  // [batch, hidden]
  Operand zeros;       // [batch, hidden]
};

// C = A * B + bias + residual; dense rows.
void Multiply(const Frame& frame, const Recurrence& net, const PackedMatrix& b, int64_t rows, const float* a,
              const float* bias, const float* residual, int64_t residual_stride, float* c, int64_t c_stride) {
  kernels::GemmF32Args args;
  args.m = rows, args.n = b.n, args.k = b.k;
  args.a = a, args.lda = b.k;
  args.packed_b = frame.In<float>(b.at);
  args.bias = bias;
  args.residual = residual, args.ldr = residual_stride;
  args.c = c, args.ldc = c_stride;
  const double cost = static_cast<double>(rows * b.n) * static_cast<double>(b.k) * 0.025;
  frame.ParallelFor(net.gemm->units(args.m, args.n, args.k), cost,
                    [&](int64_t begin, int64_t end, int) { net.gemm->run(args, begin, end); });
}

// Gates in the order of ONNX: input, output, forget, cell.
void StepLstm(const Frame& frame, const Recurrence& net, const Direction& way, const float* inputs, const float* h,
              float* next) {
  const int64_t hidden = net.hidden, width = 4 * hidden;
  auto* gates = frame.Out<float>(way.gates);
  auto* cells = frame.Out<float>(way.cell);
  auto* work = frame.Out<float>(way.work);
  Multiply(frame, net, way.r, net.batch, h, nullptr, inputs, width, gates, width);
  for (int64_t n = 0; n < net.batch; ++n) {
    float* row = gates + n * width;
    float* cell = cells + n * hidden;
    net.sigmoid(row, row, 3 * hidden, {});
    net.tanh(row + 3 * hidden, row + 3 * hidden, hidden, {});
    for (int64_t j = 0; j < hidden; ++j) {
      cell[j] = row[2 * hidden + j] * cell[j] + row[j] * row[3 * hidden + j];
    }
    net.tanh(cell, work, hidden, {});
    for (int64_t j = 0; j < hidden; ++j) next[n * hidden + j] = row[hidden + j] * work[j];
  }
}

// Gates: update, reset, candidate.
void StepGru(const Frame& frame, const Recurrence& net, const Direction& way, const float* inputs, const float* h,
             float* next) {
  const int64_t hidden = net.hidden, width = 3 * hidden;
  auto* gates = frame.Out<float>(way.gates);
  auto* work = frame.Out<float>(way.work);
  const auto* bias = frame.In<float>(way.r_bias);
  Multiply(frame, net, way.r, net.batch, h, bias, nullptr, 0, gates, width);
  for (int64_t n = 0; n < net.batch; ++n) {
    float* row = gates + n * width;
    const float* input = inputs + n * width;
    for (int64_t j = 0; j < 2 * hidden; ++j) row[j] += input[j];
    net.sigmoid(row, row, 2 * hidden, {});
    if (!net.linear_before_reset) {
      for (int64_t j = 0; j < hidden; ++j) work[n * hidden + j] = row[hidden + j] * h[n * hidden + j];
    }
  }
  if (!net.linear_before_reset) {
    Multiply(frame, net, way.r_candidate, net.batch, work, bias == nullptr ? nullptr : bias + 2 * hidden, nullptr, 0,
             gates + 2 * hidden, width);
  }
  for (int64_t n = 0; n < net.batch; ++n) {
    float* row = gates + n * width;
    float* candidate = row + 2 * hidden;
    const float* input = inputs + n * width + 2 * hidden;
    for (int64_t j = 0; j < hidden; ++j) {
      candidate[j] = (net.linear_before_reset ? row[hidden + j] * candidate[j] : candidate[j]) + input[j];
    }
    net.tanh(candidate, candidate, hidden, {});
    for (int64_t j = 0; j < hidden; ++j) {
      next[n * hidden + j] = (1.0f - row[j]) * candidate[j] + row[j] * h[n * hidden + j];
    }
  }
}

void RunDirection(const Frame& frame, const Recurrence& net, const Direction& way) {
  const int64_t state = net.state(), width = net.gates * net.hidden;
  const auto state_bytes = static_cast<size_t>(state) * sizeof(float);
  const bool lstm = net.gates == 4;
  Multiply(frame, net, way.w, net.time * net.batch, frame.In<float>(net.x), frame.In<float>(way.w_bias), nullptr, 0,
           frame.Out<float>(way.inputs), width);
  const float* h =
      net.initial_h.present() ? frame.In<float>(net.initial_h) + way.index * state : frame.In<float>(way.zeros);
  const float* c =
      net.initial_c.present() ? frame.In<float>(net.initial_c) + way.index * state : frame.In<float>(way.zeros);
  if (lstm) std::memcpy(frame.Out<float>(way.cell), c, state_bytes);
  auto* y = frame.Out<float>(net.y);
  for (int64_t i = 0; i < net.time; ++i) {
    const int64_t t = way.reverse ? net.time - 1 - i : i;
    const float* inputs = frame.In<float>(way.inputs) + t * net.batch * width;
    float* next = y + (t * net.directions + way.index) * state;
    (lstm ? StepLstm : StepGru)(frame, net, way, inputs, h, next);
    h = next;
  }
  if (net.last_h.present()) std::memcpy(frame.Out<float>(net.last_h) + way.index * state, h, state_bytes);
  if (net.last_c.present()) {
    std::memcpy(frame.Out<float>(net.last_c) + way.index * state, frame.In<float>(way.cell), state_bytes);
  }
}

// Rows [first, first + n) of the constant [rows, k] matrix at `data`, transposed.
PackedMatrix Pack(Lowering& lowering, int purpose, const float* data, int64_t first, int64_t n, int64_t k) {
  const auto& kernels = kernels::GemmF32(lowering.isa());
  const int64_t bytes = kernels.packed_floats(k, n) * static_cast<int64_t>(sizeof(float));
  const Operand at = lowering.NewConstant(purpose, bytes, [&](std::byte* memory) {
    kernels.pack(data + first * k, k, n, 1, k, reinterpret_cast<float*>(memory));
  });
  return {at, k, n};
}

class RecurrentBuilder {
 public:
  RecurrentBuilder(Lowering& lowering, const Node& node, int64_t gates) : lowering_(lowering), node_(node) {
    const auto& attrs = node.attr<RecurrentAttrs>();
    net_.gates = gates;
    net_.hidden = attrs.hidden_size;
    net_.directions = attrs.direction == RecurrentDirection::kBidirectional ? 2 : 1;
    net_.linear_before_reset = attrs.linear_before_reset;
    net_.gemm = &kernels::GemmF32(lowering.isa());
    net_.sigmoid = kernels::UnaryF32(lowering.isa())[UnaryOp::kSigmoid];
    net_.tanh = kernels::UnaryF32(lowering.isa())[UnaryOp::kTanh];
  }

  absl::Status Build() {
    for (ValueId input : node_.inputs) {
      if (input.valid()) QLITE_RETURN_IF_ERROR(lowering_.RequireFloat(node_, input));
    }
    for (size_t i = 1; i < 4; ++i) {
      if (node_.has_input(i) && lowering_.Constant(node_.inputs[i]) == nullptr) {
        return lowering_.Unimplemented(node_, "needs constant weights");
      }
    }
    PlaceValues();
    const RecurrentDirection direction = node_.attr<RecurrentAttrs>().direction;
    for (int64_t i = 0; i < net_.directions; ++i) {
      EmitDirection(i, direction == RecurrentDirection::kReverse || i == 1);
    }
    return absl::OkStatus();
  }

 private:
  static int64_t FloatBytes(int64_t count) { return count * static_cast<int64_t>(sizeof(float)); }
  const float* Weights(size_t input) const { return lowering_.Constant(node_.inputs[input])->data<float>().data(); }
  Operand ReadState(size_t input) {
    return node_.has_input(input) ? lowering_.Read(node_.inputs[input], Layout::kRowMajor).at : Operand();
  }
  Operand WriteState(size_t output) {
    const bool wanted = output < node_.outputs.size() && node_.outputs[output].valid();
    return wanted ? lowering_.Write(node_.outputs[output], Layout::kRowMajor).at : Operand();
  }

  void PlaceValues() {
    const Placement x = lowering_.Read(node_.inputs[0], Layout::kRowMajor);
    net_.time = x.dims[0], net_.batch = x.dims[1], net_.features = x.dims[2];
    net_.x = x.at;
    net_.initial_h = ReadState(5);
    net_.initial_c = ReadState(6);
    net_.y = WriteState(0);
    if (!net_.y.present()) net_.y = lowering_.NewBuffer(FloatBytes(net_.time * net_.directions * net_.state()));
    net_.last_h = WriteState(1);
    net_.last_c = WriteState(2);
  }

  // Both biases are added to the product with W where nothing comes between; what a GRU resets keeps its own.
  void PlaceBiases(Direction& way) {
    const int64_t width = net_.gates * net_.hidden, kept = net_.gates == 3 ? 2 * net_.hidden : width;
    const float* b = Weights(3) + way.index * 2 * width;
    const int purpose = static_cast<int>(way.index) * 8;
    way.w_bias = lowering_.NewConstant(purpose + 3, FloatBytes(width), [&](std::byte* memory) {
      auto* sum = reinterpret_cast<float*>(memory);
      for (int64_t j = 0; j < width; ++j) sum[j] = j < kept ? b[j] + b[width + j] : b[j];
    });
    if (net_.gates == 4) return;
    way.r_bias = lowering_.NewConstant(purpose + 4, FloatBytes(width), [&](std::byte* memory) {
      auto* own = reinterpret_cast<float*>(memory);
      for (int64_t j = 0; j < width; ++j) own[j] = j < kept ? 0.0f : b[width + j];
    });
  }

  void EmitDirection(int64_t index, bool reverse) {
    const int64_t width = net_.gates * net_.hidden;
    const int purpose = static_cast<int>(index) * 8;
    const float* r = Weights(2) + index * width * net_.hidden;
    Direction way;
    way.index = index, way.reverse = reverse;
    way.w = Pack(lowering_, purpose, Weights(1) + index * width * net_.features, 0, width, net_.features);
    const bool apart = net_.gates == 3 && !net_.linear_before_reset;
    way.r = Pack(lowering_, purpose + 1, r, 0, apart ? 2 * net_.hidden : width, net_.hidden);
    if (apart) way.r_candidate = Pack(lowering_, purpose + 2, r, 2 * net_.hidden, net_.hidden, net_.hidden);
    if (node_.has_input(3)) PlaceBiases(way);
    way.zeros = lowering_.NewConstant(purpose + 5, FloatBytes(net_.state()), [&](std::byte* memory) {
      std::fill_n(memory, FloatBytes(net_.state()), std::byte{0});
    });
    way.inputs = lowering_.NewBuffer(FloatBytes(net_.time * net_.batch * width));
    way.gates = lowering_.NewBuffer(FloatBytes(net_.batch * width));
    way.cell = lowering_.NewBuffer(FloatBytes(net_.state()));
    way.work = lowering_.NewBuffer(FloatBytes(net_.state()));
    lowering_.Emit({net_.x, net_.initial_h, net_.initial_c, net_.y, net_.last_h, net_.last_c, way.inputs, way.gates,
                    way.cell, way.work},
                   [net = net_, way](const Frame& frame) {
                     RunDirection(frame, net, way);
                     return absl::OkStatus();
                   });
  }

  Lowering& lowering_;
  const Node& node_;
  Recurrence net_;
};

}  // namespace

namespace steps {

absl::Status Lstm(Lowering& lowering, const Node& node) { return RecurrentBuilder(lowering, node, 4).Build(); }
absl::Status Gru(Lowering& lowering, const Node& node) { return RecurrentBuilder(lowering, node, 3).Build(); }

}  // namespace steps
}  // namespace qlite
