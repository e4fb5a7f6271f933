#include "exec/runtime/lane.h"

#include <algorithm>
#include <string>

#include <pthread.h>
#include <sched.h>

namespace tidemill {
namespace {

constexpr int64_t kStallNs = 1'000'000'000;  // asleep so long with a full input that waits for another: let it go
constexpr int kRunsPerCheck = 64;            // of deadlines and pressure, while there is always something to do

void PinTo(int core) {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET(core, &cores);
  (void)pthread_setaffinity_np(pthread_self(), sizeof(cores), &cores);  // not allowed in some containers: then unpinned
}

}  // namespace

Lane::Lane(int number, std::shared_ptr<LaneSignal> signal, const Clock& clock)
    : number_(number), signal_(std::move(signal)), clock_(clock) {}

Lane::~Lane() {
  RequestStop();
  Join();
}

void Lane::Start(std::function<void(Status)> on_failure, bool pin) {
  thread_ = std::thread([this, pin, on_failure = std::move(on_failure)] {
    (void)pthread_setname_np(pthread_self(), ("lane-" + std::to_string(number_)).c_str());
    if (pin) PinTo(number_);
    Loop(on_failure);
  });
}

void Lane::RequestStop() {
  stop_.store(true, std::memory_order_release);
  signal_->Notify();
}

void Lane::Join() {
  if (thread_.joinable()) thread_.join();
}

void Lane::Loop(const std::function<void(Status)>& on_failure) {
  int runs = 0;
  int64_t asleep_since = 0;
  while (!stop_.load(std::memory_order_acquire)) {
    const uint32_t seen = signal_->Look();
    bool ran = false;
    Status status = RunOne(ran);
    if (status.ok() && (!ran || ++runs % kRunsPerCheck == 0)) {
      for (Subtask* subtask : subtasks_) subtask->SamplePressure();
      status = CheckDeadlines();
    }
    if (!status.ok()) {
      on_failure(std::move(status));
      return;
    }
    if (ran) {
      asleep_since = 0;
      continue;
    }
    const int64_t now = clock_.MonotonicNanos();
    if (asleep_since == 0) asleep_since = now;
    int64_t deadline = now + kStallNs;
    for (const Subtask* subtask : subtasks_) deadline = std::min(deadline, subtask->NextDeadlineNs());
    if (deadline > now) signal_->Sleep(seen, deadline - now);
    if (clock_.MonotonicNanos() - asleep_since >= kStallNs) {
      for (Subtask* subtask : subtasks_) subtask->OnStall();
    }
  }
}

Status Lane::RunOne(bool& ran) {
  for (auto it = subtasks_.rbegin(); it != subtasks_.rend(); ++it) {
    Subtask& subtask = **it;
    if (!subtask.Ready()) continue;
    ran = true;
    const int64_t from = clock_.MonotonicNanos();
    Status status = subtask.Run();
    subtask.busy_ns().fetch_add(clock_.MonotonicNanos() - from, std::memory_order_relaxed);
    return status;
  }
  return Status::OK();
}

void Lane::AppendReady(std::vector<Subtask*>& ready) {
  for (Subtask* subtask : subtasks_) {
    if (subtask->Ready()) ready.push_back(subtask);
  }
}

Status Lane::CheckDeadlines() {
  const int64_t now = clock_.MonotonicNanos();
  for (Subtask* subtask : subtasks_) TM_RETURN_IF_ERROR(subtask->CheckDeadline(now));
  return Status::OK();
}

}  // namespace tidemill
