#include "exec/runtime/lane_signal.h"

#include <chrono>

namespace tidemill {

void LaneSignal::Sleep(uint32_t seen, int64_t timeout_ns) {
  std::unique_lock<std::mutex> lock(mutex_);
  sleeping_.store(true, std::memory_order_seq_cst);
  changed_.wait_for(lock, std::chrono::nanoseconds(timeout_ns),
                    [&] { return count_.load(std::memory_order_seq_cst) != seen; });
  sleeping_.store(false, std::memory_order_seq_cst);
}

}  // namespace tidemill
