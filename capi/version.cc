#include "qlite/version.h"

#include "capi/bodies.h"

static_assert(QLITE_ABI_VERSION == QLITE_VERSION_MAJOR,
              "the shared library's name carries the number of its interface");

using namespace qlite::capi;

uint32_t qlite_version(void) {
  return QLITE_VERSION_MAJOR * 1000000 + QLITE_VERSION_MINOR * 1000 + QLITE_VERSION_PATCH;
}

const char* qlite_version_string(void) { return qlite::LibraryVersion(); }

uint32_t qlite_abi_version(void) { return QLITE_ABI_VERSION; }

qlite_status qlite_bytes_get(const qlite_bytes* bytes, const void** data, size_t* size) {
  return Call<Bytes>(bytes, [&](Bytes& body) {
    *Needed(data, "data") = body.text.data();
    if (size != nullptr) *size = body.text.size();
  });
}

qlite_status qlite_bytes_release(qlite_bytes* bytes) { return Release<Bytes>(bytes); }
