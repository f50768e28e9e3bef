// How a kernel family reaches its instantiation for an instruction set.
//
// A family `foo` declares in foo.h a struct of function pointers, `FooKernels`, and `const FooKernels& Foo(Isa)`. Its
// template code, foo.isa.cc, is compiled once for each instruction set, inside `namespace qlite::kernels::QLITE_ISA`,
// and defines there `extern const FooKernels kFooKernels` . foo.cc writes QLITE_DISPATCH_KERNELS(Foo).
// Kernels are looked up once when a program is lowered; nothing dispatches inside a loop.
#ifndef QLITE_KERNELS_DISPATCH_H_
#define QLITE_KERNELS_DISPATCH_H_

#include "kernels/isa.h"

#if defined(__x86_64__)
#define QLITE_DISPATCH_KERNELS(Family)                                       \
  namespace generic { extern const Family##Kernels k##Family##Kernels; }    \
  namespace avx2 { extern const Family##Kernels k##Family##Kernels; }       \
  namespace avx512 { extern const Family##Kernels k##Family##Kernels; }     \
  namespace avx512vnni { extern const Family##Kernels k##Family##Kernels; } \
  const Family##Kernels& Family(Isa isa) {                                   \
    switch (isa) {                                                           \
      case Isa::kAvx512Vnni: return avx512vnni::k##Family##Kernels;          \
      case Isa::kAvx512: return avx512::k##Family##Kernels;                  \
      case Isa::kAvx2: return avx2::k##Family##Kernels;                      \
      case Isa::kGeneric: break;                                             \
    }                                                                        \
    return generic::k##Family##Kernels;                                      \
  }
#else
#define QLITE_DISPATCH_KERNELS(Family)                                    \
  namespace generic { extern const Family##Kernels k##Family##Kernels; } \
  const Family##Kernels& Family(Isa) { return generic::k##Family##Kernels; }
#endif

#endif  // QLITE_KERNELS_DISPATCH_H_
