#pragma once

#include <functional>
#include <mutex>
#include <utility>
#include <vector>

#include "log/groups/kafka_transactions.h"

namespace tidemill {

// Holds a KafkaTransactionCoordinator's lock for the time of a call; what the call decided is told when it is free.
class KafkaTransactionCoordinator::Call {
 public:
  explicit Call(KafkaTransactionCoordinator& coordinator) : Call(coordinator, coordinator.NowMs()) {}
  Call(KafkaTransactionCoordinator& coordinator, int64_t now_ms)
      : coordinator_(coordinator), lock_(coordinator.mutex_), deadline_ms_(coordinator.deadlines_.next_ms()) {
    coordinator.now_ms_ = now_ms;
  }
  ~Call() {
    const auto outbox = std::exchange(coordinator_.outbox_, {});
    const bool moved = coordinator_.deadlines_.next_ms() < deadline_ms_;
    lock_.unlock();
    for (const auto& tell : outbox) tell();
    if (moved && coordinator_.options_.deadline_moved) coordinator_.options_.deadline_moved();
  }

 private:
  KafkaTransactionCoordinator& coordinator_;
  std::unique_lock<std::mutex> lock_;
  const int64_t deadline_ms_;
};

}  // namespace tidemill
