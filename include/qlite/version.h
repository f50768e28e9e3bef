// The library's version: semantic, see CHANGELOG.md.
#ifndef QLITE_VERSION_H_
#define QLITE_VERSION_H_

#define QLITE_VERSION_MAJOR 0
#define QLITE_VERSION_MINOR 1
#define QLITE_VERSION_PATCH 0

namespace qlite {

// The version of the library that is linked or loaded, "0.1.0".
const char* LibraryVersion();

}  // namespace qlite

#endif  // QLITE_VERSION_H_
