// Instruction sets that the kernels are compiled for, and which of them this processor can execute.
#ifndef QLITE_KERNELS_ISA_H_
#define QLITE_KERNELS_ISA_H_

#include <span>
#include <string_view>

namespace qlite::kernels {

// Ordered: a later one implies every earlier one on the same architecture.
enum class Isa : int { kGeneric = 0, kAvx2 = 1, kAvx512 = 2, kAvx512Vnni = 3 };

// The instruction sets that were compiled in and that this processor executes, lowest first; kGeneric is always there.
// Thread-safe.
std::span<const Isa> SupportedIsas();

// The last of SupportedIsas().
Isa BestIsa();

// "generic", "avx2", "avx512", "avx512vnni".
std::string_view IsaName(Isa isa);

// Inverse of IsaName. False when the name is not one of them.
bool ParseIsa(std::string_view name, Isa* isa);

}  // namespace qlite::kernels

#endif  // QLITE_KERNELS_ISA_H_
