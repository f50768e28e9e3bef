#include "passes/input_moments.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <set>
#include <span>
#include <utility>

#include "core/node_geometry.h"
#include "core/status_macros.h"
#include "core/unused_nodes.h"
#include "kernels/scaled_rows_f64.h"
#include "passes/graph_edit.h"
#include "qlite/session.h"

namespace qlite {
namespace {

int64_t Product(std::span<const int64_t> dims) {
  return std::accumulate(dims.begin(), dims.end(), int64_t{1}, std::multiplies<>());
}

// `count` positions as rows of what a product sums over, all groups side by side.
struct Rows {
  int64_t count = 0, width = 0;
  std::vector<double> values;
};

// Of `all` positions those that are looked at.
std::vector<int64_t> ChosenPositions(int64_t all, int64_t most) {
  const int64_t count = std::min(all, most);
  std::vector<int64_t> chosen(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) chosen[static_cast<size_t>(i)] = i * all / count;
  return chosen;
}

Rows MatrixRows(std::span<const float> x, int64_t width, int64_t most) {
  Rows rows{0, width, {}};
  for (const int64_t at : ChosenPositions(width > 0 ? static_cast<int64_t>(x.size()) / width : 0, most)) {
    const float* row = x.data() + at * width;
    rows.values.insert(rows.values.end(), row, row + width);
    ++rows.count;
  }
  return rows;
}

// The windows of a convolution over a row-major input.
class Windows {
 public:
  Windows(std::span<const float> x, const std::vector<int64_t>& dims, WindowGeometry geometry)
      : x_(x), channels_(dims[1]), spatial_(dims.begin() + 2, dims.end()), geometry_(std::move(geometry)) {
    area_ = Product(spatial_);
    for (const WindowAxis& axis : geometry_.axes) {
      outputs_.push_back(axis.output.value);
      taps_.push_back(axis.kernel.value);
    }
    batch_ = dims[0];
  }

  Rows Chosen(int64_t most) const {
    const int64_t taps = Product(taps_), places = Product(outputs_);
    Rows rows{0, channels_ * taps, {}};
    for (const int64_t position : ChosenPositions(batch_ * places, most)) {
      const std::vector<int64_t> offsets = Offsets(position % places, taps);
      for (int64_t c = 0; c < channels_; ++c) {
        const float* plane = x_.data() + (position / places * channels_ + c) * area_;
        for (const int64_t offset : offsets)
          rows.values.push_back(offset < 0 ? 0.0 : static_cast<double>(plane[offset]));
      }
      ++rows.count;
    }
    return rows;
  }

 private:
  // Where the taps of the window at `place` lie in a plane of the input; -1 in the padding.
  std::vector<int64_t> Offsets(int64_t place, int64_t taps) const {
    std::vector<int64_t> offsets(static_cast<size_t>(taps), 0);
    for (int64_t tap = 0; tap < taps; ++tap) {
      int64_t window = place, inside = tap, stride = 1;
      int64_t& offset = offsets[static_cast<size_t>(tap)];
      for (size_t d = spatial_.size(); d-- > 0;) {
        const WindowAxis& axis = geometry_.axes[d];
        const int64_t at = window % outputs_[d] * axis.stride + inside % taps_[d] * axis.dilation - axis.pad_begin;
        if (at < 0 || at >= spatial_[d]) offset = -1;
        if (offset >= 0) offset += at * stride;
        window /= outputs_[d], inside /= taps_[d], stride *= spatial_[d];
      }
    }
    return offsets;
  }

  std::span<const float> x_;
  int64_t batch_ = 0, channels_ = 0, area_ = 0;
  std::vector<int64_t> spatial_, outputs_, taps_;
  WindowGeometry geometry_;
};

absl::StatusOr<Rows> RowsOf(const Graph& graph, const Node& node, std::span<const float> x,
                            const std::vector<int64_t>& dims, int64_t most) {
  if (node.op != OpType::kConv) return MatrixRows(x, dims.back(), most);
  const std::vector<int64_t>& kernel = graph.value(node.inputs[1]).constant->dims();
  const std::vector<Dim> spatial(dims.begin() + 2, dims.end()), taps(kernel.begin() + 2, kernel.end());
  absl::StatusOr<WindowGeometry> geometry = ConvGeometry(node.attr<ConvAttrs>(), spatial, taps);
  if (!geometry.ok()) return geometry.status();
  return Windows(x, dims, *std::move(geometry)).Chosen(most);
}

// Every element adds up in the order of positions and samples, whichever thread it falls to.
void Accumulate(Executor& executor, const Rows& rows, InputMoments& moments) {
  const int64_t length = moments.length;
  const kernels::ScaledRowsF64Kernels& kernels = kernels::ScaledRowsF64(kernels::BestVectorIsa());
  executor.ParallelFor(moments.groups * length, [&](int64_t begin, int64_t end, int) {
    for (int64_t row = begin; row < end; ++row) {
      double* sums = moments.row(row / length, row % length);
      const int64_t first = row / length * length;  // of the group, within a row of inputs
      for (int64_t p = 0; p < rows.count; ++p) {
        const double* x = rows.values.data() + p * rows.width + first;
        const double factor = x[row - first];
        if (factor == 0) continue;
        kernels.add_scaled(factor, x, row - first + 1, sums);
      }
    }
  });
}

// The part of the graph that the products are in, under the same ids: what lies behind the last of them is not run, nor
// are its weights packed.
Graph UpToProducts(const Graph& graph, const std::vector<NodeId>& products) {
  const std::set<NodeId> wanted(products.begin(), products.end());
  std::set<NodeId> needed;
  std::vector<ValueId> ends;
  const std::vector<NodeId> order = graph.TopologicalOrder();
  for (auto id = order.rbegin(); id != order.rend(); ++id) {
    const Node& node = graph.node(*id);
    if (wanted.contains(*id) && needed.insert(*id).second) ends.push_back(node.outputs[0]);
    if (!needed.contains(*id)) continue;
    for (const ValueId input : node.inputs) {
      if (input.valid() && graph.value(input).producer.valid()) needed.insert(graph.value(input).producer);
    }
  }
  return PartThatMakes(graph, std::move(ends));
}

class Collection {
 public:
  Collection(const Context& context, const Graph& graph, const std::vector<NodeId>& products, int64_t positions)
      : context_(context), graph_(graph), positions_(positions) {
    for (const NodeId id : products) {
      const Node& node = graph.node(id);
      const std::optional<ReductionView> view = FindReduction(graph, node);
      if (!view || !IsFloat(graph, node.inputs[0])) continue;
      products_.push_back(id);
      readers_[node.inputs[0]].push_back(id);
      moments_.try_emplace(node.inputs[1], view->groups, view->length);
    }
  }

  absl::StatusOr<std::map<ValueId, InputMoments>> Run(const DataSet& data) {
    if (products_.empty()) return std::move(moments_);
    absl::StatusOr<std::unique_ptr<Session>> session = Session::Create(context_, UpToProducts(graph_, products_));
    if (!session.ok()) return session.status();
    std::vector<MutableTensorView> inputs;
    for (size_t i = 0; i < (*session)->input_count(); ++i) inputs.push_back((*session)->input(i));
    for (int64_t sample = 0; sample < data.size(); ++sample) {
      QLITE_RETURN_IF_ERROR(context_.Report({"look at the inputs of products", sample, data.size()}));
      QLITE_RETURN_IF_ERROR(data.Read(sample, inputs));
      const auto tap = [this](ValueId id, const TappedValue& value) { Add(id, value); };
      QLITE_RETURN_IF_ERROR((*session)->RunTapped(tap));
      QLITE_RETURN_IF_ERROR(failure_);
    }
    return std::move(moments_);
  }

 private:
  void Add(ValueId id, const TappedValue& value) {
    const auto readers = readers_.find(id);
    if (readers == readers_.end() || value.elements == 0 || !failure_.ok()) return;
    std::vector<float> x(static_cast<size_t>(value.elements));
    CopyTappedValue(value, nullptr, x.data());
    for (const NodeId reader : readers->second) {
      const Node& node = graph_.node(reader);
      const absl::StatusOr<Rows> rows = RowsOf(graph_, node, x, value.dims, positions_);
      if (!rows.ok()) {
        failure_ = rows.status();
        return;
      }
      Accumulate(context_.executor(), *rows, moments_.at(node.inputs[1]));
    }
  }

  const Context& context_;
  const Graph& graph_;
  int64_t positions_;
  std::vector<NodeId> products_;
  std::map<ValueId, std::vector<NodeId>> readers_;  // by the value that they read
  std::map<ValueId, InputMoments> moments_;
  absl::Status failure_;
};

}  // namespace

std::optional<ReductionView> FindReduction(const Graph& graph, const Node& node) {
  if (!node.has_input(1) || !graph.value(node.inputs[1]).is_constant()) return std::nullopt;
  const std::vector<int64_t>& dims = graph.value(node.inputs[1]).constant->dims();
  if (node.op == OpType::kConv && dims.size() >= 3) {
    const int64_t length = Product(std::span(dims).subspan(1));
    return ReductionView{dims[0], length, node.attr<ConvAttrs>().group, length, 1};
  }
  if (dims.size() != 2) return std::nullopt;
  if (node.op == OpType::kMatMul) return ReductionView{dims[1], dims[0], 1, 1, dims[1]};
  if (node.op != OpType::kGemm || node.attr<GemmAttrs>().trans_a) return std::nullopt;
  if (node.attr<GemmAttrs>().trans_b) return ReductionView{dims[0], dims[1], 1, dims[1], 1};
  return ReductionView{dims[1], dims[0], 1, 1, dims[1]};
}

int64_t MomentBytes(const ReductionView& view) {
  return view.groups * InputMoments::GroupSize(view.length) * static_cast<int64_t>(sizeof(double));
}

absl::StatusOr<std::map<ValueId, InputMoments>> CollectInputMoments(const Context& context, const Graph& graph,
                                                                    const std::vector<NodeId>& products,
                                                                    const DataSet& data, int64_t positions) {
  return Collection(context, graph, products, positions).Run(data);
}

}  // namespace qlite
