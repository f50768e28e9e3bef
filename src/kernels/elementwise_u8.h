// Elementwise operations on u8 activations (kernels/quantized.h) and the borders between u8 and float.
//
// Every formula below is written in float32 operations, each rounded once to nearest even; fma(x, y, z) = x * y + z
// rounded once; rne rounds to the nearest integer, halves to even; clamp is applied in float before rne, to
// [lo - z_out, hi - z_out], and NaN becomes the upper bound. All functions are thread-safe and never allocate; inputs
// may be the output itself (in place), but may not overlap it otherwise.
#ifndef QLITE_KERNELS_ELEMENTWISE_U8_H_
#define QLITE_KERNELS_ELEMENTWISE_U8_H_

#include <cstddef>
#include <cstdint>

#include "kernels/isa.h"
#include "kernels/quantized.h"

namespace qlite::kernels {

// How the second operand meets the first, which has `rows` rows of `cols` elements.
enum class BroadcastU8 {
  kNone,    // same shape
  kScalar,  // one element for all
  kRow,     // `cols` elements, the same for every row (a vector over the last dimension, as channels in NHWC)
};

// Operands of the two-operand functions. Element (r, c) of a is a[r * a_stride + c]; the strides of b (unused unless
// kNone) and of the output likewise. Strides of `cols` make the tensors dense.
struct BinaryU8Args {
  int64_t rows = 0;
  int64_t cols = 0;
  const uint8_t* a = nullptr;
  int64_t a_stride = 0;
  const uint8_t* b = nullptr;
  int64_t b_stride = 0;
  BroadcastU8 broadcast = BroadcastU8::kNone;
  uint8_t* output = nullptr;
  int64_t output_stride = 0;
  OutputQuantization quantization;
};

// y = z_out + rne(clamp(fma(float(a), ka, fma(float(b), kb, kc))))
//
// with a and b the stored bytes. A sum of real values is ka = scale_a / scale_out, kb = scale_b / scale_out,
// kc = -(z_a * ka + z_b * kb); a difference has kb = -scale_b / scale_out. MakeAddU8 computes them.
struct AddU8Coefficients {
  float ka = 0, kb = 0, kc = 0;
};

// Coefficients of a + sign_b * b, computed in double and rounded once each; sign_b is +1 or -1.
AddU8Coefficients MakeAddU8(float scale_a, int32_t zero_a, float scale_b, int32_t zero_b, float scale_out, int sign_b);

// An addition behind a product of bytes: the product's own result, a byte as without the addition, is one operand of
// the formula above, and a byte of the residual the other one.
struct ResidualU8 {
  const uint8_t* data = nullptr;  // of the output's extents, which it does not overlap; null for none
  int64_t stride = 0;             // elements from row to row, or from pixel to pixel
  bool comes_first = false;       // the residual is a, the product b
  AddU8Coefficients coefficients;
  OutputQuantization quantization;  // of the sum
};

// The map y = z_out + rne(clamp(float(u - z_in) * multiplier)), multiplier = scale_in / scale_out: another scale and
// zero point for the same values. It is a table of 256 bytes; apply it with `lookup`.
void MakeRequantizeTable(int32_t zero_in, float multiplier, const OutputQuantization& output, uint8_t table[256]);

// All element ranges are [begin, end): rows of the two-operand functions, elements of the others.
struct ElementwiseU8Kernels {
  void (*add)(const BinaryU8Args& args, const AddU8Coefficients& coefficients, int64_t begin, int64_t end);
  // y = z_out + rne(clamp(float((a - z_a) * (b - z_b)) * multiplier)), multiplier = scale_a * scale_b / scale_out.
  void (*mul)(const BinaryU8Args& args, int32_t zero_a, int32_t zero_b, float multiplier, int64_t begin, int64_t end);
  // output[i] = table[input[i]].
  void (*lookup)(const uint8_t* input, const uint8_t table[256], uint8_t* output, int64_t begin, int64_t end);
  // y = z_out + rne(clamp(x / scale)), a true division as in ONNX QuantizeLinear. scale is positive and finite.
  void (*quantize)(const float* input, float scale, const OutputQuantization& quantization, uint8_t* output,
                   int64_t begin, int64_t end);
  // Dense rows of `cols` elements with a scale and a zero point for each column; begin and end count rows.
  void (*quantize_per_column)(const float* input, int64_t cols, const float* scales, const int32_t* zero_points,
                              uint8_t* output, int64_t begin, int64_t end);
  // x = float(u - z) * scale.
  void (*dequantize)(const uint8_t* input, int32_t zero_point, float scale, float* output, int64_t begin, int64_t end);
  void (*dequantize_per_column)(const uint8_t* input, int64_t cols, const float* scales, const int32_t* zero_points,
                                float* output, int64_t begin, int64_t end);
  // output[i] = input[i] ^ 0x80: between the int8 of a graph and the bytes of the runtime, in either direction.
  void (*flip_sign)(const uint8_t* input, uint8_t* output, int64_t begin, int64_t end);
};

const ElementwiseU8Kernels& ElementwiseU8(Isa isa);

}  // namespace qlite::kernels

#endif  // QLITE_KERNELS_ELEMENTWISE_U8_H_
