#include "kernels/conv_f32.h"

#include "kernels/conv_lanes_f32.h"
#include "kernels/conv_rows.h"
#include "kernels/gemm_f32_tile.h"

namespace qlite::kernels::QLITE_ISA {
namespace product {
namespace {

UnitGrid MakeGroupGrid(const ConvF32Geometry& g) {
  return MakeGrid(PixelCount(g), GroupOutputs(g), ReductionLength(g));
}

int64_t PackedGroup(const ConvF32Geometry& g) { return PackedFloats(ReductionLength(g), GroupOutputs(g)); }

// Whether kernels/conv_lanes_f32.h is for this convolution.
[[maybe_unused]] bool FillsLanes(const ConvF32Geometry& g) { return lanes::GroupWidth(g) != 0; }

int64_t PackedWeights(const ConvF32Geometry& g) {
  if constexpr (lanes::kAvailable) {
    if (FillsLanes(g)) return lanes::PackedFloats(g);
  }
  return g.groups * PackedGroup(g);
}

int64_t Workspaces(const ConvF32Geometry& g) {
  if constexpr (lanes::kAvailable) {
    if (FillsLanes(g)) return lanes::Plan(g).bytes;
  }
  return WorkspaceBytes(g);
}

// The order of the reduction, (kernel row, kernel column, channel), from OIHW.
void Pack(const ConvF32Geometry& g, const float* weights, float* packed) {
  if constexpr (lanes::kAvailable) {
    if (FillsLanes(g)) return lanes::Pack(g, weights, packed);
  }
  const int64_t taps = g.kernel_h * g.kernel_w;
  const int64_t channels = GroupChannels(g);
  const int64_t outputs = GroupOutputs(g);
  const Panels panels(outputs);
  for (int64_t group = 0; group < g.groups; ++group) {
    const float* group_weights = weights + group * outputs * channels * taps;
    for (int64_t column = 0; column < outputs; column += panels.columns) {
      const int64_t used = MinOf(outputs - column, panels.columns);
      for (int64_t tap = 0; tap < taps; ++tap) {
        const float* first = group_weights + column * channels * taps + tap;
        packed = PackPanel(first, channels, used, taps, channels * taps, packed);
      }
    }
  }
}

// The units [begin, end) of one group.
void RunGroup(const ConvF32Args& args, const Runs& runs, const UnitGrid& grid, const Workspace& space, int64_t group,
              int64_t begin, int64_t end) {
  const ConvF32Geometry& g = args.geometry;
  const Epilogue out = OutputOf(args);
  ForEachBlock(grid, PixelCount(g), begin, end,
               [&](int64_t first_row, int64_t row_count, int64_t first_panel, int64_t end_panel) {
                 PointAtBlock(g, runs, args.input + group * GroupChannels(g), first_row, row_count, space);
                 ComputeBlock({.rows = space.rows,
                               .row_count = row_count,
                               .taps = runs.taps,
                               .run = runs.run,
                               .packed_b = args.packed_weights + group * PackedGroup(g),
                               .n = GroupOutputs(g),
                               .first_panel = first_panel,
                               .end_panel = end_panel,
                               .out = At(out, first_row, group * GroupOutputs(g))});
               });
}

int64_t Units(const ConvF32Geometry& g) {
  if constexpr (lanes::kAvailable) {
    if (FillsLanes(g)) return lanes::Plan(g).units;
  }
  return g.groups * MakeGroupGrid(g).count();
}

void Run(const ConvF32Args& args, void* workspace, int64_t begin, int64_t end) {
  if (begin == end) return;
  if constexpr (lanes::kAvailable) {
    if (FillsLanes(args.geometry)) return lanes::Run(args, workspace, begin, end);
  }
  ConvF32Args flat = args;
  flat.geometry = Flattened(args.geometry);
  const Runs runs = FindRuns(flat.geometry);
  const UnitGrid grid = MakeGroupGrid(flat.geometry);
  const Workspace space = CutWorkspace(runs, workspace);
  for (int64_t unit = begin; unit < end;) {
    const int64_t group = unit / grid.count();
    const int64_t group_end = MinOf(end, (group + 1) * grid.count());
    RunGroup(flat, runs, grid, space, group, unit - group * grid.count(), group_end - group * grid.count());
    unit = group_end;
  }
}

}  // namespace
}  // namespace product

extern const ConvF32Kernels kConvF32Kernels;
const ConvF32Kernels kConvF32Kernels = {.packed_floats = product::PackedWeights,
                                        .pack = product::Pack,
                                        .workspace_bytes = product::Workspaces,
                                        .units = product::Units,
                                        .run = product::Run};

}  // namespace qlite::kernels::QLITE_ISA
