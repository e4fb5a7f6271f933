#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <unordered_map>
#include <utility>

namespace tidemill {

// What is to be done when, in one thread: whoever holds it runs what is due. Ids are never reused; 0 is none.
class DeadlineQueue {
 public:
  using Id = uint64_t;

  Id Add(int64_t at_ms, std::function<void()> run) {
    const Id id = ++last_id_;
    queue_.emplace(std::pair(at_ms, id), std::move(run));
    times_.emplace(id, at_ms);
    return id;
  }
  // Forgets it, if it is still there, and sets the id to 0.
  void Cancel(Id* id) {
    if (const auto it = times_.find(*id); it != times_.end()) {
      queue_.erase({it->second, it->first});
      times_.erase(it);
    }
    *id = 0;
  }
  int64_t next_ms() const { return queue_.empty() ? INT64_MAX : queue_.begin()->first.first; }
  // Runs the first that is due, which may add and cancel others. False: none is.
  bool RunOne(int64_t now_ms) {
    if (next_ms() > now_ms) return false;
    auto node = queue_.extract(queue_.begin());
    times_.erase(node.key().second);
    node.mapped()();
    return true;
  }

 private:
  std::map<std::pair<int64_t, Id>, std::function<void()>> queue_;
  std::unordered_map<Id, int64_t> times_;
  Id last_id_ = 0;
};

}  // namespace tidemill
