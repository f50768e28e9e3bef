// How a kernel family reaches its instantiation for an instruction set.
//
// A family `foo` declares in foo.h a struct of function pointers, `FooKernels`, and `const FooKernels& Foo(Isa)`. Its
// template code, foo.isa.cc, is compiled once for each instruction set, inside `namespace qlite::kernels::QLITE_ISA`,
// and defines there `extern const FooKernels kFooKernels`. foo.cc writes QLITE_DISPATCH_KERNELS(Foo), or
// QLITE_DISPATCH_DOT_KERNELS(Foo) where the family is compiled for dot products of 8-bit integers too, or
// QLITE_DISPATCH_PRODUCT_KERNELS(Foo) where it is compiled for both these and matrix units. For a family that is not,
// the instruction set below stands in.
// Kernels are looked up once when a program is lowered; nothing dispatches inside a loop.
#ifndef QLITE_KERNELS_DISPATCH_H_
#define QLITE_KERNELS_DISPATCH_H_

#include "kernels/isa.h"

#define QLITE_DECLARE_KERNELS(Family, enumerator, name) \
  namespace name {                                      \
  extern const Family##Kernels k##Family##Kernels;      \
  }
#define QLITE_KERNELS_CASE(Family, enumerator, name) \
  case Isa::enumerator:                              \
    return name::k##Family##Kernels;

#define QLITE_DISPATCH_KERNELS(Family)                        \
  QLITE_DECLARE_KERNELS(Family, kGeneric, generic)            \
  QLITE_FOR_EACH_COMPILED_ISA(QLITE_DECLARE_KERNELS, Family)  \
  const Family##Kernels& Family(Isa isa) {                    \
    switch (WithoutDotProduct(isa)) {                         \
      QLITE_FOR_EACH_COMPILED_ISA(QLITE_KERNELS_CASE, Family) \
      default:                                                \
        return generic::k##Family##Kernels;                   \
    }                                                         \
  }

#define QLITE_DISPATCH_DOT_KERNELS(Family)                        \
  QLITE_DECLARE_KERNELS(Family, kGeneric, generic)                \
  QLITE_FOR_EACH_COMPILED_ISA(QLITE_DECLARE_KERNELS, Family)      \
  QLITE_FOR_EACH_COMPILED_DOT_ISA(QLITE_DECLARE_KERNELS, Family)  \
  const Family##Kernels& Family(Isa isa) {                        \
    switch (WithoutMatrixUnit(isa)) {                             \
      QLITE_FOR_EACH_COMPILED_ISA(QLITE_KERNELS_CASE, Family)     \
      QLITE_FOR_EACH_COMPILED_DOT_ISA(QLITE_KERNELS_CASE, Family) \
      default:                                                    \
        return generic::k##Family##Kernels;                       \
    }                                                             \
  }

#define QLITE_DISPATCH_PRODUCT_KERNELS(Family)                       \
  QLITE_DECLARE_KERNELS(Family, kGeneric, generic)                   \
  QLITE_FOR_EACH_COMPILED_ISA(QLITE_DECLARE_KERNELS, Family)         \
  QLITE_FOR_EACH_COMPILED_DOT_ISA(QLITE_DECLARE_KERNELS, Family)     \
  QLITE_FOR_EACH_COMPILED_MATRIX_ISA(QLITE_DECLARE_KERNELS, Family)  \
  const Family##Kernels& Family(Isa isa) {                           \
    switch (isa) {                                                   \
      QLITE_FOR_EACH_COMPILED_ISA(QLITE_KERNELS_CASE, Family)        \
      QLITE_FOR_EACH_COMPILED_DOT_ISA(QLITE_KERNELS_CASE, Family)    \
      QLITE_FOR_EACH_COMPILED_MATRIX_ISA(QLITE_KERNELS_CASE, Family) \
      default:                                                       \
        return generic::k##Family##Kernels;                          \
    }                                                                \
  }

#endif  // QLITE_KERNELS_DISPATCH_H_
