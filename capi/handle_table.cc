#include "capi/handle_table.h"

#include <mutex>
#include <utility>

namespace qlite::capi {

static_assert(sizeof(uintptr_t) >= 8, "handles are never used again, which takes more numbers than 32 bits have");

HandleTable& HandleTable::Get() {
  // Freed when the library is unloaded. Objects that the host has not released then are left alone: their callbacks may
  // lead into a host that is already gone.
  struct Owner {
    HandleTable* const table = new HandleTable;
    ~Owner() {
      if (table->size() == 0) delete table;
    }
  };
  static const Owner owner;
  return *owner.table;
}

void* HandleTable::Insert(Kind kind, std::shared_ptr<void> object) {
  const std::lock_guard lock(mutex_);
  const uintptr_t handle = next_;
  entries_.emplace(handle, Entry{kind, std::move(object)});
  next_ += 2;
  return reinterpret_cast<void*>(handle);
}

std::shared_ptr<void> HandleTable::Find(const void* handle, Kind kind) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(reinterpret_cast<uintptr_t>(handle));
  return found != entries_.end() && found->second.kind == kind ? found->second.object : nullptr;
}

bool HandleTable::Remove(const void* handle, Kind kind) {
  std::shared_ptr<void> object;
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(reinterpret_cast<uintptr_t>(handle));
  if (found == entries_.end() || found->second.kind != kind) return false;
  object = std::move(found->second.object);
  entries_.erase(found);
  return true;
}

bool HandleTable::used() const {
  const std::lock_guard lock(mutex_);
  return next_ != kFirst;
}

size_t HandleTable::size() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

}  // namespace qlite::capi
