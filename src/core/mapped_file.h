// Files read through the page cache, without a copy.
#ifndef QLITE_CORE_MAPPED_FILE_H_
#define QLITE_CORE_MAPPED_FILE_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "qlite/tensor.h"

namespace qlite {

// The whole file mapped read-only; the mapping lives as long as a copy of the buffer. The first byte is page-aligned. A
// file must not be cut short while it is mapped.
// Errors name the path: what the operating system says, kInvalidArgument for what is not a regular file,
// kResourceExhausted for a file of more than `max_bytes`.
absl::StatusOr<Buffer> MapFile(const std::string& path, uint64_t max_bytes);

// Lets the system take back the whole pages of a part of a mapped file, which are read from the file again when they
// are touched. Does nothing for other memory.
void ReleasePages(const Buffer& part);

}  // namespace qlite

#endif  // QLITE_CORE_MAPPED_FILE_H_
