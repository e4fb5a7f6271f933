#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "job/job.h"

namespace tidemill {

// One job of this process, running or ended.
struct JobEntry {
  std::string name;
  std::string script;
  int64_t started_us = 0;
  bool bounded = false;
  std::shared_ptr<Job> job;  // null: it did not start
  Status start_error;

  JobStatus status() const;  // kFailed with start_error when it did not start
};

// The jobs of this process, for the HTTP API and the checks of /readyz. Thread-safe.
class JobList {
 public:
  // Until this is taken back, the process is not ready: scripts are still being planned and opened.
  void SetStarting(bool starting);
  bool is_starting() const;
  // One of the same name is replaced.
  void Add(JobEntry entry);
  std::vector<JobEntry> List() const;  // in the order they came
  std::optional<JobEntry> Find(const std::string& name) const;

 private:
  mutable std::mutex mutex_;
  bool starting_ = false;
  std::vector<JobEntry> entries_;
};

// "running", "finished", ...
const char* JobStateName(JobStatus::State state);
// For the API and `--output json`.
std::string JobToJson(const JobEntry& entry);

}  // namespace tidemill
