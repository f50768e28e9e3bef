#include "core/attribute_fields.h"

#include <bit>
#include <type_traits>
#include <utility>
#include <variant>

#include "core/str_cat.h"

namespace qlite {
namespace {

std::vector<AttributeField> AllFields(OpAttrs attrs) {
  std::vector<AttributeField> fields;
  const auto note = [&fields](const char* name, const auto& value) {
    using Field = std::decay_t<decltype(value)>;
    AttributeField& field = fields.emplace_back();
    field.name = name;
    if constexpr (std::is_same_v<Field, float>) {
      field.real = value;
    } else if constexpr (std::is_same_v<Field, std::vector<int64_t>>) {
      field.integers = value;
    } else if constexpr (std::is_same_v<Field, std::vector<float>>) {
      field.reals = value;
    } else {
      field.integer = static_cast<int64_t>(value);
    }
  };
  std::visit([&note](auto& a) { a.VisitFields(note); }, attrs);
  return fields;
}

// Assigns one stored value to the field that it belongs to; false where it lies outside the field's range.
template <class Field>
bool Assign(const AttributeField& from, Field& to) {
  if constexpr (std::is_same_v<Field, float>) {
    to = from.real;
  } else if constexpr (std::is_same_v<Field, std::vector<int64_t>>) {
    to = from.integers;
  } else if constexpr (std::is_same_v<Field, std::vector<float>>) {
    to = from.reals;
  } else if constexpr (std::is_same_v<Field, int64_t>) {
    to = from.integer;
  } else if constexpr (std::is_same_v<Field, bool>) {
    if (from.integer != 0 && from.integer != 1) return false;
    to = from.integer == 1;
  } else {
    if (from.integer < 0 || from.integer >= EnumCount(Field{})) return false;
    to = static_cast<Field>(from.integer);
  }
  return true;
}

// Bitwise for reals, so that a NaN or a negative zero is kept.
bool SameField(const AttributeField& a, const AttributeField& b) {
  if (std::bit_cast<uint32_t>(a.real) != std::bit_cast<uint32_t>(b.real)) return false;
  return a.integer == b.integer && a.integers == b.integers && a.reals == b.reals;
}

}  // namespace

std::vector<AttributeField> NonDefaultFields(OpType op, const OpAttrs& attrs) {
  const std::vector<AttributeField> defaults = AllFields(DefaultAttrs(op));
  std::vector<AttributeField> fields = AllFields(attrs), kept;
  for (size_t i = 0; i < fields.size(); ++i) {
    if (i >= defaults.size() || !SameField(fields[i], defaults[i])) kept.push_back(std::move(fields[i]));
  }
  return kept;
}

absl::Status SetFields(const std::vector<AttributeField>& fields, OpAttrs& attrs) {
  std::vector<bool> used(fields.size(), false);
  absl::Status status;
  const auto set = [&](const char* name, auto& value) {
    bool found = false;
    for (size_t i = 0; i < fields.size(); ++i) {
      if (fields[i].name != name) continue;
      if (found) status.Update(absl::InvalidArgumentError(StrCat("attribute '", name, "' stands twice")));
      found = used[i] = true;
      if (!Assign(fields[i], value)) {
        status.Update(absl::InvalidArgumentError(
            StrCat("attribute '", name, "' has the value ", fields[i].integer, ", which its type does not have")));
      }
    }
  };
  std::visit([&set](auto& a) { a.VisitFields(set); }, attrs);
  for (size_t i = 0; i < fields.size(); ++i) {
    if (!used[i]) {
      status.Update(absl::InvalidArgumentError(StrCat("unknown attribute '", fields[i].name, "'")));
    }
  }
  return status;
}

}  // namespace qlite
