#include "core/error_site.h"

#include <optional>
#include <string>
#include <utility>

#include "absl/strings/cord.h"
#include "core/str_cat.h"

namespace qlite {
namespace {

constexpr const char* kFile = "qlite/file";
constexpr const char* kNode = "qlite/node";
constexpr const char* kValue = "qlite/value";

absl::Status At(absl::Status status, const char* kind, std::string_view name) {
  if (!status.ok() && !name.empty() && !status.GetPayload(kind)) {
    status.SetPayload(kind, absl::Cord(absl::string_view(name.data(), name.size())));
  }
  return status;
}

std::string Place(const absl::Status& status, const char* kind) {
  const auto place = status.GetPayload(kind);
  return place ? std::string(*place) : std::string();
}

}  // namespace

absl::Status AtFile(absl::Status status, std::string_view path) { return At(std::move(status), kFile, path); }
absl::Status AtNode(absl::Status status, std::string_view name) { return At(std::move(status), kNode, name); }
absl::Status AtValue(absl::Status status, std::string_view name) { return At(std::move(status), kValue, name); }

absl::Status AtFileInstead(absl::Status status, std::string_view path) {
  status.ErasePayload(kFile);
  return AtFile(std::move(status), path);
}

absl::Status Prefixed(const absl::Status& status, std::string_view prefix) {
  absl::Status prefixed(status.code(), StrCat(prefix, ": ", Message(status)));
  status.ForEachPayload([&](absl::string_view kind, const absl::Cord& payload) { prefixed.SetPayload(kind, payload); });
  return prefixed;
}

ErrorDetails DetailsOf(const absl::Status& status) {
  return {.file = Place(status, kFile), .node = Place(status, kNode), .value = Place(status, kValue)};
}

}  // namespace qlite
