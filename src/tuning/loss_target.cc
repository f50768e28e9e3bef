#include "qlite/loss_target.h"

#include <charconv>
#include <cmath>

#include "core/str_cat.h"

namespace qlite {
namespace {

struct Name {
  std::string_view text;
  LossMeasure measure;
};
constexpr Name kNames[] = {{"cosine", LossMeasure::kCosine}, {"snr", LossMeasure::kSnr}, {"top1", LossMeasure::kTop1}};

bool InRange(const LossTarget& target) {
  switch (target.measure) {
    case LossMeasure::kCosine:
      return target.bound > 0 && target.bound <= 1;
    case LossMeasure::kSnr:
      return std::isfinite(target.bound);
    case LossMeasure::kTop1:
      return target.bound >= 0 && target.bound < 100;
  }
  return false;
}

constexpr char kKnown[] =
    "a bound on the loss is cosine:<within (0,1]>, snr:<dB> or top1:<points lost at most, within [0,100)>";

}  // namespace

absl::Status CheckLossTarget(const LossTarget& target) {
  if (InRange(target)) return absl::OkStatus();
  return absl::InvalidArgumentError(StrCat(kKnown, "; found a bound of ", target.bound));
}

absl::StatusOr<LossTarget> ParseLossTarget(std::string_view text) {
  const size_t colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  const std::string_view number = colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1);
  LossTarget target;
  bool known = false;
  for (const Name& candidate : kNames) {
    if (candidate.text == name) target.measure = candidate.measure, known = true;
  }
  const std::from_chars_result read = std::from_chars(number.data(), number.data() + number.size(), target.bound);
  if (known && read.ec == std::errc() && read.ptr == number.data() + number.size() && InRange(target)) return target;
  return absl::InvalidArgumentError(StrCat(kKnown, "; found '", text, "'"));
}

bool Meets(const OutputLoss& loss, const LossTarget& target) {
  switch (target.measure) {
    case LossMeasure::kCosine:
      return loss.cosine >= target.bound;
    case LossMeasure::kSnr:
      return loss.snr_db >= target.bound;
    case LossMeasure::kTop1:
      return 100 * (1 - loss.top1) <= target.bound;
  }
  return false;
}

}  // namespace qlite
