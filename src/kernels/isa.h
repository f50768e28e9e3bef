// Instruction sets that the kernels are compiled for, and which of them this processor can execute.
#ifndef QLITE_KERNELS_ISA_H_
#define QLITE_KERNELS_ISA_H_

#include <span>
#include <string_view>

namespace qlite::kernels {

// Lists of vector instruction sets, lowest first: X(context, enumerator, name) for each, `context` being whatever the
// caller passes. The name is that of the namespace, and of the list in CMakeLists.txt. Matrix units come on top of the
// last vector instruction set; only matrix products are compiled for them.
#define QLITE_FOR_EACH_X86_ISA(X, context) \
  X(context, kSse42, sse42) X(context, kAvx2, avx2) X(context, kAvx512, avx512) X(context, kAvx512Vnni, avx512vnni)
#define QLITE_FOR_EACH_X86_MATRIX_ISA(X, context) X(context, kAmxInt8, amxint8)
#define QLITE_FOR_EACH_ARM_ISA(X, context) X(context, kNeon, neon) X(context, kNeonDot, neondot)

// Those that the kernels are compiled for here, as told to the sources of this folder.
#if QLITE_FEW_KERNELS && defined(__x86_64__)
#define QLITE_FOR_EACH_COMPILED_ISA(X, context) X(context, kAvx2, avx2)
#define QLITE_FOR_EACH_COMPILED_MATRIX_ISA(X, context)
#elif QLITE_FEW_KERNELS && defined(__aarch64__)
#define QLITE_FOR_EACH_COMPILED_ISA(X, context) X(context, kNeon, neon)
#define QLITE_FOR_EACH_COMPILED_MATRIX_ISA(X, context)
#elif defined(__x86_64__)
#define QLITE_FOR_EACH_COMPILED_ISA(X, context) QLITE_FOR_EACH_X86_ISA(X, context)
#define QLITE_FOR_EACH_COMPILED_MATRIX_ISA(X, context) QLITE_FOR_EACH_X86_MATRIX_ISA(X, context)
#elif defined(__aarch64__)
#define QLITE_FOR_EACH_COMPILED_ISA(X, context) QLITE_FOR_EACH_ARM_ISA(X, context)
#define QLITE_FOR_EACH_COMPILED_MATRIX_ISA(X, context)
#else
#define QLITE_FOR_EACH_COMPILED_ISA(X, context)
#define QLITE_FOR_EACH_COMPILED_MATRIX_ISA(X, context)
#endif

// Ordered: a later one implies every earlier one on the same architecture.
enum class Isa : int {
  kGeneric,
#define QLITE_ISA_ENUMERATOR(context, enumerator, name) enumerator,
  QLITE_FOR_EACH_X86_ISA(QLITE_ISA_ENUMERATOR, ) QLITE_FOR_EACH_X86_MATRIX_ISA(QLITE_ISA_ENUMERATOR, )
      QLITE_FOR_EACH_ARM_ISA(QLITE_ISA_ENUMERATOR, )
#undef QLITE_ISA_ENUMERATOR
};

// The vector instruction set that a matrix unit comes on top of; others are themselves.
constexpr Isa WithoutMatrixUnit(Isa isa) { return isa == Isa::kAmxInt8 ? Isa::kAvx512Vnni : isa; }

// The instruction sets that were compiled in and that this processor executes, lowest first; kGeneric is always there.
// Thread-safe.
//
// A matrix unit's registers are part of a thread's state, and Linux keeps them only for processes that have asked. The
// first call asks, once, where the processor has such a unit, and leaves the unit out where the kernel refuses. It
// refuses where a thread's alternative signal stack has no room for the state, and once it has granted, sigaltstack(2)
// wants stacks that have (getauxval(AT_MINSIGSTKSZ) bytes at least).
std::span<const Isa> SupportedIsas();

// The last of SupportedIsas().
Isa BestIsa();

// The last of SupportedIsas() without matrix units: asks the kernel for nothing.
Isa BestVectorIsa();

// Whether `isa` is one of SupportedIsas(). Asks for permission only where `isa` needs it.
bool IsSupported(Isa isa);

// "generic", "sse42", "avx2", "avx512", "avx512vnni", "amxint8", "neon", "neondot".
std::string_view IsaName(Isa isa);

// Inverse of IsaName. False when the name is not one of them.
bool ParseIsa(std::string_view name, Isa* isa);

}  // namespace qlite::kernels

#endif  // QLITE_KERNELS_ISA_H_
