// Where plug-ins write their saved state to.
#ifndef QLITE_CAPI_PLUGIN_BYTES_H_
#define QLITE_CAPI_PLUGIN_BYTES_H_

#include <string>

#include "capi/failure.h"
#include "capi/qlite.h"

namespace qlite::capi {

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

}  // namespace qlite::capi

#endif  // QLITE_CAPI_PLUGIN_BYTES_H_
