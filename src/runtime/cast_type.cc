#include "runtime/cast_type.h"

namespace qlite {

std::optional<kernels::CastType> CastTypeOf(ElementType type) {
  switch (type) {
    case ElementType::kFloat32:
      return kernels::CastType::kFloat32;
    case ElementType::kFloat16:
      return kernels::CastType::kFloat16;
    case ElementType::kBFloat16:
      return kernels::CastType::kBfloat16;
    case ElementType::kFloat64:
      return kernels::CastType::kFloat64;
    case ElementType::kInt8:
      return kernels::CastType::kInt8;
    case ElementType::kUInt8:
      return kernels::CastType::kUint8;
    case ElementType::kInt16:
      return kernels::CastType::kInt16;
    case ElementType::kUInt16:
      return kernels::CastType::kUint16;
    case ElementType::kInt32:
      return kernels::CastType::kInt32;
    case ElementType::kUInt32:
      return kernels::CastType::kUint32;
    case ElementType::kInt64:
      return kernels::CastType::kInt64;
    case ElementType::kUInt64:
      return kernels::CastType::kUint64;
    case ElementType::kBool:
      return kernels::CastType::kBool;
    case ElementType::kUndefined:
      break;
  }
  return std::nullopt;
}

}  // namespace qlite
