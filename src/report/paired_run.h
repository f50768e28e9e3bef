// The float network and the quantized one on the same samples, with every tensor of the one beside that of the other.
#ifndef QLITE_REPORT_PAIRED_RUN_H_
#define QLITE_REPORT_PAIRED_RUN_H_

#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "qlite/context.h"
#include "qlite/data_set.h"
#include "qlite/graph.h"
#include "qlite/session.h"

namespace qlite::report {

// Both graphs must outlive it. Values are named by their ids in the float graph.
class PairedRun {
 public:
  // kInvalidArgument where the graphs have different numbers of inputs or outputs.
  static absl::StatusOr<std::unique_ptr<PairedRun>> Create(const Context& context, const Graph& original,
                                                           const Graph& quantized);

  // Another one of the same graphs, for another thread.
  absl::StatusOr<std::unique_ptr<PairedRun>> Fork(const Context& context) const;

  // A float32 activation of one sample.
  struct Activation {
    ValueId id;
    std::span<const int64_t> dims;
    std::span<const float> original;
    std::span<const float> quantized;  // as real numbers; empty where the quantized network has no such tensor
  };
  using See = absl::FunctionRef<void(const Activation&)>;
  // Runs the sample through both networks and shows every activation once, in an order that the graphs fix.
  absl::Status Run(const DataSet& data, int64_t sample, See see);

  // The node of the quantized graph that does the work of a float one.
  std::optional<NodeId> CounterpartOf(NodeId original) const;
  // The value of the quantized graph that stands for an activation, in integers where it is converted to such; invalid
  // where there is none.
  ValueId CounterpartOf(ValueId original) const;
  // The constant of the quantized graph that the node reads as input `index` in place of the float one; invalid where
  // there is none.
  ValueId CounterpartOfConstant(NodeId original, size_t index) const;

  const Graph& original() const { return original_; }
  const Graph& quantized() const { return quantized_; }
  const Session& original_session() const { return *float_; }
  const Session& quantized_session() const { return *integer_; }

 private:
  PairedRun(const Graph& original, const Graph& quantized) : original_(original), quantized_(quantized) {}
  void FindPartners();
  void Pair(ValueId original, ValueId quantized);
  absl::Status Feed(const DataSet& data, int64_t sample);

  const Graph& original_;
  const Graph& quantized_;
  std::unique_ptr<Session> float_, integer_;
  std::unordered_map<ValueId, ValueId> original_of_, quantized_of_;  // look-up only
};

}  // namespace qlite::report

#endif  // QLITE_REPORT_PAIRED_RUN_H_
