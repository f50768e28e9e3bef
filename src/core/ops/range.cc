// Range.
#include <cmath>
#include <limits>

#include "core/infer_context.h"
#include "core/op_rules.h"
#include "core/str_cat.h"

namespace qlite {
namespace {

constexpr int64_t kMost = std::numeric_limits<int64_t>::max();

// How many numbers there are from start towards limit, which is left out; kMost for more than can be counted.
int64_t CountIntegers(int64_t start, int64_t limit, int64_t delta) {
  if (delta > 0 ? limit <= start : limit >= start) return 0;
  const auto low = static_cast<uint64_t>(delta > 0 ? start : limit),
             high = static_cast<uint64_t>(delta > 0 ? limit : start);
  const uint64_t way = high - low, step = delta > 0 ? static_cast<uint64_t>(delta) : 0 - static_cast<uint64_t>(delta);
  const uint64_t count = way / step + (way % step != 0 ? 1 : 0);
  return count > static_cast<uint64_t>(kMost) ? kMost : static_cast<int64_t>(count);
}

int64_t CountReals(double start, double limit, double delta) {
  const double count = std::ceil((limit - start) / delta);
  if (!(count > 0)) return 0;
  return count < 0x1p62 ? static_cast<int64_t>(count) : kMost;
}

// The numbers, where they are few integers.
void SetNumbers(InferContext& context, int64_t start, int64_t delta, int64_t count) {
  std::optional<PartialTensor> numbers = UnknownPartial(context.input_type(0), {count});
  if (!numbers) return;
  auto next = static_cast<uint64_t>(start);
  for (PartialElement& element : numbers->elements) {
    element = PartialElement::Integer(static_cast<int64_t>(next));
    next += static_cast<uint64_t>(delta);
  }
  context.SetElements(0, *std::move(numbers));
}

absl::Status InferRange(InferContext& context) {
  const ElementType type = context.input_type(0);
  PartialElement bounds[3];
  for (size_t i = 0; i < 3; ++i) {
    QLITE_RETURN_IF_ERROR(context.CheckSameType(i));
    QLITE_RETURN_IF_ERROR(context.CheckRank(i, 0));
    const PartialTensor* elements = context.input_elements(i);
    if (elements != nullptr && elements->elements.size() == 1) bounds[i] = elements->elements[0];
  }
  const auto& [start, limit, delta] = bounds;
  const bool real = type == ElementType::kFloat32;
  if (delta.known && (real ? delta.real == 0 : delta.integer == 0)) return context.Error("the step must not be 0");
  Dim count;
  if (start.known && limit.known && delta.known) {
    count = Dim(real ? CountReals(start.real, limit.real, delta.real)
                     : CountIntegers(start.integer, limit.integer, delta.integer));
  } else if (!real && start.known && start.integer == 0 && delta.known && delta.integer == 1) {
    count = limit.ToDim();  // an extent
  }
  QLITE_RETURN_IF_ERROR(context.SetOutput(0, type, Shape(std::vector<Dim>{count})));
  if (!real && start.known && limit.known && delta.known)
    SetNumbers(context, start.integer, delta.integer, count.value);
  return absl::OkStatus();
}

}  // namespace

namespace op_rules {
OpRule RangeRule() { return {.min_inputs = 3, .max_inputs = 3, .infer = InferRange}; }
}  // namespace op_rules

}  // namespace qlite
