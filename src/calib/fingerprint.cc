#include "calib/fingerprint.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "core/mapped_file.h"

namespace qlite::calib {

struct Fingerprinter::State {
  XXH3_state_t xxh3;
};

Fingerprinter::Fingerprinter() : state_(std::make_unique<State>()) { XXH3_64bits_reset(&state_->xxh3); }

Fingerprinter::~Fingerprinter() = default;

void Fingerprinter::AddInteger(int64_t value) { XXH3_64bits_update(&state_->xxh3, &value, sizeof(value)); }

void Fingerprinter::AddBytes(std::string_view bytes) {
  AddInteger(static_cast<int64_t>(bytes.size()));
  XXH3_64bits_update(&state_->xxh3, bytes.data(), bytes.size());
}

void Fingerprinter::AddBuffer(const Buffer& buffer) {
  AddInteger(static_cast<int64_t>(buffer.size));
  ForEachPiece(buffer, [this](std::span<const std::byte> piece) {
    XXH3_64bits_update(&state_->xxh3, piece.data(), piece.size());
  });
}

uint64_t Fingerprinter::Value() const { return XXH3_64bits_digest(&state_->xxh3); }

uint64_t HashBytes(std::string_view bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

}  // namespace qlite::calib
