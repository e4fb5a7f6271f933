#pragma once

#include <cstdint>

#include "base/random.h"

namespace tidemill {

// When a failed call is tried again: exponential backoff with full jitter (Brooker, "Exponential Backoff And Jitter",
// AWS 2015).
struct RetryPolicy {
  int attempts_max = 8;      // the first one included
  int64_t backoff_ms = 100;  // upper bound of the first pause; doubles each time
  int64_t backoff_max_ms = 30'000;

  // The pause after `attempts` failed attempts (1 = after the first), uniform in (0, min(backoff_max, backoff *
  // 2^(attempts - 1))].
  int64_t PauseMs(int attempts, Random& random) const;
};

}  // namespace tidemill
