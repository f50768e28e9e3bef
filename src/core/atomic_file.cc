#include "core/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <filesystem>

#include "core/file_error.h"

namespace qlite {
namespace {

// A file that is removed unless it is renamed.
class TemporaryFile : public ByteSink {
 public:
  TemporaryFile() = default;
  ~TemporaryFile() override {
    if (fd_ >= 0) close(fd_);
    if (!path_.empty()) unlink(path_.c_str());
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  const std::string& path() const { return path_; }

  // The name does not derive from the final one, which may be as long as names can be.
  absl::Status Create(const std::string& folder) {
    static std::atomic<uint64_t> counter{0};
    std::string candidate;
    do {
      candidate = StrCat(folder, "/.qlite-", getpid(), "-", counter.fetch_add(1), ".tmp");
      fd_ = open(candidate.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    } while (fd_ < 0 && (errno == EEXIST || errno == EINTR));
    if (fd_ < 0) return FileError(errno, "create a file in", folder);
    path_ = candidate;
    return absl::OkStatus();
  }

  absl::Status Append(std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t written = write(fd_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return FileError(errno, "write", path_);
      bytes.remove_prefix(static_cast<size_t>(written));
    }
    return absl::OkStatus();
  }

  absl::Status Overwrite(uint64_t offset, std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t written = pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return FileError(errno, "write", path_);
      offset += static_cast<uint64_t>(written);
      bytes.remove_prefix(static_cast<size_t>(written));
    }
    return absl::OkStatus();
  }

  absl::Status Close() {
    if (fsync(fd_) != 0) return FileError(errno, "flush", path_);
    // Some file systems report a failed write only here.
    const int closed = close(fd_);
    fd_ = -1;
    return closed == 0 ? absl::OkStatus() : FileError(errno, "close", path_);
  }

  absl::Status RenameTo(const std::string& path) {
    if (rename(path_.c_str(), path.c_str()) != 0) return FileError(errno, "create", path);
    path_.clear();
    return absl::OkStatus();
  }

 private:
  int fd_ = -1;
  std::string path_;
};

// Keeps the new name over a power failure, where the file system can.
void FlushFolder(const std::string& folder) {
  const int fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  fsync(fd);
  close(fd);
}

absl::Status CheckTarget(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode)) {
    return absl::InvalidArgumentError(StrCat("'", path, "' exists and is not a regular file"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status WriteFileAtomically(const std::string& path, FileFill fill, const FileCheck& check) {
  if (path.empty()) return absl::InvalidArgumentError("the path of the file to write is empty");
  if (absl::Status status = CheckTarget(path); !status.ok()) return status;
  const std::string parent = std::filesystem::path(path).parent_path().string();
  const std::string folder = parent.empty() ? "." : parent;
  TemporaryFile file;
  if (absl::Status status = file.Create(folder); !status.ok()) return status;
  if (absl::Status status = fill(file); !status.ok()) return status;
  if (absl::Status status = file.Close(); !status.ok()) return status;
  if (check) {
    if (absl::Status status = check(file.path()); !status.ok()) return status;
  }
  if (absl::Status status = file.RenameTo(path); !status.ok()) return status;
  FlushFolder(folder);
  return absl::OkStatus();
}

absl::Status WriteFileAtomically(const std::string& path, std::string_view bytes, const FileCheck& check) {
  return WriteFileAtomically(
      path, [&](ByteSink& file) { return file.Append(bytes); }, check);
}

}  // namespace qlite
