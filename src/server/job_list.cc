#include "server/job_list.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "data/time_text.h"

namespace tidemill {
namespace {

nlohmann::json TimeOrNull(EventTime ms) {
  if (ms == kMinEventTime || ms == kMaxEventTime) return nullptr;
  std::string text;
  AppendTimestampText(ms, 3, 'T', FractionDigits::kAsPrecision, text);
  return text + "Z";
}

}  // namespace

JobStatus JobEntry::status() const {
  if (job) return job->status();
  JobStatus status;
  status.state = JobStatus::State::kFailed;
  status.error = start_error;
  return status;
}

void JobList::SetStarting(bool starting) {
  std::lock_guard lock(mutex_);
  starting_ = starting;
}

bool JobList::is_starting() const {
  std::lock_guard lock(mutex_);
  return starting_;
}

void JobList::Add(JobEntry entry) {
  std::lock_guard lock(mutex_);
  for (JobEntry& known : entries_) {
    if (known.name == entry.name) {
      known = std::move(entry);
      return;
    }
  }
  entries_.push_back(std::move(entry));
}

std::vector<JobEntry> JobList::List() const {
  std::lock_guard lock(mutex_);
  return entries_;
}

std::optional<JobEntry> JobList::Find(const std::string& name) const {
  std::lock_guard lock(mutex_);
  const auto found =
      std::find_if(entries_.begin(), entries_.end(), [&](const JobEntry& entry) { return entry.name == name; });
  if (found == entries_.end()) return std::nullopt;
  return *found;
}

const char* JobStateName(JobStatus::State state) {
  switch (state) {
    case JobStatus::State::kStarting:
      return "starting";
    case JobStatus::State::kRunning:
      return "running";
    case JobStatus::State::kRestarting:
      return "restarting";
    case JobStatus::State::kFinished:
      return "finished";
    case JobStatus::State::kFailed:
      return "failed";
    case JobStatus::State::kCancelled:
      break;
  }
  return "cancelled";
}

std::string JobToJson(const JobEntry& entry) {
  const JobStatus status = entry.status();
  nlohmann::json sources = nlohmann::json::array();
  for (const SourceStatus& source : status.sources) {
    sources.push_back(
        {{"name", source.name},
         {"records_in", source.records_in},
         {"lag_records", source.lag_records < 0 ? nlohmann::json(nullptr) : nlohmann::json(source.lag_records)},
         {"watermark", TimeOrNull(source.watermark)},
         {"idle", source.idle},
         {"ended", source.ended}});
  }
  nlohmann::json body = {{"id", entry.name},
                         {"script", entry.script},
                         {"state", JobStateName(status.state)},
                         {"bounded", entry.bounded},
                         {"started", TimeOrNull(entry.started_us / 1000)},
                         {"epoch", status.epoch},
                         {"restored_epoch", status.restored_epoch},
                         {"restarts", status.restarts},
                         {"records_in", status.records_in},
                         {"records_out", status.records_out},
                         {"state_bytes", status.state_bytes},
                         {"state_keys", status.state_keys},
                         {"sources", sources},
                         {"notes", status.notes},
                         {"error", nullptr}};
  if (!status.error.ok()) {
    body["error"] = {{"code", fmt::format("TM{:04}", status.error.code().number)}, {"message", status.error.message()}};
  }
  return body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace tidemill
