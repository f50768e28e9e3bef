#include "runtime/steps/byte_table.h"

#include "kernels/elementwise_u8.h"
#include "runtime/steps/blocks.h"

namespace qlite {

void EmitByteTable(Lowering& lowering, ValueId input, const std::array<uint8_t, 256>& table) {
  const Placement in = lowering.Read(input, lowering.LayoutOf(input));
  const Placement out = lowering.WriteOver(lowering.Result(), in);
  const int64_t elements = out.elements();
  const auto run = kernels::ElementwiseU8(lowering.isa()).lookup;
  lowering.Emit({in.at, out.at}, [=, from = in.at, to = out.at](const Frame& frame) {
    ForBlocks(frame, elements, 0.2, [&](int64_t begin, int64_t end) {
      run(frame.In<uint8_t>(from), table.data(), frame.Out<uint8_t>(to), begin, end);
    });
    return absl::OkStatus();
  });
}

}  // namespace qlite
