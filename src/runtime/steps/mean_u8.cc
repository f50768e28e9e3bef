#include "runtime/steps/mean_u8.h"

#include "runtime/lowering.h"
#include "runtime/requantization.h"

namespace qlite {

void EmitByteMean(Lowering& lowering, const kernels::PoolU8Args& args, bool count_include_pad, const Operand& in,
                  const QuantParams& in_params, const Operand& out, const QuantParams& out_params) {
  kernels::AverageU8 average;
  average.zero_in = ByteZeroPoint(in_params);
  average.ratio = in_params.scales[0] / out_params.scales[0];
  average.count_include_pad = count_include_pad;
  average.quantization = OutputQuantizationOf(out_params);
  const auto& kernels = kernels::PoolU8(lowering.isa());
  const double cost =
      static_cast<double>(args.batch * args.out_h * args.out_w * args.channels * args.kernel_h * args.kernel_w) * 0.06;
  lowering.Emit({in, out}, [=, run = kernels.average](const Frame& frame) {
    kernels::PoolU8Args now = args;
    now.input = frame.In<uint8_t>(in);
    now.output = frame.Out<uint8_t>(out);
    frame.ParallelFor(now.batch * now.out_h, cost,
                      [&](int64_t begin, int64_t end, int) { run(now, average, begin, end); });
    return absl::OkStatus();
  });
}

}  // namespace qlite
