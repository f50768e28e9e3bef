// A target of the host, checked.
#ifndef QLITE_CAPI_LOSS_TARGET_H_
#define QLITE_CAPI_LOSS_TARGET_H_

#include <memory>

#include "capi/bodies.h"
#include "qlite/loss_target.h"

namespace qlite::capi {

struct Goal {
  LossTarget target;
  TargetOptions options;
  std::shared_ptr<TableBody> resume;  // which `options` points into
};

// Null: defaults.
Goal ReadTarget(const qlite_loss_target* host);

}  // namespace qlite::capi

#endif  // QLITE_CAPI_LOSS_TARGET_H_
