// Streams of short bit fields: little-endian, without gaps, the first bit being bit 0 of the first byte.
#ifndef QLITE_FORMATS_QLITE_ENCODING_BIT_STREAM_H_
#define QLITE_FORMATS_QLITE_ENCODING_BIT_STREAM_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

namespace qlite {

class BitWriter {
 public:
  // bits <= 32; value < 2^bits.
  void Write(uint32_t value, int bits) {
    pending_ |= uint64_t{value} << filled_;
    filled_ += bits;
    if (filled_ < 32) return;
    Flush(4);
    pending_ >>= 32;
    filled_ -= 32;
  }
  // Exponential Golomb code of order k: value + 2^k behind as many zero bits as it has beyond k + 1 bits, its highest
  // bit first written as a 1 and the bits below it after that.
  void WriteGolomb(uint32_t value, int k) {
    const uint64_t shifted = value + (uint64_t{1} << k);
    const int below = static_cast<int>(std::bit_width(shifted)) - 1;
    Write(0, below - k);
    Write(1, 1);
    Write(static_cast<uint32_t>(shifted ^ uint64_t{1} << below), below);
  }
  // Bits written so far.
  uint64_t count() const { return 8 * bytes_.size() + static_cast<uint64_t>(filled_); }
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

// Behind the end there are zeros, and overrun() tells.
class BitReader {
 public:
  explicit BitReader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  // bits <= 32.
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
    return static_cast<uint32_t>(word & ((uint64_t{1} << bits) - 1));
  }
  // Gives up at values of more than 24 bits.
  uint32_t ReadGolomb(int k) {
    int beyond = 0;
    while (Read(1) == 0) {
      if (k + ++beyond > 24) {
        position_ = 8 * bytes_.size() + 1;
        return 0;
      }
    }
    return (uint32_t{1} << (k + beyond)) + Read(k + beyond) - (uint32_t{1} << k);
  }
  void Skip(uint64_t bits) { position_ += bits; }
  uint64_t position() const { return position_; }
  // Bytes touched so far.
  size_t bytes_used() const { return (position_ + 7) / 8; }
  bool overrun() const { return position_ > 8 * bytes_.size(); }
  // Everything was read, and zeros fill the last byte up.
  bool AtEnd() const {
    if (bytes_used() != bytes_.size()) return false;
    return position_ % 8 == 0 || std::to_integer<uint32_t>(bytes_.back()) >> position_ % 8 == 0;
  }

 private:
  std::span<const std::byte> bytes_;
  uint64_t position_ = 0;
};

}  // namespace qlite

#endif  // QLITE_FORMATS_QLITE_ENCODING_BIT_STREAM_H_
