// Feeds arbitrary bytes to the decoder of weights: 3 bytes name the form, the width and the element type, 3 the number
// of elements, and the rest is the encoded stream. Every instruction set must give the same answer, and what was
// decoded must survive being encoded in every form.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "formats/qlite/encoding/weight_encoding.h"

namespace {

bool SameBytes(const qlite::Buffer& a, const qlite::Buffer& b) {
  return a.size == b.size && (a.size == 0 || std::memcmp(a.data, b.data, a.size) == 0);
}

void Check(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr size_t kHead = 6;
  if (size < kHead) return 0;
  const qlite::WeightEncoding encoding{static_cast<qlite::WeightForm>(1 + data[0] % 5), data[1] % 18};
  const qlite::ElementType type = data[2] % 2 == 0 ? qlite::ElementType::kInt8 : qlite::ElementType::kInt16;
  const int64_t count = data[3] | data[4] << 8 | (data[5] & 7) << 16;
  const std::span<const std::byte> bytes(reinterpret_cast<const std::byte*>(data + kHead), size - kHead);
  const absl::StatusOr<qlite::Buffer> decoded = qlite::DecodeWeights(encoding, bytes, type, count);
  for (const qlite::kernels::Isa isa : qlite::kernels::SupportedIsas()) {
    const absl::StatusOr<qlite::Buffer> other = qlite::DecodeWeights(encoding, bytes, type, count, nullptr, isa);
    Check(other.ok() == decoded.ok() && (!decoded.ok() || SameBytes(*decoded, *other)));
  }
  if (!decoded.ok() || count == 0 || count > 4096) return 0;
  const absl::StatusOr<qlite::Tensor> weights = qlite::Tensor::Create(type, {count}, *decoded);
  Check(weights.ok());
  for (const auto form : {qlite::WeightForm::kPacked, qlite::WeightForm::kIndexed, qlite::WeightForm::kSparse,
                          qlite::WeightForm::kEntropy, qlite::WeightForm::kIndexedEntropy}) {
    const qlite::EncodedWeights encoded =
        qlite::EncodeWeightsAs(form, *weights, qlite::QuantParams::PerTensor(1.0f, 0));
    if (encoded.encoding.form == qlite::WeightForm::kRaw) continue;
    const absl::StatusOr<qlite::Buffer> again = qlite::DecodeWeights(encoded.encoding, encoded.bytes, type, count);
    Check(again.ok() && SameBytes(*decoded, *again));
  }
  return 0;
}
