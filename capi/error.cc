#include "capi/error.h"

#include <initializer_list>

#include "capi/call.h"

namespace qlite::capi {
namespace {

// The name that follows one of `words` in quotes; the first one in the message.
std::string QuotedAfter(std::string_view message, std::initializer_list<std::string_view> words) {
  size_t first = std::string_view::npos, begin = 0;
  for (const std::string_view word : words) {
    const std::string lead = std::string(word) + " '";
    const size_t at = message.find(lead);
    if (at < first) first = at, begin = at + lead.size();
  }
  if (first == std::string_view::npos) return {};
  const size_t end = message.find('\'', begin);
  return end == std::string_view::npos ? std::string() : std::string(message.substr(begin, end - begin));
}

// The path and what follows it up to a quote, colon, comma, bracket or the end of the line.
std::string PathIn(std::string_view message, std::string_view path) {
  if (path.empty()) return {};
  const size_t at = message.find(path);
  if (at == std::string_view::npos) return {};
  const size_t end = message.find_first_of("':,)\n", at + path.size());
  return std::string(message.substr(at, end == std::string_view::npos ? end : end - at));
}

}  // namespace

Error Describe(const absl::Status& status, std::string_view path) {
  Error error;
  error.code = static_cast<qlite_status>(status.code());
  error.message = std::string(status.message());
  error.file = PathIn(error.message, path);
  error.node = QuotedAfter(error.message, {"node", "no node is called", "no node is named"});
  error.value = QuotedAfter(error.message,
                            {"value", "input", "output", "constant", "tensor", "initializer", "no value is named"});
  return error;
}

}  // namespace qlite::capi

using namespace qlite::capi;

const char* qlite_status_name(qlite_status status) {
  static constexpr const char* kNames[] = {"QLITE_OK",
                                           "QLITE_CANCELLED",
                                           "QLITE_UNKNOWN",
                                           "QLITE_INVALID_ARGUMENT",
                                           "QLITE_DEADLINE_EXCEEDED",
                                           "QLITE_NOT_FOUND",
                                           "QLITE_ALREADY_EXISTS",
                                           "QLITE_PERMISSION_DENIED",
                                           "QLITE_RESOURCE_EXHAUSTED",
                                           "QLITE_FAILED_PRECONDITION",
                                           "QLITE_ABORTED",
                                           "QLITE_OUT_OF_RANGE",
                                           "QLITE_UNIMPLEMENTED",
                                           "QLITE_INTERNAL",
                                           "QLITE_UNAVAILABLE",
                                           "QLITE_DATA_LOSS",
                                           "QLITE_UNAUTHENTICATED",
                                           "QLITE_OUT_OF_MEMORY"};
  return status >= 0 && status <= QLITE_OUT_OF_MEMORY ? kNames[status] : "unknown status";
}

qlite_status qlite_error_get(const qlite_error* error, qlite_error_info* info) {
  return Call<Error>(error, [&](Error& e) {
    WriteStruct(info, {.message = e.message.c_str(),
                       .file = e.file.c_str(),
                       .node = e.node.c_str(),
                       .value = e.value.c_str(),
                       .code = e.code});
  });
}

qlite_status qlite_error_release(qlite_error* error) { return Release<Error>(error); }
