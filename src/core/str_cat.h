// absl::StrCat and absl::StrAppend for arguments that may be std::string_view: where Abseil is built with a string_view
// of its own (as Debian does), its functions do not take the standard one.
#ifndef QLITE_CORE_STR_CAT_H_
#define QLITE_CORE_STR_CAT_H_

#include <string>
#include <string_view>
#include <type_traits>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace qlite {
namespace internal {

template <class T>
decltype(auto) AsPiece(const T& part) {
  if constexpr (std::is_same_v<T, std::string_view>) {
    return absl::string_view(part.data(), part.size());
  } else {
    return (part);
  }
}

}  // namespace internal

template <class... Parts>
std::string StrCat(const Parts&... parts) {
  return absl::StrCat(internal::AsPiece(parts)...);
}

template <class... Parts>
void StrAppend(std::string* text, const Parts&... parts) {
  absl::StrAppend(text, internal::AsPiece(parts)...);
}

// The status's message as a standard string_view; lives as long as the status.
inline std::string_view Message(const absl::Status& status) {
  return {status.message().data(), status.message().size()};
}

}  // namespace qlite

#endif  // QLITE_CORE_STR_CAT_H_
