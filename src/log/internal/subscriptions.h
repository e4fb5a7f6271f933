#pragma once

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "log/partition.h"

namespace tidemill::log_internal {

// Those who want to be woken by a partition. Notify costs one atomic read while nobody is armed. Thread-safe.
class Subscriptions : public std::enable_shared_from_this<Subscriptions> {
 public:
  std::unique_ptr<PartitionSubscription> Add(std::function<void()> wake) {
    auto entry = std::make_shared<Entry>();
    entry->wake = std::move(wake);
    std::lock_guard lock(mutex_);
    entries_.push_back(entry);
    return std::make_unique<Subscription>(shared_from_this(), std::move(entry));
  }

  void Notify() {
    if (armed_.load(std::memory_order_acquire) == 0) return;
    std::lock_guard lock(mutex_);
    for (const auto& entry : entries_) {
      if (entry->armed.exchange(false)) {
        armed_.fetch_sub(1);
        entry->wake();
      }
    }
  }

 private:
  struct Entry {
    std::atomic<bool> armed{false};
    std::function<void()> wake;
  };

  class Subscription final : public PartitionSubscription {
   public:
    Subscription(std::shared_ptr<Subscriptions> owner, std::shared_ptr<Entry> entry)
        : owner_(std::move(owner)), entry_(std::move(entry)) {}
    ~Subscription() override {
      std::lock_guard lock(owner_->mutex_);  // a wake that is under way holds it
      if (entry_->armed.exchange(false)) owner_->armed_.fetch_sub(1);
      std::erase(owner_->entries_, entry_);
    }
    void Arm() override {
      // The count goes up first, so that it is never too low for an armed entry.
      owner_->armed_.fetch_add(1);
      if (entry_->armed.exchange(true)) owner_->armed_.fetch_sub(1);
    }

   private:
    std::shared_ptr<Subscriptions> owner_;
    std::shared_ptr<Entry> entry_;
  };

  std::mutex mutex_;
  std::vector<std::shared_ptr<Entry>> entries_;
  std::atomic<int> armed_{0};
};

}  // namespace tidemill::log_internal
