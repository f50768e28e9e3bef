// Listing and reading of sample files.
#ifndef QLITE_CALIB_FILES_H_
#define QLITE_CALIB_FILES_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace qlite::calib {

// The paths of the regular files (links to them included) directly in `folder`, sorted bytewise by name. A folder that
// is missing, unreadable or without files is an error that names it.
absl::StatusOr<std::vector<std::string>> ListFiles(const std::string& folder);

// The first `count` of `files` found in `folder`, all for 0; kInvalidArgument says how many there are where they do not
// suffice or `count` is negative.
absl::StatusOr<std::vector<std::string>> TakeFirst(std::vector<std::string> files, int64_t count,
                                                   const std::string& folder);

// Size in bytes of a regular file.
absl::StatusOr<uint64_t> FileSize(const std::string& path);

// The whole file; kResourceExhausted beyond `max_bytes`, checked before memory is taken.
absl::StatusOr<std::string> ReadWholeFile(const std::string& path, uint64_t max_bytes);

// Fills `out` from a file of exactly that size; kInvalidArgument names both sizes otherwise.
absl::Status ReadExactly(const std::string& path, std::span<char> out);

// The part of a path behind its last '/'.
std::string BaseName(const std::string& path);

}  // namespace qlite::calib

#endif  // QLITE_CALIB_FILES_H_
