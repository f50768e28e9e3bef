// Aborts on a broken precondition of a function: a programming error, never a property of an input file.
#ifndef QLITE_CORE_CHECK_H_
#define QLITE_CORE_CHECK_H_

#include <cstdio>
#include <cstdlib>

namespace qlite {

[[noreturn]] inline void CheckFailed(const char* file, int line, const char* what) {
  std::fprintf(stderr, "%s:%d: broken precondition: %s\n", file, line, what);
  std::abort();
}

}  // namespace qlite

#define QLITE_CHECK(condition, what)                                  \
  do {                                                                \
    if (!(condition)) ::qlite::CheckFailed(__FILE__, __LINE__, what); \
  } while (false)

#endif  // QLITE_CORE_CHECK_H_
