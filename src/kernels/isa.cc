#include "kernels/isa.h"

#include <algorithm>
#include <array>

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif
#if defined(__x86_64__) && defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace qlite::kernels {
namespace {

#define QLITE_ISA_NAME(context, enumerator, name) , #name
constexpr auto kNames = std::to_array<std::string_view>({"generic" QLITE_FOR_EACH_ISA(QLITE_ISA_NAME, )});
#undef QLITE_ISA_NAME

bool IsCompiled(Isa isa) {
#define QLITE_ISA_CASE(context, enumerator, name) case Isa::enumerator:
  switch (isa) {
    case Isa::kGeneric:
      QLITE_FOR_EACH_COMPILED_ISA(QLITE_ISA_CASE, )
      QLITE_FOR_EACH_COMPILED_DOT_ISA(QLITE_ISA_CASE, )
      QLITE_FOR_EACH_COMPILED_MATRIX_ISA(QLITE_ISA_CASE, )
      return true;
    default:
      return false;
  }
#undef QLITE_ISA_CASE
}

struct Detected {
  std::array<Isa, kNames.size()> isas{};
  size_t count = 0;
  void Add(Isa isa) {
    if (IsCompiled(isa)) isas[count++] = isa;
  }
};

#if defined(__x86_64__)

// Not every compiler's __builtin_cpu_supports knows it.
bool HasHalfFloats() {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return __get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0 && (ecx & bit_F16C) != 0;
}

// The dot product of AVX2's registers; nor do they know this one.
bool HasAvxVnni() {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) != 0 && (eax >> 4 & 1u) != 0;
}

bool HasAvx512() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}

void AddVectorIsas(Detected& found) {
  // libgcc's check also asks the operating system whether it saves the wider registers.
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("sse4.2") || !__builtin_cpu_supports("popcnt")) return;
  found.Add(Isa::kSse42);
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") || !HasHalfFloats()) return;
  found.Add(Isa::kAvx2);
  const bool has_avx512 = HasAvx512();
  if (has_avx512) found.Add(Isa::kAvx512);
  if (HasAvxVnni()) found.Add(Isa::kAvxVnni);
  if (has_avx512 && __builtin_cpu_supports("avx512vnni")) found.Add(Isa::kAvx512Vnni);
}

#elif defined(__aarch64__)

void AddVectorIsas(Detected& found) {
  found.Add(Isa::kNeon);                            // part of the architecture's baseline
#if defined(__linux__)
  constexpr unsigned long kDotProduct = 1ul << 20;  // HWCAP_ASIMDDP, which older system headers lack
  if ((getauxval(AT_HWCAP) & kDotProduct) != 0) found.Add(Isa::kNeonDot);
#elif defined(__ARM_FEATURE_DOTPROD)
  found.Add(Isa::kNeonDot);
#endif
}

#else

void AddVectorIsas(Detected&) {}

#endif

#if defined(__x86_64__) && defined(__linux__)

bool ProcessorHasAmxInt8() {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  constexpr unsigned kOsSavesState = 1u << 27;  // OSXSAVE of leaf 1: xgetbv may be executed
  if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || (ecx & kOsSavesState) == 0) return false;
  constexpr unsigned kTile = 1u << 24, kInt8 = 1u << 25;
  if (!__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) || (edx & kTile) == 0 || (edx & kInt8) == 0) return false;
  unsigned low = 0, high = 0;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  constexpr unsigned kTileState = 3u << 17;  // configuration and data
  return (low & kTileState) == kTileState;
}

// Linux 5.16 and later; older kernels do not save the state, and know nothing of the request.
bool KernelPermitsTiles() {
  constexpr int kRequestPermission = 0x1023;  // ARCH_REQ_XCOMP_PERM, which older system headers lack
  constexpr unsigned long kTileData = 18;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

bool MayUseAmxInt8() { return ProcessorHasAmxInt8() && KernelPermitsTiles(); }

#else

bool MayUseAmxInt8() { return false; }

#endif

Detected DetectVectorIsas() {
  Detected found;
  found.Add(Isa::kGeneric);
  AddVectorIsas(found);
  return found;
}

Detected DetectAll(Detected found) {
  const auto isas = std::span(found.isas).first(found.count);
  const bool based = std::find(isas.begin(), isas.end(), WithoutMatrixUnit(Isa::kAmxInt8)) != isas.end();
  if (based && IsCompiled(Isa::kAmxInt8) && MayUseAmxInt8()) found.Add(Isa::kAmxInt8);
  return found;
}

std::span<const Isa> VectorIsas() {
  static const Detected detected = DetectVectorIsas();
  return {detected.isas.data(), detected.count};
}

}  // namespace

std::span<const Isa> SupportedIsas() {
  static const Detected detected = DetectAll(DetectVectorIsas());
  return {detected.isas.data(), detected.count};
}

Isa BestIsa() { return SupportedIsas().back(); }

Isa BestVectorIsa() { return VectorIsas().back(); }

bool IsSupported(Isa isa) {
  const std::span<const Isa> isas = isa == WithoutMatrixUnit(isa) ? VectorIsas() : SupportedIsas();
  return std::find(isas.begin(), isas.end(), isa) != isas.end();
}

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
