#pragma once

#include <chrono>
#include <thread>

namespace tidemill::testing {

// Waits up to a minute until `condition()` holds, as a test of threads must; false when it never did.
template <typename Condition>
bool Eventually(Condition condition) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

}  // namespace tidemill::testing
