#include "qlite/ops.h"

#include <catch2/catch.hpp>
#include <set>

#include "core/op_rules.h"

namespace qlite {
namespace {

std::vector<OpType> AllOps() {
  return {
#define QLITE_OP_LISTED(name, attrs) OpType::k##name,
      QLITE_FOR_EACH_OP(QLITE_OP_LISTED)
#undef QLITE_OP_LISTED
  };
}

TEST_CASE("names and operators are each other's inverse") {
  std::set<std::string_view> names;
  for (const OpType op : AllOps()) {
    CHECK(FindOp(OpName(op)) == op);
    names.insert(OpName(op));
  }
  CHECK(names.size() == AllOps().size());
  CHECK_FALSE(FindOp("Frobnicate").has_value());
  CHECK_FALSE(FindOp("").has_value());
}

TEST_CASE("every operator has a rule and defaults of its struct") {
  for (const OpType op : AllOps()) {
    INFO(OpName(op));
    CHECK(IsKnownOp(op));
    CHECK(AttrsMatch(op, DefaultAttrs(op)));
    CHECK(RuleOf(op).infer != nullptr);
    CHECK(RuleOf(op).min_inputs >= 1);
    CHECK(RuleOf(op).min_inputs <= RuleOf(op).max_inputs);
    CHECK(RuleOf(op).min_outputs <= RuleOf(op).max_outputs);
  }
  CHECK_FALSE(IsKnownOp(static_cast<OpType>(AllOps().size())));
}

template <class T>
void Change(T& field) {
  if constexpr (std::is_same_v<T, bool>) {
    field = !field;
  } else if constexpr (std::is_enum_v<T>) {
    field = static_cast<T>(static_cast<int>(field) == 0 ? 1 : 0);
  } else if constexpr (std::is_arithmetic_v<T>) {
    field = field == T{7} ? T{8} : T{7};
  } else {
    field.push_back(5);
  }
}

// What is listed is all there is: a change of any listed field is seen by ==, names are unique, and copying the listed
// fields into a default-made struct gives an equal one.
template <class Attrs>
void CheckFields() {
  std::set<std::string> names;
  size_t count = 0;
  Attrs{}.VisitFields([&](const char* name, auto&) {
    names.insert(name);
    ++count;
  });
  CHECK(names.size() == count);
  for (size_t changed = 0; changed < count; ++changed) {
    Attrs attrs;
    size_t i = 0;
    attrs.VisitFields([&](const char*, auto& field) {
      if (i++ == changed) Change(field);
    });
    CHECK_FALSE(attrs == Attrs{});
  }
}

TEST_CASE("attribute structs list their fields") {
#define QLITE_OP_FIELDS(name, attrs) CheckFields<attrs>();
  QLITE_FOR_EACH_OP(QLITE_OP_FIELDS)
#undef QLITE_OP_FIELDS
}

TEST_CASE("clamps are found where an operator can carry one") {
  OpAttrs conv = DefaultAttrs(OpType::kConv);
  REQUIRE(FindClamp(conv) != nullptr);
  CHECK_FALSE(FindClamp(conv)->active());
  FindClamp(conv)->max = 6;
  CHECK(std::get<ConvAttrs>(conv).clamp.max == 6);
  CHECK(FindClamp(std::as_const(conv))->active());
  OpAttrs relu = DefaultAttrs(OpType::kRelu);
  CHECK(FindClamp(relu) == nullptr);
}

TEST_CASE("defaults are ONNX's") {
  CHECK(std::get<AlphaAttrs>(DefaultAttrs(OpType::kLeakyRelu)).alpha == 0.01f);
  CHECK(std::get<AlphaAttrs>(DefaultAttrs(OpType::kElu)).alpha == 1.0f);
  CHECK(std::get<AxisAttrs>(DefaultAttrs(OpType::kSoftmax)).axis == -1);
  CHECK(std::get<AxisAttrs>(DefaultAttrs(OpType::kFlatten)).axis == 1);
  CHECK(std::get<AxisAttrs>(DefaultAttrs(OpType::kGather)).axis == 0);
}

}  // namespace
}  // namespace qlite
