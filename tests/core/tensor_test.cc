#include "qlite/tensor.h"

#include <catch2/catch.hpp>
#include <cstring>

#include "core/bit_packing.h"
#include "qlite/types.h"

namespace qlite {
namespace {

using ::Catch::Contains;

TEST_CASE("element counts notice what cannot be") {
  CHECK(*ElementCount(std::vector<int64_t>{}) == 1);
  CHECK(*ElementCount(std::vector<int64_t>{2, 3, 4}, 4) == 24);
  CHECK(*ElementCount(std::vector<int64_t>{2, 0, 4}) == 0);
  CHECK(*ElementCount(std::vector<int64_t>{int64_t{1} << 62}) == int64_t{1} << 62);
  CHECK_FALSE(ElementCount(std::vector<int64_t>{int64_t{1} << 61}, 4).ok());
  CHECK_FALSE(ElementCount(std::vector<int64_t>{int64_t{1} << 40, int64_t{1} << 40}).ok());
  CHECK_FALSE(ElementCount(std::vector<int64_t>{0, int64_t{1} << 40, int64_t{1} << 40}).ok());
  CHECK_FALSE(ElementCount(std::vector<int64_t>{int64_t{1} << 40, int64_t{1} << 40, 0}).ok());
  CHECK_FALSE(ElementCount(std::vector<int64_t>{2, -1}).ok());
}

TEST_CASE("a tensor checks its buffer") {
  const std::vector<float> values = {1, 2, 3, 4, 5, 6};
  const Buffer buffer = Buffer::Copy(values.data(), 24);
  const absl::StatusOr<Tensor> tensor = Tensor::Create(ElementType::kFloat32, {2, 3}, buffer);
  REQUIRE(tensor.ok());
  CHECK(tensor->data<float>()[5] == 6);
  CHECK(tensor->buffer().data == buffer.data);
  const absl::Status wrong = Tensor::Create(ElementType::kFloat32, {2, 2}, buffer).status();
  CHECK_THAT(std::string(wrong.message()), Contains("[2,2]") && Contains("16") && Contains("24"));
  CHECK_FALSE(Tensor::Create(ElementType::kUndefined, {}, Buffer()).ok());
  CHECK_FALSE(Tensor::Create(ElementType::kFloat32, {-1}, buffer).ok());
  CHECK(Tensor::Create(ElementType::kFloat32, {0, 5}, Buffer()).ok());
}

TEST_CASE("data that are not aligned are copied") {
  std::vector<std::byte> bytes(9);
  const float value = 1.5f;
  std::memcpy(bytes.data() + 1, &value, 4);
  const Buffer whole = Buffer::Own(std::move(bytes));
  const absl::StatusOr<Tensor> tensor = Tensor::Create(ElementType::kFloat32, {2}, {whole.data + 1, 8, whole.owner});
  REQUIRE(tensor.ok());
  CHECK(tensor->data<float>()[0] == 1.5f);
  CHECK(tensor->buffer().data != whole.data + 1);
}

TEST_CASE("large buffers are copied whole") {
  for (const size_t size : {(size_t{2} << 20) - 1, size_t{2} << 20, (size_t{5} << 20) + 3}) {
    std::vector<uint8_t> bytes(size);
    for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<uint8_t>(i * 7 / 5);
    const Buffer copy = Buffer::Copy(bytes.data(), size);
    REQUIRE(copy.size == size);
    CHECK(reinterpret_cast<uintptr_t>(copy.data) % alignof(double) == 0);
    CHECK(std::memcmp(copy.data, bytes.data(), size) == 0);
  }
}

TEST_CASE("bool tensors hold 0 and 1 only") {
  CHECK(Tensor::Create(ElementType::kBool, {2}, Buffer::Own(std::vector<uint8_t>{0, 1})).ok());
  CHECK_FALSE(Tensor::Create(ElementType::kBool, {2}, Buffer::Own(std::vector<uint8_t>{0, 2})).ok());
}

TEST_CASE("tensors are reshaped and compared") {
  const Tensor tensor = Tensor::Of<int64_t>({2, 3}, {1, 2, 3, 4, 5, 6});
  CHECK(tensor.Reshaped({3, 2})->dims() == std::vector<int64_t>{3, 2});
  CHECK(tensor.Reshaped({6})->buffer().data == tensor.buffer().data);
  CHECK_FALSE(tensor.Reshaped({4}).ok());
  CHECK_FALSE(tensor.Reshaped({-6}).ok());
  CHECK(tensor == Tensor::Of<int64_t>({2, 3}, {1, 2, 3, 4, 5, 6}));
  CHECK_FALSE(tensor == Tensor::Of<int64_t>({2, 3}, {1, 2, 3, 4, 5, 7}));
  CHECK_FALSE(tensor == *tensor.Reshaped({6}));
  CHECK(Tensor() == Tensor());
}

TEST_CASE("packed tensors are unpacked when their elements are asked for") {
  const std::vector<int8_t> values = {-4, 3, 0, -1, 2, 1, -2, -3, 3, -4};
  std::vector<std::byte> fields(PackedBytes(values.size(), 3));
  PackBits(std::span<const int8_t>(values), 3, fields.data());
  const PackedIntegers packed{3, Buffer::Own(fields)};
  const absl::StatusOr<Tensor> tensor = Tensor::FromPacked(ElementType::kInt8, {2, 5}, packed);
  REQUIRE(tensor.ok());
  const Tensor copy = *tensor->Reshaped({10});
  CHECK(copy.packed()->width == 3);
  CHECK(copy.packed()->fields.data == packed.fields.data);
  CHECK(*tensor == Tensor::Of<int8_t>({2, 5}, values));
  CHECK(Tensor::Of<int8_t>({2, 5}, values) == *tensor);
  std::vector<int8_t> others = values;
  others[9] = 3;
  CHECK_FALSE(*tensor == Tensor::Of<int8_t>({2, 5}, others));
  std::vector<std::byte> other_fields(fields.size());
  PackBits(std::span<const int8_t>(others), 3, other_fields.data());
  CHECK_FALSE(*tensor == *Tensor::FromPacked(ElementType::kInt8, {2, 5}, {3, Buffer::Own(other_fields)}));
  CHECK(*tensor == *Tensor::FromPacked(ElementType::kInt8, {2, 5}, {3, Buffer::Own(fields)}));
  CHECK(copy.buffer().data == tensor->buffer().data);  // unpacked once for all copies
  CHECK(Tensor::Of<int8_t>({2, 5}, values).packed() == nullptr);
}

TEST_CASE("packed tensors are checked before anything is unpacked") {
  const auto packed = [](ElementType type, std::vector<int64_t> dims, int width, std::vector<uint8_t> fields) {
    return Tensor::FromPacked(type, std::move(dims), {width, Buffer::Own(std::move(fields))}).ok();
  };
  CHECK(packed(ElementType::kInt8, {3}, 5, {1, 2}));
  CHECK(packed(ElementType::kInt16, {3}, 5, {1, 2}));
  CHECK(packed(ElementType::kInt8, {0}, 5, {}));
  CHECK_FALSE(packed(ElementType::kInt8, {3}, 5, {1, 0x82}));  // a bit behind the last field
  CHECK_FALSE(packed(ElementType::kInt8, {3}, 5, {1}));
  CHECK_FALSE(packed(ElementType::kInt8, {3}, 5, {1, 2, 0}));
  CHECK_FALSE(packed(ElementType::kInt8, {-3}, 5, {1, 2}));
  CHECK_FALSE(packed(ElementType::kInt8, {int64_t{1} << 61}, 8, {1}));
  CHECK_FALSE(packed(ElementType::kInt8, {1}, 0, {}));
  CHECK_FALSE(packed(ElementType::kInt8, {1}, 9, {1, 1}));
  CHECK_FALSE(packed(ElementType::kUInt8, {1}, 8, {1}));
}

TEST_CASE("shapes and types as text") {
  CHECK(Shape().ToString() == "[*]");
  CHECK(Shape(std::vector<Dim>{Dim::Symbolic("N"), Dim(3), Dim()}).ToString() == "[N,3,?]");
  CHECK(Shape::Of({}).ToString() == "[]");
  CHECK(Shape::Of({}).IsStatic());
  CHECK_FALSE(Shape().IsStatic());
  CHECK(ElementTypeName(ElementType::kBool) == "bool");
  CHECK(ElementTypeName(static_cast<ElementType>(99)) == "undefined");
  CHECK(ElementSize(static_cast<ElementType>(99)) == 0);
  CHECK(Dim::Symbolic("N").SameAs(Dim::Symbolic("N")));
  CHECK_FALSE(Dim().SameAs(Dim()));
}

}  // namespace
}  // namespace qlite
