#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "exec/runtime/lane_signal.h"
#include "exec/runtime/subtask.h"

namespace tidemill {

// One thread that runs its subtasks when they are ready, furthest downstream first, and sleeps when none is.
class Lane {
 public:
  Lane(int number, std::shared_ptr<LaneSignal> signal, const Clock& clock);
  ~Lane();

  // While building, upstream first.
  void Add(Subtask* subtask) { subtasks_.push_back(subtask); }
  // `on_failure` is called on the lane with the first error; the lane then ends.
  void Start(std::function<void(Status)> on_failure, bool pin);
  void RequestStop();
  void Join();

  // Without a thread (the simulator): subtasks that are ready now, and what else may be done when none is.
  void AppendReady(std::vector<Subtask*>& ready);
  Status CheckDeadlines();

 private:
  void Loop(const std::function<void(Status)>& on_failure);
  Status RunOne(bool& ran);

  const int number_;
  const std::shared_ptr<LaneSignal> signal_;
  const Clock& clock_;
  std::vector<Subtask*> subtasks_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace tidemill
