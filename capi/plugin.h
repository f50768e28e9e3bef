// What observers and preprocessing steps of the host have in common: a table of functions under a name, and states that
// those functions make, save, load and merge.
#ifndef QLITE_CAPI_PLUGIN_H_
#define QLITE_CAPI_PLUGIN_H_

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "capi/failure.h"
#include "capi/qlite.h"

namespace qlite::capi {

// A table of functions, qlite_observer_type or qlite_preprocessor_type, as long as anything of its kind lives.
template <class Host>
struct PluginType {
  Host host;
  std::string title;           // "observer X"
  std::shared_ptr<void> loan;  // ends with the type

  absl::Status Status(qlite_status status, const char* function) const {
    if (status == QLITE_OK) return absl::OkStatus();  // without a text that takes memory
    return CallbackStatus(status, std::string(function) + " of " + title);
  }
};

// A qlite_write_function whose `user` is a std::string.
inline qlite_status AppendBytes(void* user, const void* data, size_t size) {
  if (size == 0) return QLITE_OK;
  if (data == nullptr) return QLITE_INVALID_ARGUMENT;
  try {
    static_cast<std::string*>(user)->append(static_cast<const char*>(data), size);
    return QLITE_OK;
  } catch (...) {
    return QLITE_OUT_OF_MEMORY;
  }
}

// One state of such a type.
template <class Host>
class PluginState {
 public:
  explicit PluginState(std::shared_ptr<const PluginType<Host>> type) : type_(std::move(type)) {
    Check(Status(host().create(host().user, &state_), "create"));
  }
  ~PluginState() { host().destroy(state_); }
  PluginState(const PluginState&) = delete;
  PluginState& operator=(const PluginState&) = delete;

  const Host& host() const { return type_->host; }
  const std::string& title() const { return type_->title; }
  void* get() const { return state_; }
  absl::Status Status(qlite_status status, const char* function) const { return type_->Status(status, function); }

  absl::Status Merge(const PluginState& other) {
    // Contexts may have types of one name whose states have nothing in common.
    if (other.title() != title() || other.host().merge != host().merge)
      return absl::InvalidArgumentError(title() + " cannot be merged with " + other.title());
    return Status(host().merge(state_, other.state_), "merge");
  }

  std::string Save() const {
    std::string bytes;
    Check(Status(host().save(state_, AppendBytes, &bytes), "save"));
    return bytes;
  }

  absl::Status Load(std::string_view bytes) { return Status(host().load(state_, bytes.data(), bytes.size()), "load"); }

 private:
  std::shared_ptr<const PluginType<Host>> type_;
  void* state_ = nullptr;
};

}  // namespace qlite::capi

#endif  // QLITE_CAPI_PLUGIN_H_
