#include "peak.h"

#include "kernels/simd.h"
#include "kernels/simd_u8.h"

namespace qlite::kernels::QLITE_ISA {
namespace {

// Independent chains: well above two units times their latency, as far as there are registers.
constexpr int kChains = kVectorRegisters >= 32 ? 24 : 12;

// Takes a result into account without storing it.
template <class T>
void Use(const T& value) {
  asm volatile("" : : "m"(value) : "memory");
}

int64_t MultiplyAdds(int64_t steps) {
  volatile float one = 1.0f;
  const VecF32 x(one);
  const VecF32 y(one);
  VecF32 sum[kChains];
  for (int c = 0; c < kChains; ++c) sum[c] = VecF32(one);
  for (int64_t step = 0; step < steps; ++step) {
    QLITE_UNROLL for (int c = 0; c < kChains; ++c) sum[c] = MulAdd(x, y, sum[c]);
  }
  Use(sum);
  return steps * kChains * VecF32::kLanes * 2;
}

// The tile of the float products, kRows rows by kVectors vectors, as they compute it.
int64_t TileMultiplyAdds(int64_t steps) {
  constexpr int kVectors = kVectorRegisters >= 32 ? 4 : 2;
  constexpr int kRows = (kVectorRegisters - 1 - kVectors) / kVectors;
  constexpr int kDepth = 64, kWidth = kVectors * VecF32::kLanes;
  alignas(64) float panel[kDepth * kWidth];
  float rows[kRows * kDepth];
  for (int i = 0; i < kDepth * kWidth; ++i) panel[i] = static_cast<float>(i * 37 % 255 - 127) * 0x1p-7f;
  for (int i = 0; i < kRows * kDepth; ++i) rows[i] = static_cast<float>(i * 37 % 255 - 127) * 0x1p-7f;
  VecF32 sum[kRows][kVectors];
  QLITE_UNROLL for (int r = 0; r < kRows; ++r) {
    QLITE_UNROLL for (int v = 0; v < kVectors; ++v) sum[r][v] = VecF32(0.0f);
  }
  const int64_t passes = (steps + kDepth - 1) / kDepth;
  for (int64_t pass = 0; pass < passes; ++pass) {
    const float* a = rows;
    const float* b = panel;
    asm volatile("" : "+r"(a), "+r"(b));  // they may point anywhere: nothing is loaded before the loop
    for (int k = 0; k < kDepth; k += 4, a += 4) {
      QLITE_UNROLL for (int i = 0; i < 4; ++i, b += kWidth) {
        VecF32 y[kVectors];
        QLITE_UNROLL for (int v = 0; v < kVectors; ++v) y[v] = VecF32::Load(b + v * VecF32::kLanes);
        QLITE_UNROLL for (int r = 0; r < kRows; ++r) {
          const VecF32 x(a[r * kDepth + i]);
          QLITE_UNROLL for (int v = 0; v < kVectors; ++v) sum[r][v] = MulAdd(x, y[v], sum[r][v]);
        }
      }
    }
  }
  // Not all at once: what is used as a whole array lies in memory for all its life.
  QLITE_UNROLL for (int r = 0; r < kRows; ++r) {
    QLITE_UNROLL for (int v = 0; v < kVectors; ++v) {
      const VecF32 one = sum[r][v];
      Use(one);
    }
  }
  return passes * kDepth * kRows * kWidth * 2;
}

#if QLITE_ISA_amxint8

// Whole tiles of zeros, into sums of four: as many as the kernels keep.
int64_t DotProducts(int64_t steps) {
  constexpr int kRows = 16, kRowBytes = 64, kSums = 4;
  struct alignas(64) {
    uint8_t palette = 1, start_row = 0, reserved[14] = {};
    uint16_t row_bytes[16] = {};
    uint8_t rows[16] = {};
  } configuration;
  for (int tile = 0; tile < 8; ++tile) {
    configuration.row_bytes[tile] = kRowBytes;
    configuration.rows[tile] = kRows;
  }
  asm volatile("ldtilecfg %0" : : "m"(configuration));
  for (int64_t step = 0; step < steps; ++step) {
    asm volatile(
        "tdpbusd %tmm6, %tmm4, %tmm0\n\t"
        "tdpbusd %tmm7, %tmm4, %tmm1\n\t"
        "tdpbusd %tmm6, %tmm5, %tmm2\n\t"
        "tdpbusd %tmm7, %tmm5, %tmm3");
  }
  asm volatile("tilerelease");
  return steps * kSums * kRows * (kRowBytes / 4) * kRowBytes * 2;
}

#else

// No chain waits for another, but in plain C++. Of products of what does not change none may be moved out of the loop.
int64_t DotProducts(int64_t steps) {
  using V = u8::VecWide;
  volatile int32_t start = 0x01020304;
  V::I32 acc[kChains];
  u8::Unroll<kChains>([&](auto c) QLITE_INLINE { acc[c.value] = V::SetI32(start + c.value); });
  V::I32 x = V::SetI32(start);
  const V::I32 w = V::SetI32(start);
  for (int64_t step = 0; step < steps; ++step) {
    u8::Unroll<kChains>([&](auto c) QLITE_INLINE {
#if QLITE_ISA_generic
      x = acc[(c.value + 1) % kChains];
#elif QLITE_ISA_neon || QLITE_ISA_neondot
      asm("" : "+w"(x));
#else
      asm("" : "+v"(x));
#endif
      acc[c.value] = V::Dot(acc[c.value], x, w);
    });
  }
  Use(acc);
  return steps * kChains * V::kLanes * u8::kDotDepth * 2;
}

#endif

void Read(const float* p, int64_t floats) {
  constexpr int kStreams = 8;
  VecF32 sum[kStreams];
  for (int s = 0; s < kStreams; ++s) sum[s] = VecF32(0.0f);
  for (int64_t i = 0; i + kStreams * VecF32::kLanes <= floats; i += kStreams * VecF32::kLanes) {
    QLITE_UNROLL for (int s = 0; s < kStreams; ++s) sum[s] = sum[s] + VecF32::Load(p + i + s * VecF32::kLanes);
  }
  Use(sum);
}

}  // namespace

extern const PeakKernels kPeakKernels;
const PeakKernels kPeakKernels = {&MultiplyAdds, &TileMultiplyAdds, &DotProducts, &Read};

}  // namespace qlite::kernels::QLITE_ISA
