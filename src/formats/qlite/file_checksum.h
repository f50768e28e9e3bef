// The checksum of a .qlite file.
#ifndef QLITE_FORMATS_QLITE_FILE_CHECKSUM_H_
#define QLITE_FORMATS_QLITE_FILE_CHECKSUM_H_

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstddef>
#include <cstdint>

#include "formats/qlite/file_layout.h"

namespace qlite {

// XXH3-64 of everything behind the header, seeded with XXH3-64 of the header whose own field counts as 0: no byte of
// the file can change unnoticed.
inline uint64_t FileChecksum(FileHeader header, const void* body, size_t body_bytes) {
  header.checksum = 0;
  return XXH3_64bits_withSeed(body, body_bytes, XXH3_64bits(&header, sizeof(header)));
}

}  // namespace qlite

#endif  // QLITE_FORMATS_QLITE_FILE_CHECKSUM_H_
