// Loops unrolled before the compiler sees them. Included by *.isa.cc alone.
#ifndef QLITE_KERNELS_UNROLL_H_
#define QLITE_KERNELS_UNROLL_H_

#ifndef QLITE_ISA
#error "kernels/unroll.h is for *.isa.cc sources, which are compiled with QLITE_ISA"
#endif

#include <utility>

namespace qlite::kernels::QLITE_ISA::u8 {

// On lambdas too: arrays of vectors go to registers only where everything that touches them is inlined.
#define QLITE_INLINE __attribute__((always_inline))

template <int kValue>
struct Constant {
  static constexpr int value = kValue;
};

template <class Body, int... kIndices>
inline QLITE_INLINE void UnrollSequence(const Body& body, std::integer_sequence<int, kIndices...>) {
  (body(Constant<kIndices>{}), ...);
}

// body(Constant<0>), ..., body(Constant<kCount - 1>). The indices are constants from the start, so that the compiler
// takes arrays of vectors that they address apart into registers; it does so too late for a loop it unrolls itself.
template <int kCount, class Body>
inline QLITE_INLINE void Unroll(const Body& body) {
  UnrollSequence(body, std::make_integer_sequence<int, kCount>{});
}

}  // namespace qlite::kernels::QLITE_ISA::u8

#endif  // QLITE_KERNELS_UNROLL_H_
