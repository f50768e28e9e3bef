// The format of a model file, checked.
#ifndef QLITE_CAPI_MODEL_FORMAT_H_
#define QLITE_CAPI_MODEL_FORMAT_H_

#include "capi/qlite.h"
#include "qlite/model_io.h"

namespace qlite::capi {

// Refuses numbers that are no format, QLITE_FORMAT_AUTO included.
ModelFormat ReadModelFormat(qlite_model_format format);

}  // namespace qlite::capi

#endif  // QLITE_CAPI_MODEL_FORMAT_H_
