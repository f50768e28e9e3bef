#include "capi/attributes.h"

#include <set>
#include <type_traits>
#include <variant>

#include "capi/call.h"
#include "qlite/nearest_name.h"

namespace qlite::capi {
namespace {

template <class T>
constexpr qlite_attribute_kind KindOf() {
  if constexpr (std::is_same_v<T, float>)
    return QLITE_ATTRIBUTE_REAL;
  else if constexpr (std::is_same_v<T, std::vector<int64_t>>)
    return QLITE_ATTRIBUTE_INTEGERS;
  else if constexpr (std::is_same_v<T, std::vector<float>>)
    return QLITE_ATTRIBUTE_REALS;
  else
    return QLITE_ATTRIBUTE_INTEGER;
}

struct Lister {
  std::vector<Attribute> list;

  template <class T>
  void operator()(std::string_view name, T& field) {
    Attribute& entry = list.emplace_back();
    entry.name = std::string(name);
    entry.kind = KindOf<T>();
    if constexpr (std::is_same_v<T, float>)
      entry.real = field;
    else if constexpr (std::is_same_v<T, std::vector<int64_t>>)
      entry.integers = field;
    else if constexpr (std::is_same_v<T, std::vector<float>>)
      entry.reals = field;
    else
      entry.integer = static_cast<int64_t>(field);
  }
};

template <class T>
bool Fits(int64_t value) {
  if constexpr (std::is_same_v<T, int64_t>)
    return true;
  else if constexpr (std::is_same_v<T, bool>)
    return value == 0 || value == 1;
  else
    return value >= 0 && value < EnumCount(T{});
}

// Puts one attribute into the field of its name.
struct Setter {
  const qlite_attribute& given;
  bool found = false;

  template <class T>
  void operator()(std::string_view name, T& field) {
    if (name != given.name) return;
    found = true;
    if (given.kind != KindOf<T>()) Refuse("attribute '" + std::string(name) + "' is of another kind");
    if constexpr (std::is_same_v<T, float>)
      field = given.real;
    else if constexpr (std::is_same_v<T, std::vector<int64_t>>)
      field = List(given.integers);
    else if constexpr (std::is_same_v<T, std::vector<float>>)
      field = List(given.reals);
    else {
      if (!Fits<T>(given.integer))
        Refuse("attribute '" + std::string(name) + "' cannot be " + std::to_string(given.integer));
      field = static_cast<T>(given.integer);
    }
  }

  template <class T>
  std::vector<T> List(const T* values) const {
    if (given.count > 0) Needed(values, "the list of an attribute");
    return {values, values + given.count};
  }
};

}  // namespace

std::vector<Attribute> ListAttributes(const OpAttrs& attrs) {
  Lister lister;
  OpAttrs copy = attrs;  // VisitFields hands out references for reading and writing alike
  std::visit([&](auto& fields) { fields.VisitFields(lister); }, copy);
  return std::move(lister.list);
}

OpAttrs ReadAttributes(OpType op, const qlite_attribute* attributes, size_t count) {
  OpAttrs attrs = DefaultAttrs(op);
  if (count > 0) Needed(attributes, "attributes");
  std::set<std::string> seen;
  for (size_t i = 0; i < count; ++i) {
    const std::string name = Needed(attributes[i].name, "the name of an attribute");
    if (!seen.insert(name).second) Refuse("attribute '" + name + "' stands twice");
    Setter setter{attributes[i]};
    std::visit([&](auto& fields) { fields.VisitFields(setter); }, attrs);
    if (setter.found) continue;
    std::vector<std::string> known;
    for (const Attribute& attribute : ListAttributes(attrs)) known.push_back(attribute.name);
    throw Failure(
        absl::NotFoundError(std::string(OpName(op)) + " has no attribute '" + name + "'; " + DidYouMean(name, known)));
  }
  return attrs;
}

}  // namespace qlite::capi
