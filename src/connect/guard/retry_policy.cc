#include "connect/guard/retry_policy.h"

#include <algorithm>

namespace tidemill {

int64_t RetryPolicy::PauseMs(int attempts, Random& random) const {
  const int doublings = std::clamp(attempts - 1, 0, 40);
  const int64_t bound =
      std::min(backoff_max_ms, backoff_ms > (backoff_max_ms >> doublings) ? backoff_max_ms : backoff_ms << doublings);
  return 1 + static_cast<int64_t>(random.Uniform(static_cast<uint64_t>(std::max<int64_t>(1, bound))));
}

}  // namespace tidemill
