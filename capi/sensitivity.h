// What each layer costs when it is quantized alone, as the functions that measure, write and read it know it.
#ifndef QLITE_CAPI_SENSITIVITY_H_
#define QLITE_CAPI_SENSITIVITY_H_

#include <memory>
#include <utility>
#include <vector>

#include "capi/bodies.h"
#include "qlite/sensitivity.h"

namespace qlite::capi {

struct SensitivityBody : MadeWithContext {
  static constexpr Kind kKind = Kind::kSensitivity;
  using Handle = qlite_sensitivity;

  SensitivityBody(std::shared_ptr<ContextBody> maker, std::vector<LayerSensitivity> made)
      : MadeWithContext(std::move(maker)), layers(std::move(made)) {}

  const std::vector<LayerSensitivity> layers;
};

inline qlite_output_loss AsHostLoss(const OutputLoss& loss) {
  return {.cosine = loss.cosine, .snr_db = loss.snr_db, .top1 = loss.top1};
}

}  // namespace qlite::capi

#endif  // QLITE_CAPI_SENSITIVITY_H_
