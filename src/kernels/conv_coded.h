// Convolutions and matrix products of float32 images whose weights are kept as integers of 2, 4 or 8 bits and decoded
// where they are multiplied: a quarter of the memory of float32 weights or less, and of the time where memory bounds
// it.
//
// A weight is w = float(q - zero_point) * factor + shift, each operation rounded once; without a shift nothing is
// added. With these weights the arithmetic is that of conv_f32.h, so the bits are those that decoding beforehand gives.
//
// A single row of outputs (a matrix-vector product) decodes into registers; more rows share a panel of weights that is
// decoded into scratch memory.
#ifndef QLITE_KERNELS_CONV_CODED_H_
#define QLITE_KERNELS_CONV_CODED_H_

#include <cstdint>

#include "kernels/conv_f32.h"
#include "kernels/isa.h"

namespace qlite::kernels {

// How the weights of a convolution are kept.
struct CodedForm {
  int bits = 8;            // of an integer: 2, 4 or 8
  int64_t block_size = 0;  // input channels of a tap that share their parameters; 0: an output has one set
  bool shifted = false;    // weights have a shift
};

// A range of weights: output channel o of all groups and channel c of its group within the ranges, tap t. `data` points
// at the weight (first_output, first_channel, 0); the strides are in elements. Values are those of the form's bits.
struct CodedWeights {
  const int8_t* data = nullptr;
  int64_t out_stride = 0;
  int64_t in_stride = 0;
  int64_t tap_stride = 0;
  int64_t first_output = 0, end_output = 0;
  int64_t first_channel = 0, end_channel = 0;
};

// The parameters of a range of outputs: those of output channel first_output + o, block b and tap t have the index o *
// out_stride + b * block_stride + t * tap_stride; a stride of 0 shares them. The factor is scale * ratio, rounded once.
struct CodedParams {
  const float* scales = nullptr;
  const float* ratios = nullptr;  // null: all 1
  const float* shifts = nullptr;  // null where the form has none
  const int8_t* zero_points = nullptr;
  int64_t out_stride = 0;
  int64_t block_stride = 0;
  int64_t tap_stride = 0;
  int64_t first_output = 0, end_output = 0;
};

// One convolution. `conv.packed_weights` is not read. As for conv_f16.h, a matrix product of [m, k] and [k, n] is a
// convolution with kernels of one tap over an image of one row, with in_w = m, k channels and n outputs.
struct ConvCodedArgs {
  ConvF32Args conv;
  CodedForm form;
  const void* packed = nullptr;  // of the same instruction set
};

// The functions are thread-safe, allocate nothing and check nothing.
struct ConvCodedKernels {
  // Bytes of the packed weights. Depends on channels, groups, kernel size and form alone.
  int64_t (*packed_bytes)(const ConvF32Geometry& geometry, const CodedForm& form);
  // Packing goes through all outputs in ranges, ascending: first a range's parameters are placed, then its weights,
  // those in any order. Nothing of `packed` (64-byte aligned is fastest) is written before the first of its outputs is.
  // Weights share bytes with their neighbours in the reduction: see PackingUnit for ranges that are placed at the same
  // time. The packed form belongs to this instruction set.
  void (*place_params)(const ConvF32Geometry& geometry, const CodedForm& form, const CodedParams& params, void* packed);
  void (*place_weights)(const ConvF32Geometry& geometry, const CodedForm& form, const CodedWeights& weights,
                        void* packed);

  // Bytes of scratch memory, 64-byte aligned, that each concurrent `run` needs for itself.
  int64_t (*workspace_bytes)(const ConvF32Geometry& geometry);
  // As in conv_f32.h.
  int64_t (*units)(const ConvF32Geometry& geometry);
  void (*run)(const ConvCodedArgs& args, void* workspace, int64_t begin, int64_t end);
};

// Ranges of channels that begin at multiples of this share no byte where the kernel has one tap. With more taps, only
// ranges of outputs are placed at the same time.
int64_t PackingUnit(const CodedForm& form);

const ConvCodedKernels& ConvCoded(Isa isa);

}  // namespace qlite::kernels

#endif  // QLITE_KERNELS_CONV_CODED_H_
