// Files read through the page cache, without a copy.
#ifndef QLITE_CORE_MAPPED_FILE_H_
#define QLITE_CORE_MAPPED_FILE_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "qlite/tensor.h"

namespace qlite {

// The whole file mapped read-only; the mapping lives as long as a copy of the buffer. The first byte is page-aligned. A
// file must not be cut short while it is mapped.
// Errors name the path: what the operating system says, kInvalidArgument for what is not a regular file,
// kResourceExhausted for a file of more than `max_bytes`.
absl::StatusOr<Buffer> MapFile(const std::string& path, uint64_t max_bytes);

// Whether the bytes are of a mapped file. Then they take memory only while the system has it to spare.
bool IsMapped(const Buffer& part);

// Lets the system take back the whole pages of a part of a mapped file, which are read from the file again when they
// are touched. Does nothing for other memory.
void ReleasePages(const Buffer& part);
// The same for the elements of a tensor that are as the file has them.
void ReleasePages(const Tensor& tensor);

// Calls `use` with one piece of the buffer after the other. Of a large mapped file only a piece is in memory at a time.
void ForEachPiece(const Buffer& buffer, absl::FunctionRef<void(std::span<const std::byte>)> use);
// The same until `use` fails.
absl::Status TryEachPiece(const Buffer& buffer, absl::FunctionRef<absl::Status(std::span<const std::byte>)> use);

// Equal sizes and bytes, read as by ForEachPiece.
bool SameBytes(const Buffer& a, const Buffer& b);

}  // namespace qlite

#endif  // QLITE_CORE_MAPPED_FILE_H_
