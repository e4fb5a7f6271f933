#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "exec/runtime/dataflow.h"
#include "job/epoch_coordinator.h"
#include "job/job.h"

namespace tidemill {

// A job: attempts at running its plan, one after the other, and the thread that drives them.
class JobRunner final : public Job, private DataflowListener {
 public:
  JobRunner(LogicalPlan plan, RuntimeEnvironment& environment, JobOptions options);
  ~JobRunner() override;
  // Opens the first attempt and starts the thread.
  Status Begin();

  Status Wait() override;
  bool WaitFor(int64_t timeout_ms) override;
  void Cancel() override;
  void Stop() override;
  JobStatus status() const override;

 private:
  class Environment;  // the caller's, with journals of our own
  // What one attempt owns; in the order of construction.
  struct Attempt {
    std::unique_ptr<JournalStore> journals;
    std::unique_ptr<Environment> environment;
    std::unique_ptr<RestoredEpoch> restored;
    std::unique_ptr<Dataflow> dataflow;
    std::unique_ptr<EpochCoordinator> coordinator;
  };
  // How waiting for something to do ended.
  struct News {
    std::deque<EpochAnswer> answers;
    std::optional<Status> failure;
    bool ended = false;
    bool cancelled = false;
    bool stop = false;
  };

  void OnEpochAnswer(EpochAnswer answer) override;
  void OnEnded() override;
  void OnFailed(Status status) override;

  Status Prepare();
  Status Recover(const std::optional<Manifest>& manifest);
  void Loop();
  Status RunAttempt();
  News WaitForNews(int64_t until_ns);
  bool WaitUnlessCancelled(int64_t ms);
  static bool Restartable(const Status& status);
  void SetState(JobStatus::State state);
  void Publish();
  void Finish(JobStatus::State state, Status error);

  const LogicalPlan plan_;
  RuntimeEnvironment& environment_;
  JobOptions options_;
  const Clock& clock_;
  std::unique_ptr<FileSystem> no_files_;
  std::thread thread_;
  std::unique_ptr<Attempt> attempt_;  // the job's thread's

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  News news_;
  bool cancel_ = false;
  bool stop_ = false;
  bool finished_ = false;
  JobStatus status_;
  Dataflow* shown_ = nullptr;     // guarded: whose counters status() reads
  int64_t rows_read_before_ = 0;  // of earlier attempts
  int64_t rows_written_before_ = 0;
};

}  // namespace tidemill
