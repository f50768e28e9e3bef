#include "kernels/isa.h"

#include <array>

namespace qlite::kernels {
namespace {

constexpr std::array<std::string_view, 4> kNames = {"generic", "avx2", "avx512", "avx512vnni"};

struct Detected {
  std::array<Isa, 4> isas{};
  size_t count = 0;
  void Add(Isa isa) { isas[count++] = isa; }
};

Detected Detect() {
  Detected found;
  found.Add(Isa::kGeneric);
#if defined(__x86_64__)
  // libgcc's check also asks the operating system whether it saves the wider registers.
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") || !__builtin_cpu_supports("f16c")) return found;
  found.Add(Isa::kAvx2);
  if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
      !__builtin_cpu_supports("avx512cd") || !__builtin_cpu_supports("avx512dq") ||
      !__builtin_cpu_supports("avx512vl")) {
    return found;
  }
  found.Add(Isa::kAvx512);
  if (__builtin_cpu_supports("avx512vnni")) found.Add(Isa::kAvx512Vnni);
#endif
  return found;
}

const Detected& Cached() {
  static const Detected detected = Detect();
  return detected;
}

}  // namespace

std::span<const Isa> SupportedIsas() { return {Cached().isas.data(), Cached().count}; }

Isa BestIsa() { return SupportedIsas().back(); }

std::string_view IsaName(Isa isa) { return kNames[static_cast<size_t>(isa)]; }

bool ParseIsa(std::string_view name, Isa* isa) {
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) {
      *isa = static_cast<Isa>(i);
      return true;
    }
  }
  return false;
}

}  // namespace qlite::kernels
