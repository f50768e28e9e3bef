#include "kernels/last_cache.h"

#include <catch2/catch.hpp>
#include <cstring>
#include <string>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace qlite::kernels {
namespace {

TEST_CASE("the last cache is near on processors of AMD") {
  bool amd = false;
#if defined(__x86_64__)
  unsigned highest = 0, vendor[3] = {};
  REQUIRE(__get_cpuid(0, &highest, &vendor[0], &vendor[2], &vendor[1]) == 1);
  char name[sizeof(vendor)];
  std::memcpy(name, vendor, sizeof(vendor));
  amd = std::string(name, sizeof(name)) == "AuthenticAMD";
#endif
  CHECK(HasNearLastCache() == amd);
}

}  // namespace
}  // namespace qlite::kernels
