// The layout of a .qlite file:
//
//   offset 0                 FileHeader, 64 bytes
//   offset 64                the model's structure: a FlatBuffer (model.fbs), `structure_bytes` long
//   offset data_offset       constant data, `data_bytes` long, each constant at a multiple of kDataAlignment, zero
//   between
//
// data_offset is 64 + structure_bytes rounded up to kDataAlignment; the file ends with the data. All numbers are
// little-endian. The data stay outside the FlatBuffer so that a file may pass 2 GB and be used where it is mapped.
#ifndef QLITE_FORMATS_QLITE_FILE_LAYOUT_H_
#define QLITE_FORMATS_QLITE_FILE_LAYOUT_H_

#include <array>
#include <cstdint>

namespace qlite {

// "qlite", then bytes that a transfer in text mode would change.
inline constexpr std::array<char, 8> kQliteMagic = {'q', 'l', 'i', 't', 'e', '\r', '\n', '\x1a'};

// Raised whenever an older reader would misunderstand a newer file. A file has the oldest version that can express it,
// and one of a version that is not known is refused.
//   1  constants as they are
//   2  some constants are encoded (encoding/weight_encoding.h), or have parameters that version 1 does not know
inline constexpr uint32_t kQliteOldestVersion = 1;
inline constexpr uint32_t kQliteEncodedVersion = 2;
inline constexpr uint32_t kQliteVersion = 2;

// FlatBuffers address with 31 bits; well below it, neither builder nor verifier aborts.
inline constexpr uint64_t kMaxStructureBytes = uint64_t{1} << 30;

// Pieces of the structure may be shared, and the graph that is made of it has them once for each place. A file whose
// graph would take more than this many times the structure's bytes is refused: sharing cannot multiply without bounds.
inline constexpr uint64_t kMaxExpansion = 16;

// Constants start at multiples of this in the file, which a mapping keeps: enough for any vector load.
inline constexpr uint64_t kDataAlignment = 64;

struct FileHeader {
  std::array<char, 8> magic;
  uint32_t version;
  uint32_t reserved;  // 0
  uint64_t structure_bytes;
  uint64_t data_offset;
  uint64_t data_bytes;
  uint64_t checksum;                // see FileChecksum
  std::array<uint64_t, 2> padding;  // 0
};
static_assert(sizeof(FileHeader) == 64);

}  // namespace qlite

#endif  // QLITE_FORMATS_QLITE_FILE_LAYOUT_H_
