// The reductions that are plain C++: positions of extremes, and integers.
#include <algorithm>
#include <limits>
#include <type_traits>

#include "kernels/reduce_f32.h"

namespace qlite::kernels {
namespace {

template <typename T>
bool IsNan(T value) {
  return value != value;
}

// Whether `value` displaces `best`: it is beyond it in the wanted direction, NaN being beyond everything.
template <bool kMax, typename T>
bool Beats(T value, T best) {
  return (kMax ? value > best : value < best) || (IsNan(value) && !IsNan(best));
}

template <typename T>
bool Ties(T value, T best) {
  return value == best || (IsNan(value) && IsNan(best));
}

template <bool kMax, typename T>
void ArgExtreme(const T* in, int64_t* out, int64_t length, int64_t inner, bool last, int64_t begin, int64_t end) {
  for (int64_t line = begin; line < end; ++line) {
    const T* p = in + line / inner * length * inner + line % inner;
    int64_t best = 0;
    for (int64_t k = 1; k < length; ++k) {
      const T value = p[k * inner];
      if (Beats<kMax>(value, p[best * inner]) || (last && Ties(value, p[best * inner]))) best = k;
    }
    out[line] = best;
  }
}

template <typename T, typename Step>
void ReduceLines(const T* in, T* out, int64_t length, int64_t inner, int64_t begin, int64_t end, T start, Step step) {
  for (int64_t line = begin; line < end; ++line) {
    const T* p = in + line / inner * length * inner + line % inner;
    T value = start;
    for (int64_t k = 0; k < length; ++k) value = step(value, p[k * inner]);
    out[line] = value;
  }
}

// Unsigned arithmetic, so that overflow wraps.
template <typename T>
T WrappingAdd(T a, T b) {
  using U = std::make_unsigned_t<T>;
  return static_cast<T>(static_cast<U>(a) + static_cast<U>(b));
}
template <typename T>
T WrappingMul(T a, T b) {
  using U = std::make_unsigned_t<T>;
  return static_cast<T>(static_cast<U>(a) * static_cast<U>(b));
}

}  // namespace

template <typename T>
void ArgMax(const T* in, int64_t* out, int64_t length, int64_t inner, bool last, int64_t begin, int64_t end) {
  ArgExtreme<true>(in, out, length, inner, last, begin, end);
}

template <typename T>
void ArgMin(const T* in, int64_t* out, int64_t length, int64_t inner, bool last, int64_t begin, int64_t end) {
  ArgExtreme<false>(in, out, length, inner, last, begin, end);
}

template <typename T>
bool ReduceInteger(ReduceOp op, const T* in, T* out, int64_t length, int64_t inner, int64_t begin, int64_t end) {
  constexpr T kLowest = std::numeric_limits<T>::min(), kHighest = std::numeric_limits<T>::max();
  const bool needs_elements = op == ReduceOp::kMean || op == ReduceOp::kMax || op == ReduceOp::kMin;
  if (needs_elements && length == 0) return false;
  switch (op) {
    case ReduceOp::kSum:
    case ReduceOp::kMean:
      ReduceLines<T>(in, out, length, inner, begin, end, 0, WrappingAdd<T>);
      if (op == ReduceOp::kMean) {
        for (int64_t line = begin; line < end; ++line) out[line] = static_cast<T>(out[line] / length);
      }
      return true;
    case ReduceOp::kProd:
      ReduceLines<T>(in, out, length, inner, begin, end, 1, WrappingMul<T>);
      return true;
    case ReduceOp::kMax:
      ReduceLines<T>(in, out, length, inner, begin, end, kLowest, [](T a, T b) { return std::max(a, b); });
      return true;
    case ReduceOp::kMin:
      ReduceLines<T>(in, out, length, inner, begin, end, kHighest, [](T a, T b) { return std::min(a, b); });
      return true;
    case ReduceOp::kSumSquare:
    case ReduceOp::kL1:
    case ReduceOp::kL2:
      break;
  }
  return false;
}

#define QLITE_INSTANTIATE_ARG(T)                                                         \
  template void ArgMax<T>(const T*, int64_t*, int64_t, int64_t, bool, int64_t, int64_t); \
  template void ArgMin<T>(const T*, int64_t*, int64_t, int64_t, bool, int64_t, int64_t);
QLITE_INSTANTIATE_ARG(float)
QLITE_INSTANTIATE_ARG(int32_t)
QLITE_INSTANTIATE_ARG(int64_t)
QLITE_INSTANTIATE_ARG(int8_t)
QLITE_INSTANTIATE_ARG(uint8_t)
#undef QLITE_INSTANTIATE_ARG
template bool ReduceInteger<int32_t>(ReduceOp, const int32_t*, int32_t*, int64_t, int64_t, int64_t, int64_t);
template bool ReduceInteger<int64_t>(ReduceOp, const int64_t*, int64_t*, int64_t, int64_t, int64_t, int64_t);

}  // namespace qlite::kernels
