#include "kernels/elementwise_u8.h"

#include "kernels/combine_u8.h"
#include "kernels/simd_u8.h"

namespace qlite::kernels::QLITE_ISA {
namespace u8 {
namespace {

using V = VecWide;

void Mul(const BinaryU8Args& args, int32_t zero_a, int32_t zero_b, float multiplier, int64_t begin, int64_t end) {
  const V::F32 za = V::SetF32(static_cast<float>(zero_a));
  const V::F32 zb = V::SetF32(static_cast<float>(zero_b));
  const V::F32 m = V::SetF32(multiplier);
  // Differences and products of bytes are exact in float.
  CombineRows<Epilogue::kClamped>(args, begin, end, [&](V::F32 a, V::F32 b) QLITE_INLINE {
    return V::Multiply(V::Multiply(V::Subtract(a, za), V::Subtract(b, zb)), m);
  });
}

#if QLITE_ISA_avx512
// A table of 256 bytes in four registers of 16-bit words, and what it says of 64 bytes.
class TableInRegisters {
 public:
  explicit TableInRegisters(const uint8_t table[256]) {
    Unroll<4>([&](auto i) QLITE_INLINE { words_[i.value] = V::LoadU8(table + i.value * V::kBytes); });
  }

  V::U8 operator()(V::U8 x) const {
    const __m512i low_byte = _mm512_set1_epi16(255);
    const __m512i even = AtWords(_mm512_and_si512(x, low_byte));
    const __m512i odd = AtWords(_mm512_srli_epi16(x, 8));
    return _mm512_or_si512(_mm512_and_si512(even, low_byte), _mm512_slli_epi16(odd, 8));
  }

 private:
  // For an index in each word its entry in the lower byte; the upper one is unspecified.
  __m512i AtWords(__m512i index) const {
    const __m512i word = _mm512_srli_epi16(index, 1);
    const __m512i first_half = _mm512_permutex2var_epi16(words_[0], word, words_[1]);
    const __m512i second_half = _mm512_permutex2var_epi16(words_[2], word, words_[3]);
    const __mmask32 in_second = _mm512_test_epi16_mask(index, _mm512_set1_epi16(128));
    const __m512i bytes = _mm512_mask_blend_epi16(in_second, first_half, second_half);
    return _mm512_srlv_epi16(bytes, _mm512_slli_epi16(_mm512_and_si512(index, _mm512_set1_epi16(1)), 3));
  }

  __m512i words_[4];
};
#endif

void Lookup(const uint8_t* input, const uint8_t table[256], uint8_t* output, int64_t begin, int64_t end) {
#if QLITE_ISA_avx512
  if (end - begin >= V::kBytes) {
    const TableInRegisters entries(table);
    for (; begin + V::kBytes <= end; begin += V::kBytes) {
      V::StoreU8(output + begin, entries(V::LoadU8(input + begin)), V::kBytes);
    }
  }
#endif
  // Eight bytes at a time, so that loads and stores of whole words leave the ports to the table.
  for (; begin + 8 <= end; begin += 8) {
    uint64_t from;
    std::memcpy(&from, input + begin, sizeof from);
    uint64_t to = 0;
    for (int i = 0; i < 64; i += 8) to |= static_cast<uint64_t>(table[from >> i & 255]) << i;
    std::memcpy(output + begin, &to, sizeof to);
  }
  for (; begin < end; ++begin) output[begin] = table[input[begin]];
}

void Quantize(const float* input, float scale, const OutputQuantization& quantization, uint8_t* output, int64_t begin,
              int64_t end) {
  const OutputMap map = MakeOutputMap(quantization);
  const V::F32 divisor = V::SetF32(scale);
  for (int64_t i = begin; i < end; i += V::kBytes) {
    const int64_t n = end - i < V::kBytes ? end - i : V::kBytes;
    float rest[V::kBytes] = {};
    const float* from = input + i;
    if (n < V::kBytes) {
      std::memcpy(rest, from, static_cast<size_t>(n) * sizeof(float));
      from = rest;
    }
    V::I32 rounded[4];
    Unroll<4>([&](auto j) QLITE_INLINE {
      rounded[j.value] = V::Round<Epilogue::kClamped>(V::Divide(V::LoadF32(from + j.value * V::kLanes), divisor), map);
    });
    V::StoreU8(output + i, V::GatherRows<4>(V::Narrow4<Epilogue::kClamped>(rounded, map)), static_cast<int>(n));
  }
}

void Dequantize(const uint8_t* input, int32_t zero_point, float scale, float* output, int64_t begin, int64_t end) {
  const V::F32 z = V::SetF32(static_cast<float>(zero_point));
  const V::F32 s = V::SetF32(scale);
  int64_t i = begin;
  for (; i + V::kLanes <= end; i += V::kLanes) {
    V::StoreF32(output + i, V::Multiply(V::Subtract(V::ToFloat(V::LoadBytes(input + i)), z), s));
  }
  for (; i < end; ++i) output[i] = static_cast<float>(input[i] - zero_point) * scale;
}

// One column: the formula of Quantize, with the addition of 1.5 * 2^23 that leaves no fraction bits doing the rounding.
uint8_t QuantizeOne(float x, float scale, int32_t zero_point) {
  const float lo = static_cast<float>(-zero_point);
  const float hi = static_cast<float>(255 - zero_point);
  float t = x / scale;
  t = t < hi ? t : hi;
  t = t > lo ? t : lo;
  return static_cast<uint8_t>(zero_point + static_cast<int32_t>((t + 12582912.0f) - 12582912.0f));
}

void QuantizePerColumn(const float* input, int64_t cols, const float* scales, const int32_t* zero_points,
                       uint8_t* output, int64_t begin, int64_t end) {
  for (int64_t row = begin; row < end; ++row) {
    for (int64_t c = 0; c < cols; ++c) {
      output[row * cols + c] = QuantizeOne(input[row * cols + c], scales[c], zero_points[c]);
    }
  }
}

void DequantizePerColumn(const uint8_t* input, int64_t cols, const float* scales, const int32_t* zero_points,
                         float* output, int64_t begin, int64_t end) {
  for (int64_t row = begin; row < end; ++row) {
    for (int64_t c = 0; c < cols; ++c) {
      output[row * cols + c] = static_cast<float>(input[row * cols + c] - zero_points[c]) * scales[c];
    }
  }
}

void FlipSign(const uint8_t* input, uint8_t* output, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; ++i) output[i] = input[i] ^ 0x80;
}

constexpr ElementwiseU8Kernels kKernels = {
    &Add, &Mul, &Lookup, &Quantize, &QuantizePerColumn, &Dequantize, &DequantizePerColumn, &FlipSign};

}  // namespace
}  // namespace u8

extern const ElementwiseU8Kernels kElementwiseU8Kernels;
const ElementwiseU8Kernels kElementwiseU8Kernels = u8::kKernels;

}  // namespace qlite::kernels::QLITE_ISA
