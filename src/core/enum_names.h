// The words for the values of attributes' enumerations: those that ONNX writes, which listings of a graph show as well.
#ifndef QLITE_CORE_ENUM_NAMES_H_
#define QLITE_CORE_ENUM_NAMES_H_

#include <array>
#include <cstddef>
#include <string_view>

#include "qlite/ops.h"

namespace qlite {

// A word for each value, in their order.
template <class E>
using EnumWords = std::array<std::string_view, static_cast<size_t>(EnumCount(E()))>;

constexpr EnumWords<AutoPad> WordsOf(AutoPad) { return {"NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"}; }
constexpr EnumWords<PadMode> WordsOf(PadMode) { return {"constant", "reflect", "edge", "wrap"}; }
constexpr EnumWords<ResizeMode> WordsOf(ResizeMode) { return {"nearest", "linear", "cubic"}; }
constexpr EnumWords<CoordinateMode> WordsOf(CoordinateMode) {
  return {"half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners",
          "asymmetric", "tf_half_pixel_for_nn", "tf_crop_and_resize"};
}
constexpr EnumWords<NearestMode> WordsOf(NearestMode) {
  return {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"};
}
constexpr EnumWords<DepthToSpaceMode> WordsOf(DepthToSpaceMode) { return {"DCR", "CRD"}; }
constexpr EnumWords<RecurrentDirection> WordsOf(RecurrentDirection) { return {"forward", "reverse", "bidirectional"}; }

// "?" for a number that is none of the enumeration's values.
template <class E>
constexpr std::string_view WordOf(E value) {
  const auto words = WordsOf(value);
  const auto i = static_cast<size_t>(value);
  return i < words.size() ? words[i] : "?";
}

}  // namespace qlite

#endif  // QLITE_CORE_ENUM_NAMES_H_
