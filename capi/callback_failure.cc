// Failures that callbacks of the host return.
#include <mutex>
#include <new>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>

#include "capi/call.h"
#include "capi/failure.h"

namespace qlite::capi {
namespace {

struct Description {
  std::string message, file, node, value;
};

// What callbacks have said of failures that they have yet to return, by thread.
class Descriptions {
 public:
  static Descriptions& Get() {
    static Descriptions descriptions;
    return descriptions;
  }

  void Set(Description description) {
    const std::lock_guard lock(mutex_);
    by_thread_[std::this_thread::get_id()] = std::move(description);
  }

  std::optional<Description> Take() {
    const std::lock_guard lock(mutex_);
    const auto found = by_thread_.extract(std::this_thread::get_id());
    if (found.empty()) return std::nullopt;
    return std::move(found.mapped());
  }

 private:
  std::mutex mutex_;
  std::unordered_map<std::thread::id, Description> by_thread_;
};

absl::Status AtPlaces(absl::Status status, const Description& description) {
  if (!description.file.empty()) status = AtFile(std::move(status), description.file);
  if (!description.node.empty()) status = AtNode(std::move(status), description.node);
  if (!description.value.empty()) status = AtValue(std::move(status), description.value);
  return status;
}

}  // namespace

absl::Status CallbackStatus(qlite_status status, const std::string& what) {
  if (status == QLITE_OK) return absl::OkStatus();
  const std::optional<Description> description = Descriptions::Get().Take();
  if (status == QLITE_OUT_OF_MEMORY) throw std::bad_alloc();
  const bool known = status >= QLITE_CANCELLED && status <= QLITE_UNAUTHENTICATED;
  const auto code = known ? static_cast<absl::StatusCode>(status) : absl::StatusCode::kUnknown;
  const std::string message =
      "the host's " + what + " returned " + (known ? qlite_status_name(status) : "status " + std::to_string(status));
  if (!description) return absl::Status(code, message);
  return AtPlaces(absl::Status(code, message + ": " + description->message), *description);
}

}  // namespace qlite::capi

using namespace qlite::capi;

qlite_status qlite_describe_failure(const char* message, const char* file, const char* node, const char* value) {
  return Guard(nullptr, [&] {
    Descriptions::Get().Set({Needed(message, "message"), Text(file), Text(node), Text(value)});
  });
}
