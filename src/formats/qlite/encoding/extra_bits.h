// Streams of short bit fields of varying length, as they follow entropy-coded symbols: little-endian, without gaps.
#ifndef QLITE_FORMATS_QLITE_ENCODING_EXTRA_BITS_H_
#define QLITE_FORMATS_QLITE_ENCODING_EXTRA_BITS_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

namespace qlite {

class ExtraBitsWriter {
 public:
  // bits <= 16; value < 2^bits.
  void Write(uint32_t value, int bits) {
    pending_ |= uint64_t{value} << filled_;
    filled_ += bits;
    if (filled_ < 32) return;
    Flush(4);
    pending_ >>= 32;
    filled_ -= 32;
  }
  // The bytes, the last one filled up with zeros.
  std::vector<std::byte> Finish() {
    Flush(static_cast<size_t>(filled_ + 7) / 8);
    return std::move(bytes_);
  }

 private:
  void Flush(size_t count) {
    const auto* pending = reinterpret_cast<const std::byte*>(&pending_);
    bytes_.insert(bytes_.end(), pending, pending + count);
  }

  std::vector<std::byte> bytes_;
  uint64_t pending_ = 0;
  int filled_ = 0;
};

// Behind the end there are zeros.
class ExtraBitsReader {
 public:
  explicit ExtraBitsReader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  uint32_t Read(int bits) {
    uint64_t word = 0;
    const size_t byte = position_ / 8;
    if (byte + sizeof(word) <= bytes_.size()) {
      std::memcpy(&word, bytes_.data() + byte, sizeof(word));
    } else if (byte < bytes_.size()) {
      std::memcpy(&word, bytes_.data() + byte, bytes_.size() - byte);
    }
    word >>= position_ % 8;
    position_ += static_cast<uint64_t>(bits);
    return static_cast<uint32_t>(word) & ((1u << bits) - 1);
  }
  uint64_t position() const { return position_; }
  void Skip(uint64_t bits) { position_ += bits; }
  // Everything was read, and zeros fill the last byte up.
  bool AtEnd() const {
    if ((position_ + 7) / 8 != bytes_.size()) return false;
    return position_ % 8 == 0 || std::to_integer<uint32_t>(bytes_.back()) >> position_ % 8 == 0;
  }

 private:
  std::span<const std::byte> bytes_;
  uint64_t position_ = 0;
};

}  // namespace qlite

#endif  // QLITE_FORMATS_QLITE_ENCODING_EXTRA_BITS_H_
