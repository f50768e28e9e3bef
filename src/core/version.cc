#include "qlite/version.h"

#define QLITE_TEXT_OF(x) #x
#define QLITE_TEXT(x) QLITE_TEXT_OF(x)

namespace qlite {

const char* LibraryVersion() {
  return QLITE_TEXT(QLITE_VERSION_MAJOR) "." QLITE_TEXT(QLITE_VERSION_MINOR) "." QLITE_TEXT(QLITE_VERSION_PATCH);
}

}  // namespace qlite
