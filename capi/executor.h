// Threads as the library wants them: the host's own, or a pool that contexts share.
#ifndef QLITE_CAPI_EXECUTOR_H_
#define QLITE_CAPI_EXECUTOR_H_

#include <memory>

#include "capi/call.h"
#include "capi/qlite.h"
#include "qlite/context.h"

namespace qlite::capi {

struct ThreadPoolBody {
  static constexpr Kind kKind = Kind::kThreadPool;
  using Handle = qlite_thread_pool;

  std::shared_ptr<Executor> executor;
};

// The host's executor, after a check of its fields. Holds the loan as long as it lives.
std::shared_ptr<Executor> WrapExecutor(const qlite_executor& host, std::shared_ptr<void> loan);

}  // namespace qlite::capi

#endif  // QLITE_CAPI_EXECUTOR_H_
