#include "formats/onnx/utf8.h"

#include <cstdint>

namespace qlite::onnx {
namespace {

// Bytes of the sequence that `lead` begins, 0 where it cannot begin one.
size_t SequenceLength(uint8_t lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead < 0xe0) return 2;
  if (lead >= 0xe0 && lead < 0xf0) return 3;
  if (lead >= 0xf0 && lead < 0xf5) return 4;
  return 0;
}

// The second byte's range excludes overlong forms, surrogates and code points beyond the last.
bool SecondByteFits(uint8_t lead, uint8_t second) {
  const uint8_t lowest = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  const uint8_t highest = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  return second >= lowest && second <= highest;
}

}  // namespace

bool IsCleanUtf8(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  for (size_t i = 0; i < text.size();) {
    const size_t length = SequenceLength(byte(i));
    if (byte(i) == 0 || length == 0 || length > text.size() - i) return false;
    if (length > 1 && !SecondByteFits(byte(i), byte(i + 1))) return false;
    for (size_t k = 2; k < length; ++k) {
      if ((byte(i + k) & 0xc0) != 0x80) return false;
    }
    i += length;
  }
  return true;
}

}  // namespace qlite::onnx
