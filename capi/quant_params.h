// Quantization parameters, there and back.
#ifndef QLITE_CAPI_QUANT_PARAMS_H_
#define QLITE_CAPI_QUANT_PARAMS_H_

#include "capi/qlite.h"
#include "qlite/quant_params.h"

namespace qlite::capi {

// Points into `params`.
qlite_quant_params AsHostParams(const QuantParams& params);

// A copy, checked.
QuantParams ReadQuantParams(const qlite_quant_params* host);

}  // namespace qlite::capi

#endif  // QLITE_CAPI_QUANT_PARAMS_H_
