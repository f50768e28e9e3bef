#include "benchmark/json_file.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

namespace qlite::cli {
namespace {

// Sends what is printed from now on to standard error. Returns what was standard output, or null.
std::FILE* DivertText() {
  std::fflush(stdout);
  const int kept = dup(STDOUT_FILENO);
  if (kept < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0) return nullptr;
  return fdopen(kept, "w");
}

bool IsOtherThanFile(const std::string& path) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(path, error);
  return std::filesystem::exists(status) && !std::filesystem::is_regular_file(status);
}

}  // namespace

JsonFile::~JsonFile() {
  if (stream_ != nullptr) std::fclose(stream_);
  if (!part_.empty()) std::remove(part_.c_str());
}

absl::Status JsonFile::Open(const std::string& path) {
  path_ = path;
  if (path == "-") {
    stream_ = DivertText();
  } else if (IsOtherThanFile(path)) {
    stream_ = std::fopen(path.c_str(), "w");
  } else {
    const std::string part = path + ".part";
    stream_ = std::fopen(part.c_str(), "w");
    if (stream_ != nullptr) part_ = part;
  }
  return stream_ == nullptr ? Failed() : absl::OkStatus();
}

absl::Status JsonFile::Write(const std::string& text) {
  const bool written = std::fputs(text.c_str(), stream_) >= 0 && std::fputc('\n', stream_) >= 0;
  if (std::fclose(std::exchange(stream_, nullptr)) != 0 || !written) return Failed();
  if (part_.empty()) return absl::OkStatus();
  if (std::rename(part_.c_str(), path_.c_str()) != 0) return Failed();
  part_.clear();
  return absl::OkStatus();
}

absl::Status JsonFile::Failed() const {
  return absl::UnavailableError((path_ == "-" ? "the standard output" : path_) +
                                ": cannot be written: " + std::strerror(errno));
}

}  // namespace qlite::cli
