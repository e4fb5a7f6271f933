#include "job/job.h"

#include <algorithm>
#include <thread>

#include "base/errors.h"
#include "job/internal/job_runner.h"

namespace tidemill {

Result<int> ParallelismOf(const Config& settings) {
  const int64_t cores = std::max<int64_t>(1, std::thread::hardware_concurrency());
  TM_ASSIGN_OR_RETURN(const int64_t parallelism, settings.GetInt("parallelism.default", cores));
  if (parallelism < 1 || parallelism > kKeyGroups) {
    return Status(kInvalidConfig, "'parallelism.default' = '" + std::to_string(parallelism) + "': expected 1 to " +
                                      std::to_string(kKeyGroups));
  }
  return static_cast<int>(parallelism);
}

Result<std::unique_ptr<Job>> Job::Start(LogicalPlan plan, RuntimeEnvironment& environment, JobOptions options) {
  if (options.parallelism == 0) {
    TM_ASSIGN_OR_RETURN(options.parallelism, ParallelismOf(plan.settings));
  }
  if (options.checkpoint_interval_ms == 0) {
    TM_ASSIGN_OR_RETURN(options.checkpoint_interval_ms,
                        plan.settings.GetDurationMs("execution.checkpointing.interval", 1000));
    if (options.checkpoint_interval_ms < 1) {
      return Status(kInvalidConfig, "'execution.checkpointing.interval' must be at least 1 ms");
    }
  }
  if (options.files == nullptr && !options.state_dir.empty())
    return Status(kInternalError, "a state directory without a file system");
  auto runner = std::make_unique<JobRunner>(std::move(plan), environment, std::move(options));
  TM_RETURN_IF_ERROR(runner->Begin());
  return std::unique_ptr<Job>(std::move(runner));
}

}  // namespace tidemill
