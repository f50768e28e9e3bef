#include "kernels/conv_f16.h"

#include "kernels/dispatch.h"

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif

namespace qlite::kernels {

#if QLITE_FLOAT16_KERNELS && defined(__x86_64__)

namespace avx512fp16 {
extern const ConvF16Kernels kConvF16Kernels;
}

namespace {
const ConvF16Kernels* Arithmetic(Isa isa) {
  // Not every compiler's __builtin_cpu_supports knows it. That the registers are saved was asked for the instruction
  // set.
  static const bool supported = [] {
    unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
    return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) != 0 && (edx >> 23 & 1u) != 0;
  }();
  return WithoutDotProduct(isa) == Isa::kAvx512 && supported ? &avx512fp16::kConvF16Kernels : nullptr;
}
}  // namespace

#elif QLITE_FLOAT16_KERNELS && defined(__aarch64__) && defined(__linux__)

namespace neonfp16 {
extern const ConvF16Kernels kConvF16Kernels;
}

namespace {
const ConvF16Kernels* Arithmetic(Isa isa) {
  constexpr unsigned long kHalfPrecision = 1ul << 10;  // HWCAP_ASIMDHP, which older system headers lack
  static const bool supported = (getauxval(AT_HWCAP) & kHalfPrecision) != 0;
  return isa >= Isa::kNeon && supported ? &neonfp16::kConvF16Kernels : nullptr;
}
}  // namespace

#else

namespace {
const ConvF16Kernels* Arithmetic(Isa) { return nullptr; }
}  // namespace

#endif

// Those that compute in float32.
QLITE_DECLARE_KERNELS(ConvF16, kGeneric, generic)
QLITE_FOR_EACH_COMPILED_ISA(QLITE_DECLARE_KERNELS, ConvF16)

const ConvF16Kernels& ConvF16(Isa isa) {
  if (const ConvF16Kernels* arithmetic = Arithmetic(isa)) return *arithmetic;
  switch (WithoutDotProduct(isa)) {
    QLITE_FOR_EACH_COMPILED_ISA(QLITE_KERNELS_CASE, ConvF16)
    default:
      return generic::kConvF16Kernels;
  }
}

}  // namespace qlite::kernels
