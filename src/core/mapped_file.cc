#include "core/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
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

bool IsMapped(const Buffer& part) { return std::get_deleter<Unmap>(part.owner) != nullptr; }

void ReleasePages(const Buffer& part) {
  if (!IsMapped(part)) return;
  // Only what lies in the part from end to end.
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto address = reinterpret_cast<uintptr_t>(part.data);
  const uintptr_t begin = (address + page - 1) / page * page, end = (address + part.size) / page * page;
  // The pages are private and were never written. That the system declines is no error.
  if (begin < end) (void)madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

void ReleasePages(const Tensor& tensor) {
  if (tensor.packed() == nullptr) ReleasePages(tensor.buffer());
}

absl::Status TryEachPiece(const Buffer& buffer, absl::FunctionRef<absl::Status(std::span<const std::byte>)> use) {
  constexpr size_t kPiece = size_t{16} << 20;
  for (size_t begin = 0; begin < buffer.size;) {
    const size_t size = std::min(kPiece, buffer.size - begin);
    if (absl::Status status = use({buffer.data + begin, size}); !status.ok()) return status;
    // The page that two pieces share stays behind at first; what came before the piece is released with it.
    begin += size;
    if (buffer.size > kPiece) ReleasePages({buffer.data, begin, buffer.owner});
  }
  return absl::OkStatus();
}

void ForEachPiece(const Buffer& buffer, absl::FunctionRef<void(std::span<const std::byte>)> use) {
  (void)TryEachPiece(buffer, [&](std::span<const std::byte> piece) {
    use(piece);
    return absl::OkStatus();
  });
}

bool SameBytes(const Buffer& a, const Buffer& b) {
  if (a.size != b.size) return false;
  if (a.data == b.data) return true;
  bool same = true;
  size_t at = 0;
  ForEachPiece(a, [&](std::span<const std::byte> piece) {
    same = same && std::memcmp(piece.data(), b.data + at, piece.size()) == 0;
    at += piece.size();
    if (piece.size() < a.size) ReleasePages({b.data, at, b.owner});
  });
  return same;
}

}  // namespace qlite
