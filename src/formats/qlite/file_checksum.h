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
class FileChecksum {
 public:
  explicit FileChecksum(FileHeader header) {
    header.checksum = 0;
    XXH3_64bits_reset_withSeed(&state_, XXH3_64bits(&header, sizeof(header)));
  }

  // The bytes behind the header, piece by piece.
  void Add(const void* bytes, size_t size) { XXH3_64bits_update(&state_, bytes, size); }
  uint64_t Value() const { return XXH3_64bits_digest(&state_); }

 private:
  XXH3_state_t state_ = {};
};

}  // namespace qlite

#endif  // QLITE_FORMATS_QLITE_FILE_CHECKSUM_H_
