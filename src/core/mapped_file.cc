#include "core/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "core/file_error.h"

namespace qlite {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

// Marks the owners of mappings.
struct Unmap {
  size_t size;
  void operator()(const void* mapped) const { munmap(const_cast<void*>(mapped), size); }
};

}  // namespace

absl::StatusOr<Buffer> MapFile(const std::string& path, uint64_t max_bytes) {
  // Without O_NONBLOCK, opening a pipe would wait for a writer.
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) return FileError(errno, "open", path);
  struct stat info {};
  if (fstat(file.get(), &info) != 0) return FileError(errno, "examine", path);
  if (!S_ISREG(info.st_mode)) return absl::InvalidArgumentError(StrCat("'", path, "' is not a regular file"));
  const auto size = static_cast<uint64_t>(info.st_size);
  if (size > max_bytes) {
    return absl::ResourceExhaustedError(
        StrCat("'", path, "' has ", size, " bytes, more than the limit of ", max_bytes));
  }
  if (size == 0) return Buffer();
  void* const data = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (data == MAP_FAILED) return FileError(errno, "map", path);
  return Buffer{static_cast<const std::byte*>(data), size, std::shared_ptr<const void>(data, Unmap{size})};
}

void ReleasePages(const Buffer& part) {
  if (std::get_deleter<Unmap>(part.owner) == nullptr) return;
  // Only what lies in the part from end to end.
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto address = reinterpret_cast<uintptr_t>(part.data);
  const uintptr_t begin = (address + page - 1) / page * page, end = (address + part.size) / page * page;
  // The pages are private and were never written. That the system declines is no error.
  if (begin < end) (void)madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

}  // namespace qlite
