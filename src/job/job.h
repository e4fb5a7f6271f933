#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/status.h"
#include "exec/runtime_environment.h"
#include "sql/logical_plan.h"

namespace tidemill {

struct JobOptions {
  std::string name = "job";
  int parallelism = 0;          // lanes; 0: setting 'parallelism.default', else the number of cores
  FileSystem* files = nullptr;  // where state_dir lies; needed unless that is empty
  std::string state_dir;        // "" = no durability: epochs still make sinks' output visible, but nothing is saved
  int64_t checkpoint_interval_ms = 0;  // 0: setting 'execution.checkpointing.interval', else 1 s
  bool restore = true;                 // from the newest good manifest in state_dir, when there is one
  int restart_attempts =
      3;  // in a row, of this process, without an epoch in between; user and data errors never restart
  int64_t restart_backoff_ms = 500;  // doubled every time
  // Where roots go that are no INSERT (SELECT): gets all columns of the root. Null: such a plan is refused.
  std::shared_ptr<Sink> result_sink;
  int batch_rows_max = kBatchRowsMax;  // tests: 1
  bool pin_lanes = true;               // one core a lane, when there are enough
};

struct SourceStatus {
  std::string name;  // LogicalNode::name of the scan
  int64_t records_in = 0;
  int64_t lag_records = -1;  // -1 = unknown
  EventTime watermark = kMinEventTime;
  bool idle = false;
  bool ended = false;
};

struct JobStatus {
  enum class State : uint8_t { kStarting, kRunning, kRestarting, kFinished, kFailed, kCancelled };
  State state = State::kStarting;
  int64_t epoch = 0;           // last one that is durable and committed
  int64_t restored_epoch = 0;  // where this process started; 0 = from the beginning
  int restarts = 0;
  int64_t records_in = 0;
  int64_t records_out = 0;  // given to sinks
  int64_t state_bytes = 0;  // as of the last epoch
  int64_t state_keys = 0;
  std::vector<SourceStatus> sources;
  std::vector<std::string> notes;  // e.g. saved state that no operator claimed
  Status error;                    // why it failed
};

// One running plan: lanes that process, and a thread that drives its epochs (architecture.md, section 6). Thread-safe.
// Destruction cancels.
class Job {
 public:
  // Opens everything (sources, models, sinks, saved state), then runs. `environment` outlives the job.
  static Result<std::unique_ptr<Job>> Start(LogicalPlan plan, RuntimeEnvironment& environment, JobOptions options);
  virtual ~Job() = default;
  // Until it has ended: OK when bounded input was processed and committed to its end, kCancelled after Cancel, else why
  // it failed.
  virtual Status Wait() = 0;
  // Waits at most so long; false = still running.
  virtual bool WaitFor(int64_t timeout_ms) = 0;
  // Stops without an epoch: what is not committed is redone by the next run. Returns at once; Wait says when it is
  // over.
  virtual void Cancel() = 0;
  // Ends with an epoch: all that was read so far is processed as far as it goes, saved and committed. Returns at once.
  virtual void Stop() = 0;
  virtual JobStatus status() const = 0;
};

// 'parallelism.default' of the plan's settings, else the number of cores.
Result<int> ParallelismOf(const Config& settings);

}  // namespace tidemill
