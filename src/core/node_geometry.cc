#include "core/node_geometry.h"

#include <algorithm>
#include <limits>
#include <string>

#include "absl/strings/str_join.h"
#include "core/checked_math.h"
#include "core/str_cat.h"

namespace qlite {
namespace {

constexpr int64_t kLargestAttribute = std::numeric_limits<int32_t>::max();
// Keeps every sum and product of an extent with attributes within 64 bits.
constexpr int64_t kLargestInput = int64_t{1} << 62;

absl::Status CheckList(std::string_view name, const std::vector<int64_t>& values, size_t length, int64_t lowest) {
  if (values.empty()) return absl::OkStatus();
  if (values.size() != length) {
    return absl::InvalidArgumentError(StrCat("expected ", length, " numbers in ", name, ", found ", values.size()));
  }
  for (const int64_t value : values) {
    if (value < lowest || value > kLargestAttribute) {
      return absl::InvalidArgumentError(StrCat("expected ", name, " within [", lowest, ", ", kLargestAttribute,
                                               "], found [", absl::StrJoin(values, ","), "]"));
    }
  }
  return absl::OkStatus();
}

int64_t At(const std::vector<int64_t>& values, size_t i, int64_t otherwise) {
  return values.empty() ? otherwise : values[i];
}

template <class Attrs>
absl::StatusOr<WindowGeometry> ReadAttributes(const Attrs& attrs, std::span<const Dim> input) {
  const size_t rank = input.size();
  for (const absl::Status& status :
       {CheckList("kernel_shape", attrs.kernel_shape, rank, 1), CheckList("strides", attrs.strides, rank, 1),
        CheckList("dilations", attrs.dilations, rank, 1), CheckList("pads", attrs.pads, 2 * rank, 0)}) {
    if (!status.ok()) return status;
  }
  if (attrs.auto_pad > AutoPad::kValid) return absl::InvalidArgumentError("auto_pad has a value that does not exist");
  WindowGeometry geometry;
  geometry.axes.resize(rank);
  for (size_t i = 0; i < rank; ++i) {
    WindowAxis& axis = geometry.axes[i];
    if (input[i].known() && input[i].value > kLargestInput) {
      return absl::InvalidArgumentError(StrCat("the extent ", input[i].value, " is too large"));
    }
    axis.input = input[i];
    axis.stride = At(attrs.strides, i, 1);
    axis.dilation = At(attrs.dilations, i, 1);
    if (attrs.auto_pad == AutoPad::kNotSet) {
      axis.pad_begin = At(attrs.pads, i, 0);
      axis.pad_end = At(attrs.pads, rank + i, 0);
    }
  }
  return geometry;
}

absl::Status SetKernel(const std::vector<int64_t>& kernel_shape, std::span<const Dim> weights,
                       WindowGeometry& geometry) {
  if (weights.size() != geometry.axes.size()) {
    return absl::InvalidArgumentError(
        StrCat("expected weights with ", geometry.axes.size(), " spatial dimensions, found ", weights.size()));
  }
  for (size_t i = 0; i < weights.size(); ++i) {
    Dim kernel = weights[i];
    if (!kernel_shape.empty()) {
      if (kernel.known() && kernel.value != kernel_shape[i]) {
        return absl::InvalidArgumentError(StrCat("kernel_shape is [", absl::StrJoin(kernel_shape, ","),
                                                 "], but the weights' spatial extent ", i, " is ", kernel.value));
      }
      kernel = kernel_shape[i];
    }
    if (kernel.known() && (kernel.value < 1 || kernel.value > kLargestAttribute)) {
      return absl::InvalidArgumentError(
          StrCat("expected a kernel extent within [1, ", kLargestAttribute, "], found ", kernel.value));
    }
    geometry.axes[i].kernel = kernel;
  }
  return absl::OkStatus();
}

// Taps and the gaps between them.
int64_t WindowExtent(const WindowAxis& axis) { return (axis.kernel.value - 1) * axis.dilation + 1; }

void DistributePadding(int64_t total, bool more_at_end, WindowAxis& axis) {
  axis.pad_begin = more_at_end ? total / 2 : total - total / 2;
  axis.pad_end = total - axis.pad_begin;
}

// SAME: as many outputs as strides fit into the input, and the padding that this takes.
void ResolveSame(AutoPad auto_pad, WindowAxis& axis) {
  const bool upper = auto_pad == AutoPad::kSameUpper;
  if (axis.input.known()) {
    axis.output = CeilDiv(axis.input.value, axis.stride);
  } else {
    axis.output = axis.stride == 1 ? axis.input : Dim();
  }
  axis.pads_known = axis.kernel.known() && (axis.input.known() || axis.stride == 1);
  if (!axis.pads_known) return;
  int64_t total = WindowExtent(axis) - 1;  // for stride 1 the input's extent does not matter
  if (axis.stride != 1) total = (axis.output.value - 1) * axis.stride - axis.input.value + WindowExtent(axis);
  DistributePadding(std::max<int64_t>(total, 0), upper, axis);
}

absl::Status ResolveExplicit(bool ceil_mode, WindowAxis& axis) {
  if (!axis.kernel.known()) return absl::OkStatus();
  const int64_t margin = axis.pad_begin + axis.pad_end - WindowExtent(axis);
  if (!axis.input.known()) {
    if (axis.stride == 1 && margin == -1) axis.output = axis.input;
    return absl::OkStatus();
  }
  const int64_t free = axis.input.value + margin;
  if (free < 0) {
    return absl::InvalidArgumentError(StrCat("the window spans ", WindowExtent(axis),
                                             " elements, but the padded input has only ",
                                             axis.input.value + axis.pad_begin + axis.pad_end));
  }
  int64_t output = (ceil_mode ? CeilDiv(free, axis.stride) : free / axis.stride) + 1;
  if (ceil_mode && (output - 1) * axis.stride >= axis.input.value + axis.pad_begin) --output;
  axis.output = output;
  return absl::OkStatus();
}

absl::Status ResolveOutputs(AutoPad auto_pad, bool ceil_mode, WindowGeometry& geometry) {
  for (WindowAxis& axis : geometry.axes) {
    if (auto_pad == AutoPad::kSameUpper || auto_pad == AutoPad::kSameLower) {
      ResolveSame(auto_pad, axis);
    } else if (const absl::Status status = ResolveExplicit(ceil_mode, axis); !status.ok()) {
      return status;
    }
  }
  return absl::OkStatus();
}

// The pads that give `axis.output`, which is known, as are input and kernel. `full` is the extent without pads.
void PadToOutput(int64_t full, bool more_at_end, WindowAxis& axis) {
  const int64_t total = full - axis.output.value;
  DistributePadding(std::max<int64_t>(total, 0), more_at_end, axis);
  axis.output_padding += std::max<int64_t>(-total, 0);
}

absl::Status ResolveTransposed(AutoPad auto_pad, const Dim& requested, WindowAxis& axis) {
  const bool same = auto_pad == AutoPad::kSameUpper || auto_pad == AutoPad::kSameLower;
  const bool sized = requested.known();
  if (sized) axis.output = requested;
  if (!axis.input.known() || !axis.kernel.known()) {
    axis.pads_known = !same && !sized;
    if (same && !sized && axis.stride == 1) axis.output = axis.input;
    return absl::OkStatus();
  }
  if (axis.input.value > kLargestAttribute) {
    return absl::InvalidArgumentError(StrCat("the extent ", axis.input.value, " is too large"));
  }
  const int64_t full = axis.stride * (axis.input.value - 1) + axis.output_padding + WindowExtent(axis);
  if (same && !sized) axis.output = axis.input.value * axis.stride;
  if (same || sized) {
    PadToOutput(full, auto_pad == AutoPad::kSameUpper, axis);
    return absl::OkStatus();
  }
  const int64_t output = full - axis.pad_begin - axis.pad_end;
  if (output < 0) {
    return absl::InvalidArgumentError(StrCat("pads of ", axis.pad_begin, " and ", axis.pad_end, " take more than the ",
                                             full, " elements of the result"));
  }
  axis.output = output;
  return absl::OkStatus();
}

}  // namespace

bool WindowGeometry::pads_known() const {
  return std::all_of(axes.begin(), axes.end(), [](const WindowAxis& axis) { return axis.pads_known; });
}

std::vector<int64_t> WindowGeometry::Pads() const {
  std::vector<int64_t> pads;
  for (const WindowAxis& axis : axes) pads.push_back(axis.pad_begin);
  for (const WindowAxis& axis : axes) pads.push_back(axis.pad_end);
  return pads;
}

std::vector<Dim> WindowGeometry::OutputDims() const {
  std::vector<Dim> dims;
  for (const WindowAxis& axis : axes) dims.push_back(axis.output);
  return dims;
}

absl::StatusOr<WindowGeometry> ConvGeometry(const ConvAttrs& attrs, std::span<const Dim> input,
                                            std::span<const Dim> kernel) {
  absl::StatusOr<WindowGeometry> geometry = ReadAttributes(attrs, input);
  if (!geometry.ok()) return geometry;
  if (absl::Status status = SetKernel(attrs.kernel_shape, kernel, *geometry); !status.ok()) return status;
  if (absl::Status status = ResolveOutputs(attrs.auto_pad, false, *geometry); !status.ok()) return status;
  return geometry;
}

absl::StatusOr<WindowGeometry> ConvTransposeGeometry(const ConvTransposeAttrs& attrs, std::span<const Dim> input,
                                                     std::span<const Dim> kernel) {
  absl::StatusOr<WindowGeometry> geometry = ReadAttributes(attrs, input);
  if (!geometry.ok()) return geometry;
  const size_t rank = input.size();
  for (const absl::Status& status :
       {SetKernel(attrs.kernel_shape, kernel, *geometry), CheckList("output_padding", attrs.output_padding, rank, 0),
        CheckList("output_shape", attrs.output_shape, rank, 1)}) {
    if (!status.ok()) return status;
  }
  for (size_t i = 0; i < rank; ++i) {
    WindowAxis& axis = geometry->axes[i];
    axis.output_padding = At(attrs.output_padding, i, 0);
    const Dim requested = attrs.output_shape.empty() ? Dim() : Dim(attrs.output_shape[i]);
    if (absl::Status status = ResolveTransposed(attrs.auto_pad, requested, axis); !status.ok()) return status;
  }
  return geometry;
}

absl::StatusOr<WindowGeometry> PoolGeometry(const PoolAttrs& attrs, std::span<const Dim> input) {
  absl::StatusOr<WindowGeometry> geometry = ReadAttributes(attrs, input);
  if (!geometry.ok()) return geometry;
  if (attrs.kernel_shape.empty()) return absl::InvalidArgumentError("kernel_shape is missing");
  for (size_t i = 0; i < input.size(); ++i) {
    WindowAxis& axis = geometry->axes[i];
    axis.kernel = attrs.kernel_shape[i];
    if (attrs.auto_pad == AutoPad::kNotSet && std::max(axis.pad_begin, axis.pad_end) >= axis.kernel.value) {
      return absl::InvalidArgumentError(StrCat("expected pads smaller than the kernel's extent ", axis.kernel.value,
                                               ", found ", axis.pad_begin, " and ", axis.pad_end));
    }
  }
  if (absl::Status status = ResolveOutputs(attrs.auto_pad, attrs.ceil_mode, *geometry); !status.ok()) return status;
  return geometry;
}

}  // namespace qlite
