// A function of one byte, applied by a table.
#ifndef QLITE_RUNTIME_STEPS_BYTE_TABLE_H_
#define QLITE_RUNTIME_STEPS_BYTE_TABLE_H_

#include <array>
#include <cstdint>

#include "runtime/lowering.h"

namespace qlite {

// The current node's result is table[byte] for every byte of `input`.
void EmitByteTable(Lowering& lowering, ValueId input, const std::array<uint8_t, 256>& table);

}  // namespace qlite

#endif  // QLITE_RUNTIME_STEPS_BYTE_TABLE_H_
