// The table of live handles: how an opaque pointer that a host passes becomes an object again.
//
// A handle is a number that is never given out twice, dressed as a pointer. So a handle that was released, one of
// another kind, and any other pointer are recognised with certainty, and no memory of the host's is looked at to do so.
#ifndef QLITE_CAPI_HANDLE_TABLE_H_
#define QLITE_CAPI_HANDLE_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>

namespace qlite::capi {

enum class Kind : uint8_t {
  kBytes,
  kError,
  kThreadPool,
  kContext,
  kGraph,
  kGraphBuilder,
  kDataSet,
  kLabels,
  kCalibrator,
  kCalibrationTable,
  kQuantizer,
  kQuantizationResult,
  kSession,
  kObserver,
  kReport,
  kSensitivity,
};

// Thread-safe. An object lives as long as its handle or a call that has found it.
class HandleTable {
 public:
  // The only one.
  static HandleTable& Get();

  void* Insert(Kind kind, std::shared_ptr<void> object);
  // Null where `handle` is not a live handle of that kind.
  std::shared_ptr<void> Find(const void* handle, Kind kind) const;
  // False where `handle` is not a live handle of that kind. The object is destroyed outside of the table's lock.
  bool Remove(const void* handle, Kind kind);
  size_t size() const;
  // Whether there ever was a handle.
  bool used() const;

 private:
  struct Entry {
    Kind kind;
    std::shared_ptr<void> object;
  };

  mutable std::mutex mutex_;
  std::unordered_map<uintptr_t, Entry> entries_;
  // Odd numbers are nobody's addresses; steps of 2 leave 2^63 of them.
  static constexpr uintptr_t kFirst = 1;
  uintptr_t next_ = kFirst;
};

}  // namespace qlite::capi

#endif  // QLITE_CAPI_HANDLE_TABLE_H_
