#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "exec/runtime/element.h"
#include "exec/runtime/lane_signal.h"

namespace tidemill {

// A queue from one subtask to one other, in order, without locks (a linked list with one producer and one consumer,
// after Vyukov). Bounded in bytes by its user: the producer runs only while HasRoom. One run may push beyond the bound
// (a watermark that fires many windows), so memory is the bound plus one run's output.
class Channel {
 public:
  // `producer` / `consumer`: the lanes at both ends; equal when both are the same thread.
  Channel(int64_t bytes_max, std::shared_ptr<LaneSignal> producer, std::shared_ptr<LaneSignal> consumer);
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  // Producer.
  void Push(Element element);
  bool HasRoom() const { return bytes_.load(std::memory_order_acquire) < bytes_max_; }

  // Consumer. Front is valid until Pop.
  Element* Front();
  bool empty() { return Front() == nullptr; }
  Element Pop();

  int64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }
  int64_t bytes_max() const { return bytes_max_; }

 private:
  struct Node {
    Element element;
    int64_t bytes = 0;
    std::atomic<Node*> next{nullptr};
  };

  const int64_t bytes_max_;
  const std::shared_ptr<LaneSignal> producer_;
  const std::shared_ptr<LaneSignal> consumer_;
  alignas(64) Node* head_;  // consumer: a node already taken; its `next` is the front
  alignas(64) Node* tail_;  // producer
  alignas(64) std::atomic<int64_t> bytes_{0};
};

}  // namespace tidemill
