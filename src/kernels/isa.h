// Instruction sets that the kernels are compiled for, and which of them this processor can execute.
#ifndef QLITE_KERNELS_ISA_H_
#define QLITE_KERNELS_ISA_H_

#include <span>
#include <string_view>

namespace qlite::kernels {

// Lists of instruction sets, lowest first: X(context, enumerator, name) for each, `context` being whatever the caller
// passes. The name is that of the namespace, and of the list in CMakeLists.txt. There are three tiers. All families are
// compiled for vectors. Dot products of 8-bit integers come on top of vectors (WithoutDotProduct), and matrix units on
// top of those; only the families that they make a difference to, those that have such dot products and the matrix
// products among them, are compiled for them.
#define QLITE_FOR_EACH_X86_ISA(X, context) X(context, kSse42, sse42) X(context, kAvx2, avx2) X(context, kAvx512, avx512)
#define QLITE_FOR_EACH_X86_DOT_ISA(X, context) X(context, kAvxVnni, avxvnni) X(context, kAvx512Vnni, avx512vnni)
#define QLITE_FOR_EACH_X86_MATRIX_ISA(X, context) X(context, kAmxInt8, amxint8)
#define QLITE_FOR_EACH_ARM_ISA(X, context) X(context, kNeon, neon)
#define QLITE_FOR_EACH_ARM_DOT_ISA(X, context) X(context, kNeonDot, neondot)

// All of them, in the order of `Isa`.
#define QLITE_FOR_EACH_ISA(X, context)   \
  QLITE_FOR_EACH_X86_ISA(X, context)     \
  QLITE_FOR_EACH_X86_DOT_ISA(X, context) \
  QLITE_FOR_EACH_X86_MATRIX_ISA(X, context) QLITE_FOR_EACH_ARM_ISA(X, context) QLITE_FOR_EACH_ARM_DOT_ISA(X, context)

// Those that the kernels are compiled for here, as told to the sources of this folder.
#if QLITE_FEW_KERNELS && defined(__x86_64__)
#define QLITE_FOR_EACH_COMPILED_ISA(X, context) X(context, kAvx2, avx2)
#define QLITE_FOR_EACH_COMPILED_DOT_ISA(X, context)
#define QLITE_FOR_EACH_COMPILED_MATRIX_ISA(X, context)
#elif QLITE_FEW_KERNELS && defined(__aarch64__)
#define QLITE_FOR_EACH_COMPILED_ISA(X, context) X(context, kNeon, neon)
#define QLITE_FOR_EACH_COMPILED_DOT_ISA(X, context)
#define QLITE_FOR_EACH_COMPILED_MATRIX_ISA(X, context)
#elif defined(__x86_64__)
#define QLITE_FOR_EACH_COMPILED_ISA(X, context) QLITE_FOR_EACH_X86_ISA(X, context)
#define QLITE_FOR_EACH_COMPILED_DOT_ISA(X, context) QLITE_FOR_EACH_X86_DOT_ISA(X, context)
#define QLITE_FOR_EACH_COMPILED_MATRIX_ISA(X, context) QLITE_FOR_EACH_X86_MATRIX_ISA(X, context)
#elif defined(__aarch64__)
#define QLITE_FOR_EACH_COMPILED_ISA(X, context) QLITE_FOR_EACH_ARM_ISA(X, context)
#define QLITE_FOR_EACH_COMPILED_DOT_ISA(X, context) QLITE_FOR_EACH_ARM_DOT_ISA(X, context)
#define QLITE_FOR_EACH_COMPILED_MATRIX_ISA(X, context)
#else
#define QLITE_FOR_EACH_COMPILED_ISA(X, context)
#define QLITE_FOR_EACH_COMPILED_DOT_ISA(X, context)
#define QLITE_FOR_EACH_COMPILED_MATRIX_ISA(X, context)
#endif

// Ordered: of those that a processor executes, the last one is the fastest for 8-bit integers, and none is faster for
// floats. A later one implies every earlier one on the same architecture, but for kAvxVnni: it implies kAvx2, and
// nothing implies it.
enum class Isa : int {
  kGeneric,
#define QLITE_ISA_ENUMERATOR(context, enumerator, name) enumerator,
  QLITE_FOR_EACH_ISA(QLITE_ISA_ENUMERATOR, )
#undef QLITE_ISA_ENUMERATOR
};

// The instruction set that a matrix unit comes on top of; others are themselves.
constexpr Isa WithoutMatrixUnit(Isa isa) { return isa == Isa::kAmxInt8 ? Isa::kAvx512Vnni : isa; }

// The vectors that a matrix unit or a dot product of 8-bit integers comes on top of; others are themselves.
constexpr Isa WithoutDotProduct(Isa isa) {
  switch (WithoutMatrixUnit(isa)) {
    case Isa::kAvxVnni:
      return Isa::kAvx2;
    case Isa::kAvx512Vnni:
      return Isa::kAvx512;
    case Isa::kNeonDot:
      return Isa::kNeon;
    default:
      return isa;
  }
}

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

// "generic", "sse42", "avx2", "avx512", "avxvnni", "avx512vnni", "amxint8", "neon", "neondot".
std::string_view IsaName(Isa isa);

// Inverse of IsaName. False when the name is not one of them.
bool ParseIsa(std::string_view name, Isa* isa);

}  // namespace qlite::kernels

#endif  // QLITE_KERNELS_ISA_H_
