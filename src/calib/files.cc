#include "calib/files.h"

#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include "core/error_site.h"
#include "core/file_error.h"
#include "core/str_cat.h"

namespace qlite::calib {
namespace {

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using OpenedFile = std::unique_ptr<std::FILE, CloseFile>;

struct CloseFolder {
  void operator()(DIR* folder) const { closedir(folder); }
};
using OpenedFolder = std::unique_ptr<DIR, CloseFolder>;

absl::StatusOr<OpenedFile> Open(const std::string& path) {
  OpenedFile file(std::fopen(path.c_str(), "rb"));
  if (file == nullptr) return AtFile(SystemError(errno, StrCat(path, ": cannot be opened")), path);
  return file;
}

}  // namespace

absl::StatusOr<std::vector<std::string>> ListFiles(const std::string& folder) {
  // Not std::filesystem: its iterator's increment is noexcept and takes memory, which ends the process where there is
  // none.
  const OpenedFolder opened(opendir(folder.c_str()));
  if (opened == nullptr) return AtFile(SystemError(errno, StrCat(folder, ": cannot be read as a folder")), folder);
  const std::string prefix = folder.back() == '/' ? folder : folder + "/";
  std::vector<std::string> files;
  errno = 0;
  while (const dirent* entry = readdir(opened.get())) {
    std::string path = prefix + entry->d_name;
    struct stat status;
    if (stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode)) files.push_back(std::move(path));
    errno = 0;
  }
  if (errno != 0) return AtFile(SystemError(errno, StrCat(folder, ": cannot be listed")), folder);
  if (files.empty()) return AtFile(absl::InvalidArgumentError(StrCat(folder, ": the folder holds no files")), folder);
  // All paths begin with the folder, so that the order of paths is that of names.
  std::sort(files.begin(), files.end());
  return files;
}

absl::StatusOr<std::vector<std::string>> TakeFirst(std::vector<std::string> files, int64_t count,
                                                   const std::string& folder) {
  if (count < 0) return absl::InvalidArgumentError(StrCat("the number of samples is negative: ", count));
  const int64_t found = static_cast<int64_t>(files.size());
  if (count > found) {
    return AtFile(absl::InvalidArgumentError(
                      StrCat(folder, ": ", count, " samples were asked for, but the folder holds ", found, " files")),
                  folder);
  }
  if (count > 0) files.resize(static_cast<size_t>(count));
  return files;
}

absl::StatusOr<uint64_t> FileSize(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) {
    return AtFile(absl::NotFoundError(StrCat(path, ": ", error ? error.message() : "not a regular file")), path);
  }
  const uint64_t size = std::filesystem::file_size(path, error);
  if (error) return AtFile(absl::UnavailableError(StrCat(path, ": ", error.message())), path);
  return size;
}

absl::StatusOr<std::string> ReadWholeFile(const std::string& path, uint64_t max_bytes) {
  absl::StatusOr<uint64_t> size = FileSize(path);
  if (!size.ok()) return size.status();
  if (*size > max_bytes) {
    return AtFile(absl::ResourceExhaustedError(StrCat(path, ": ", *size, " bytes, more than the limit of ", max_bytes)),
                  path);
  }
  std::string bytes(static_cast<size_t>(*size), '\0');
  if (absl::Status status = ReadExactly(path, bytes); !status.ok()) return status;
  return bytes;
}

absl::Status ReadExactly(const std::string& path, std::span<char> out) {
  absl::StatusOr<uint64_t> size = FileSize(path);
  if (!size.ok()) return size.status();
  if (*size != out.size()) {
    return AtFile(
        absl::InvalidArgumentError(StrCat(path, ": the file has ", *size, " bytes, but ", out.size(), " are needed")),
        path);
  }
  absl::StatusOr<OpenedFile> file = Open(path);
  if (!file.ok()) return file.status();
  // Read in one piece: the buffer of the C library would only be one more copy.
  std::setvbuf(file->get(), nullptr, _IONBF, 0);
  const size_t got = std::fread(out.data(), 1, out.size(), file->get());
  if (got != out.size()) {
    return AtFile(absl::DataLossError(StrCat(path, ": only ", got, " of ", out.size(), " bytes could be read")), path);
  }
  return absl::OkStatus();
}

std::string BaseName(const std::string& path) { return path.substr(path.find_last_of('/') + 1); }

}  // namespace qlite::calib
