#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "job/job.h"
#include "server/console.h"

namespace tidemill {

// The line that moves on a terminal while a job runs.
class RunProgress {
 public:
  RunProgress(Console& console, const Clock& clock)
      : console_(console), clock_(clock), begin_ns_(clock.MonotonicNanos()) {}
  // At most a few times a second; cheap otherwise.
  void Show(const std::vector<JobStatus>& jobs);

 private:
  Console& console_;
  const Clock& clock_;
  const int64_t begin_ns_;
  int64_t shown_ns_ = 0;
  int64_t shown_records_ = 0;
  double rate_ = 0;  // events a second, smoothed over about two seconds
};

// What is said at the end: events in and out, seconds, refused rows by reason, late rows.
class RunSummary {
 public:
  explicit RunSummary(const Clock& clock) : clock_(clock), begin_ns_(clock.MonotonicNanos()) {}
  std::vector<std::string> Lines(const std::string& name, const std::vector<JobStatus>& jobs,
                                 const MetricsRegistry& metrics) const;

 private:
  const Clock& clock_;
  const int64_t begin_ns_;
};

}  // namespace tidemill
