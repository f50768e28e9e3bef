#include "benchmark/cpu_binding.h"

#include <sched.h>

#include <algorithm>
#include <string>

#include "common/text.h"

namespace qlite::cli {

absl::Status BindToCores(int64_t mode, int64_t threads, const std::vector<int>& cores) {
  if (mode == 0 && cores.empty()) return absl::OkStatus();
  cpu_set_t available;
  if (sched_getaffinity(0, sizeof(available), &available) != 0) {
    return absl::UnavailableError("the cores of this process cannot be read");
  }
  std::vector<int> usable;
  for (int core = 0; core < CPU_SETSIZE; ++core) {
    if (CPU_ISSET(static_cast<size_t>(core), &available)) usable.push_back(core);
  }
  std::vector<int> chosen = cores;
  if (chosen.empty()) {
    const auto count = static_cast<std::ptrdiff_t>(std::min<int64_t>(threads, static_cast<int64_t>(usable.size())));
    chosen = mode == 1 ? std::vector<int>(usable.begin(), usable.begin() + count)
                       : std::vector<int>(usable.end() - count, usable.end());
  }
  cpu_set_t wanted;
  CPU_ZERO(&wanted);
  for (const int core : chosen) {
    if (std::find(usable.begin(), usable.end(), core) == usable.end()) {
      return absl::InvalidArgumentError(Join({"cpuCoreList: core ", std::to_string(core), " is not available"}));
    }
    CPU_SET(static_cast<size_t>(core), &wanted);
  }
  if (sched_setaffinity(0, sizeof(wanted), &wanted) != 0)
    return absl::UnavailableError("the process cannot be bound to cores");
  return absl::OkStatus();
}

}  // namespace qlite::cli
