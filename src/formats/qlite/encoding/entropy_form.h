// Integers in nearly as few bits as their frequencies allow: interleaved asymmetric numeral systems (see
// kernels/rans_decode.h for the arithmetic, symbol_model.h for the symbols, docs/formats.md for the layout).
#ifndef QLITE_FORMATS_QLITE_ENCODING_ENTROPY_FORM_H_
#define QLITE_FORMATS_QLITE_ENCODING_ENTROPY_FORM_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "kernels/isa.h"
#include "qlite/context.h"

namespace qlite {

// At least one value, each within the range of `width` bits. The bytes depend on the arguments alone but for
// `executor`, whose threads code the chunks; null: the calling thread.
std::vector<std::byte> EncodeEntropy(std::span<const int8_t> values, int width, Executor* executor);
std::vector<std::byte> EncodeEntropy(std::span<const int16_t> values, int width, Executor* executor);

// Fills `values`, at least one, and returns how many bytes that took. kInvalidArgument where the bytes are not such a
// stream: every count, table, state and end is checked. Chunks are decoded on the executor's threads. width within 1..8
// for int8_t, 1..16 for int16_t.
absl::StatusOr<size_t> DecodeEntropy(std::span<const std::byte> bytes, int width, std::span<int8_t> values,
                                     Executor* executor, kernels::Isa isa);
absl::StatusOr<size_t> DecodeEntropy(std::span<const std::byte> bytes, int width, std::span<int16_t> values,
                                     Executor* executor, kernels::Isa isa);

}  // namespace qlite

#endif  // QLITE_FORMATS_QLITE_ENCODING_ENTROPY_FORM_H_
