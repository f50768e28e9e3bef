// Streams of bits for headers and tables: little-endian, the first bit being bit 0 of the first byte.
#ifndef QLITE_FORMATS_QLITE_ENCODING_BIT_STREAM_H_
#define QLITE_FORMATS_QLITE_ENCODING_BIT_STREAM_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace qlite {

class BitWriter {
 public:
  // The low `bits` bits of value, bits <= 32.
  void Write(uint32_t value, int bits) {
    for (int i = 0; i < bits; ++i, ++count_) {
      if (count_ % 8 == 0) bytes_.push_back(std::byte{0});
      bytes_.back() |= static_cast<std::byte>((value >> i & 1) << count_ % 8);
    }
  }
  // Exponential Golomb code of order k: value + 2^k behind as many zero bits as it has beyond k + 1 bits, its highest
  // bit first written as a 1 and the bits below it after that.
  void WriteGolomb(uint32_t value, int k) {
    const uint64_t shifted = value + (uint64_t{1} << k);
    const int beyond = static_cast<int>(std::bit_width(shifted)) - 1 - k;
    Write(0, beyond);
    Write(1, 1);
    Write(static_cast<uint32_t>(shifted), k + beyond);
  }
  const std::vector<std::byte>& bytes() const { return bytes_; }
  uint64_t count() const { return count_; }

 private:
  std::vector<std::byte> bytes_;  // the last one is filled up with zeros
  uint64_t count_ = 0;
};

// Behind the end there are zeros, and overrun() tells.
class BitReader {
 public:
  explicit BitReader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  uint32_t Read(int bits) {
    uint32_t value = 0;
    for (int i = 0; i < bits; ++i, ++count_) {
      if (count_ / 8 >= bytes_.size()) continue;
      value |= (std::to_integer<uint32_t>(bytes_[count_ / 8]) >> count_ % 8 & 1) << i;
    }
    return value;
  }
  // Gives up at values of more than 24 bits.
  uint32_t ReadGolomb(int k) {
    int beyond = 0;
    while (Read(1) == 0) {
      if (k + ++beyond > 24) {
        count_ = 8 * bytes_.size() + 1;
        return 0;
      }
    }
    return (uint32_t{1} << (k + beyond)) + Read(k + beyond) - (uint32_t{1} << k);
  }
  bool overrun() const { return count_ > 8 * bytes_.size(); }
  // Those touched so far.
  size_t bytes_used() const { return (count_ + 7) / 8; }

 private:
  std::span<const std::byte> bytes_;
  uint64_t count_ = 0;
};

}  // namespace qlite

#endif  // QLITE_FORMATS_QLITE_ENCODING_BIT_STREAM_H_
