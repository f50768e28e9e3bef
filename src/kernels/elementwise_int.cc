#include "kernels/elementwise_int.h"

#include <type_traits>

#include "kernels/plan_rows.h"

namespace qlite::kernels {
namespace {

// out[..] = function(a[..], b[..]) along the plan.
template <typename T, typename R, typename Function>
void Map2(const StridedPlan& plan, const T* a, const T* b, R* out, int64_t begin, int64_t end, Function function) {
  const int last = plan.rank - 1;
  const int64_t stride_out = plan.stride[0][last], stride_a = plan.stride[1][last], stride_b = plan.stride[2][last];
  ForEachPlanRow(plan, begin, end, [&](const int64_t* offset, int64_t count) {
    const T* row_a = a + offset[1];
    const T* row_b = b + offset[2];
    R* row_out = out + offset[0];
    for (int64_t i = 0; i < count; ++i) row_out[i * stride_out] = function(row_a[i * stride_a], row_b[i * stride_b]);
  });
}

template <typename T>
T WrappingQuotient(T a, T b) {
  if (b == -1) return static_cast<T>(0 - static_cast<std::make_unsigned_t<T>>(a));
  return static_cast<T>(a / b);
}

template <typename T>
T FloorRemainder(T a, T b) {
  if (b == -1) return 0;
  const T remainder = static_cast<T>(a % b);
  return remainder != 0 && (remainder < 0) != (b < 0) ? static_cast<T>(remainder + b) : remainder;
}

// False when a divisor is zero; function then is not called for it.
template <typename T, typename Function>
bool Divide2(const StridedPlan& plan, const T* a, const T* b, T* out, int64_t begin, int64_t end, Function function) {
  bool defined = true;
  Map2(plan, a, b, out, begin, end, [&](T x, T y) {
    defined &= y != 0;
    return y != 0 ? function(x, y) : T{0};
  });
  return defined;
}

template <typename T>
void WhereOf(const StridedPlan& plan, const uint8_t* condition, const void* a, const void* b, void* out, int64_t begin,
             int64_t end) {
  const int last = plan.rank - 1;
  ForEachPlanRow(plan, begin, end, [&](const int64_t* offset, int64_t count) {
    T* row_out = static_cast<T*>(out) + offset[0];
    const uint8_t* row_condition = condition + offset[1];
    const T* row_a = static_cast<const T*>(a) + offset[2];
    const T* row_b = static_cast<const T*>(b) + offset[3];
    for (int64_t i = 0; i < count; ++i) {
      const bool chosen = row_condition[i * plan.stride[1][last]] != 0;
      row_out[i * plan.stride[0][last]] = chosen ? row_a[i * plan.stride[2][last]] : row_b[i * plan.stride[3][last]];
    }
  });
}

}  // namespace

template <typename T>
bool IntegerBinary(IntegerOp op, const StridedPlan& plan, const T* a, const T* b, T* out, int64_t begin, int64_t end) {
  using U = std::make_unsigned_t<T>;
  switch (op) {
    case IntegerOp::kAdd:
      Map2(plan, a, b, out, begin, end, [](T x, T y) { return static_cast<T>(static_cast<U>(x) + static_cast<U>(y)); });
      return true;
    case IntegerOp::kSub:
      Map2(plan, a, b, out, begin, end, [](T x, T y) { return static_cast<T>(static_cast<U>(x) - static_cast<U>(y)); });
      return true;
    case IntegerOp::kMul:
      Map2(plan, a, b, out, begin, end, [](T x, T y) { return static_cast<T>(static_cast<U>(x) * static_cast<U>(y)); });
      return true;
    case IntegerOp::kDiv:
      return Divide2(plan, a, b, out, begin, end, WrappingQuotient<T>);
    case IntegerOp::kMod:
      return Divide2(plan, a, b, out, begin, end, FloorRemainder<T>);
    case IntegerOp::kMin:
      Map2(plan, a, b, out, begin, end, [](T x, T y) { return x < y ? x : y; });
      return true;
    case IntegerOp::kMax:
      Map2(plan, a, b, out, begin, end, [](T x, T y) { return x > y ? x : y; });
      return true;
  }
  return false;
}

template <typename T>
void Compare(CompareOp op, const StridedPlan& plan, const T* a, const T* b, uint8_t* out, int64_t begin, int64_t end) {
  const auto run = [&](auto function) {
    Map2(plan, a, b, out, begin, end, [&](T x, T y) { return static_cast<uint8_t>(function(x, y)); });
  };
  switch (op) {
    case CompareOp::kEqual:
      return run([](T x, T y) { return x == y; });
    case CompareOp::kLess:
      return run([](T x, T y) { return x < y; });
    case CompareOp::kLessOrEqual:
      return run([](T x, T y) { return x <= y; });
    case CompareOp::kGreater:
      return run([](T x, T y) { return x > y; });
    case CompareOp::kGreaterOrEqual:
      return run([](T x, T y) { return x >= y; });
  }
}

void Logic(LogicOp op, const StridedPlan& plan, const uint8_t* a, const uint8_t* b, uint8_t* out, int64_t begin,
           int64_t end) {
  const auto run = [&](auto function) {
    Map2(plan, a, b, out, begin, end,
         [&](uint8_t x, uint8_t y) { return static_cast<uint8_t>(function(x != 0, y != 0)); });
  };
  switch (op) {
    case LogicOp::kAnd:
      return run([](bool x, bool y) { return x && y; });
    case LogicOp::kOr:
      return run([](bool x, bool y) { return x || y; });
    case LogicOp::kXor:
      return run([](bool x, bool y) { return x != y; });
  }
}

void LogicalNot(const uint8_t* in, uint8_t* out, int64_t count) {
  for (int64_t i = 0; i < count; ++i) out[i] = in[i] == 0;
}

bool Where(int element_size, const StridedPlan& plan, const uint8_t* condition, const void* a, const void* b, void* out,
           int64_t begin, int64_t end) {
  switch (element_size) {
    case 1:
      WhereOf<uint8_t>(plan, condition, a, b, out, begin, end);
      return true;
    case 2:
      WhereOf<uint16_t>(plan, condition, a, b, out, begin, end);
      return true;
    case 4:
      WhereOf<uint32_t>(plan, condition, a, b, out, begin, end);
      return true;
    case 8:
      WhereOf<uint64_t>(plan, condition, a, b, out, begin, end);
      return true;
    default:
      return false;
  }
}

template bool IntegerBinary<int32_t>(IntegerOp, const StridedPlan&, const int32_t*, const int32_t*, int32_t*, int64_t,
                                     int64_t);
template bool IntegerBinary<int64_t>(IntegerOp, const StridedPlan&, const int64_t*, const int64_t*, int64_t*, int64_t,
                                     int64_t);
template void Compare<float>(CompareOp, const StridedPlan&, const float*, const float*, uint8_t*, int64_t, int64_t);
template void Compare<double>(CompareOp, const StridedPlan&, const double*, const double*, uint8_t*, int64_t, int64_t);
template void Compare<int32_t>(CompareOp, const StridedPlan&, const int32_t*, const int32_t*, uint8_t*, int64_t,
                               int64_t);
template void Compare<int64_t>(CompareOp, const StridedPlan&, const int64_t*, const int64_t*, uint8_t*, int64_t,
                               int64_t);
template void Compare<uint8_t>(CompareOp, const StridedPlan&, const uint8_t*, const uint8_t*, uint8_t*, int64_t,
                               int64_t);
template void Compare<int8_t>(CompareOp, const StridedPlan&, const int8_t*, const int8_t*, uint8_t*, int64_t, int64_t);

}  // namespace qlite::kernels
