#pragma once

#include <algorithm>
#include <atomic>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "base/status.h"

namespace tidemill {

// Calls task(0) .. task(n - 1) on up to `threads` threads, this one included, and returns when all are done: with the
// first error. For work that waits for a disk: syncs of many files at once take little longer than one.
inline Status RunParallel(size_t n, int threads, const std::function<Status(size_t)>& task) {
  std::atomic<size_t> next{0};
  std::mutex mutex;
  Status error;
  const auto run = [&] {
    for (size_t i = next.fetch_add(1); i < n; i = next.fetch_add(1)) {
      const Status status = task(i);
      if (status.ok()) continue;
      const std::lock_guard lock(mutex);
      if (error.ok()) error = status;
    }
  };
  std::vector<std::thread> others;
  for (size_t i = 1; i < std::min<size_t>(n, static_cast<size_t>(threads)); ++i) others.emplace_back(run);
  run();
  for (std::thread& other : others) other.join();
  return error;
}

}  // namespace tidemill
