// Element types, shapes with unknown dimensions, and the ids by which a Graph addresses its parts.
#ifndef QLITE_TYPES_H_
#define QLITE_TYPES_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace qlite {

enum class ElementType : uint8_t {
  kUndefined = 0,
  kFloat32 = 1,
  kFloat16 = 2,
  kFloat64 = 3,
  kInt8 = 4,
  kUInt8 = 5,
  kInt16 = 6,
  kUInt16 = 7,
  kInt32 = 8,
  kUInt32 = 9,
  kInt64 = 10,
  kUInt64 = 11,
  kBool = 12,
  kBFloat16 = 13,  // the upper half of a float32; of constants, which a Cast widens
};

// Bytes of one element; 0 for kUndefined.
size_t ElementSize(ElementType type);

// "float32", "int8", ...; "undefined" for anything else.
std::string_view ElementTypeName(ElementType type);

// One dimension: a known extent, or unknown. An unknown one may carry a symbol ("N"): equal symbols are equal extents.
struct Dim {
  static constexpr int64_t kUnknown = -1;

  int64_t value = kUnknown;
  std::string symbol;

  Dim() = default;
  Dim(int64_t v) : value(v) {}  // NOLINT: an extent is a dimension
  static Dim Symbolic(std::string name) {
    Dim dim;
    dim.symbol = std::move(name);
    return dim;
  }
  bool known() const { return value >= 0; }
  // Certainly the same extent.
  bool SameAs(const Dim& other) const {
    return known() ? value == other.value : (!other.known() && !symbol.empty() && symbol == other.symbol);
  }
  friend bool operator==(const Dim&, const Dim&) = default;
};

// The dimensions of a value, outermost first. The rank itself may be unknown.
class Shape {
 public:
  Shape() = default;  // unknown rank
  explicit Shape(std::vector<Dim> dims) : has_rank_(true), dims_(std::move(dims)) {}
  static Shape Of(const std::vector<int64_t>& extents) {
    return Shape(std::vector<Dim>(extents.begin(), extents.end()));
  }

  bool has_rank() const { return has_rank_; }
  int64_t rank() const { return static_cast<int64_t>(dims_.size()); }
  const Dim& dim(int64_t i) const { return dims_[static_cast<size_t>(i)]; }
  Dim& dim(int64_t i) { return dims_[static_cast<size_t>(i)]; }
  const std::vector<Dim>& dims() const { return dims_; }

  // Every dimension is known.
  bool IsStatic() const;
  // The extents; call only where IsStatic().
  std::vector<int64_t> Extents() const;
  // "[N,3,224,224]", "?" for an unknown dimension, "[*]" for an unknown rank.
  std::string ToString() const;

  friend bool operator==(const Shape&, const Shape&) = default;

 private:
  bool has_rank_ = false;
  std::vector<Dim> dims_;
};

// An index that cannot be mistaken for another kind of index. The default-made one is invalid ("absent").
template <class Tag>
struct Id {
  int32_t index = -1;
  bool valid() const { return index >= 0; }
  friend bool operator==(Id, Id) = default;
  friend auto operator<=>(Id, Id) = default;
};
using ValueId = Id<struct ValueTag>;
using NodeId = Id<struct NodeTag>;

}  // namespace qlite

template <class Tag>
struct std::hash<qlite::Id<Tag>> {
  size_t operator()(qlite::Id<Tag> id) const { return std::hash<int32_t>()(id.index); }
};

#endif  // QLITE_TYPES_H_
