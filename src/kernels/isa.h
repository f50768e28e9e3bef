// Instruction sets that the kernels are compiled for, and which of them this processor can execute.
#ifndef QLITE_KERNELS_ISA_H_
#define QLITE_KERNELS_ISA_H_

#include <span>
#include <string_view>

namespace qlite::kernels {

// Lists of vector instruction sets, lowest first: X(context, enumerator, name) for each, `context` being whatever the
// caller passes. The name is that of the namespace, and of the list in CMakeLists.txt.
#define QLITE_FOR_EACH_X86_ISA(X, context) \
  X(context, kSse42, sse42) X(context, kAvx2, avx2) X(context, kAvx512, avx512) X(context, kAvx512Vnni, avx512vnni)
#define QLITE_FOR_EACH_ARM_ISA(X, context) X(context, kNeon, neon) X(context, kNeonDot, neondot)

// Those that the kernels are compiled for here, as told to the sources of this folder.
#if QLITE_FEW_KERNELS && defined(__x86_64__)
#define QLITE_FOR_EACH_COMPILED_ISA(X, context) X(context, kAvx2, avx2)
#elif QLITE_FEW_KERNELS && defined(__aarch64__)
#define QLITE_FOR_EACH_COMPILED_ISA(X, context) X(context, kNeon, neon)
#elif defined(__x86_64__)
#define QLITE_FOR_EACH_COMPILED_ISA(X, context) QLITE_FOR_EACH_X86_ISA(X, context)
#elif defined(__aarch64__)
#define QLITE_FOR_EACH_COMPILED_ISA(X, context) QLITE_FOR_EACH_ARM_ISA(X, context)
#else
#define QLITE_FOR_EACH_COMPILED_ISA(X, context)
#endif

// Ordered: a later one implies every earlier one on the same architecture.
enum class Isa : int {
  kGeneric,
#define QLITE_ISA_ENUMERATOR(context, enumerator, name) enumerator,
  QLITE_FOR_EACH_X86_ISA(QLITE_ISA_ENUMERATOR, ) QLITE_FOR_EACH_ARM_ISA(QLITE_ISA_ENUMERATOR, )
#undef QLITE_ISA_ENUMERATOR
};

// The instruction sets that were compiled in and that this processor executes, lowest first; kGeneric is always there.
// Thread-safe.
std::span<const Isa> SupportedIsas();

// The last of SupportedIsas().
Isa BestIsa();

// "generic", "sse42", "avx2", "avx512", "avx512vnni", "neon", "neondot".
std::string_view IsaName(Isa isa);

// Inverse of IsaName. False when the name is not one of them.
bool ParseIsa(std::string_view name, Isa* isa);

}  // namespace qlite::kernels

#endif  // QLITE_KERNELS_ISA_H_
