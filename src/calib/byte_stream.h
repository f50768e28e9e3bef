// Writing and reading of an observer's state as bytes: little-endian, integers in base 128 where they are mostly small.
#ifndef QLITE_CALIB_BYTE_STREAM_H_
#define QLITE_CALIB_BYTE_STREAM_H_

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

namespace qlite::calib {

class ByteWriter {
 public:
  void U32(uint32_t value) {
    for (int i = 0; i < 4; ++i) bytes_.push_back(static_cast<char>(value >> (8 * i)));
  }
  void F32(float value) { U32(std::bit_cast<uint32_t>(value)); }
  void Varint(uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_.push_back(static_cast<char>(value | 0x80));
    bytes_.push_back(static_cast<char>(value));
  }
  std::string Take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

// Gives zeros from the first fault on; ask Done() at the end whether everything was there and nothing is left.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}

  uint32_t U32() {
    if (bytes_.size() < 4) return Fail();
    uint32_t value = 0;
    for (int i = 3; i >= 0; --i) value = value << 8 | static_cast<uint8_t>(bytes_[static_cast<size_t>(i)]);
    bytes_.remove_prefix(4);
    return value;
  }
  float F32() { return std::bit_cast<float>(U32()); }
  // The shortest form alone is accepted, so that equal states have equal bytes.
  uint64_t Varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (bytes_.empty()) return Fail();
      const uint8_t byte = static_cast<uint8_t>(bytes_.front());
      bytes_.remove_prefix(1);
      if (shift == 63 && byte > 1) return Fail();
      value |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return byte == 0 && shift > 0 ? Fail() : value;
    }
    return Fail();
  }
  bool Done() const { return !failed_ && bytes_.empty(); }

 private:
  uint32_t Fail() {
    failed_ = true;
    bytes_ = {};
    return 0;
  }

  std::string_view bytes_;
  bool failed_ = false;
};

}  // namespace qlite::calib

#endif  // QLITE_CALIB_BYTE_STREAM_H_
