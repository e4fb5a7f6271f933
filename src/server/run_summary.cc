#include "server/run_summary.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "data/time_text.h"
#include "server/output.h"

namespace tidemill {
namespace {

constexpr int64_t kProgressEveryNs = 250'000'000;

int64_t SumRecordsIn(const std::vector<JobStatus>& jobs) {
  int64_t sum = 0;
  for (const JobStatus& job : jobs) sum += job.records_in;
  return sum;
}

std::string ShownTime(EventTime ms) {
  std::string text;
  AppendTimestampText(ms, 3, ' ', FractionDigits::kMinimal, text);
  return text;
}

// Values of a counter family summed by one label.
std::map<std::string, int64_t> SumBy(const MetricsRegistry& metrics, std::string_view family, std::string_view label) {
  std::map<std::string, int64_t> sums;
  for (const auto& [labels, value] : metrics.CounterValues(family)) {
    std::string key;
    for (const auto& [name, text] : labels) {
      if (name == label) key = text;
    }
    if (value > 0) sums[key] += value;
  }
  return sums;
}

}  // namespace

void RunProgress::Show(const std::vector<JobStatus>& jobs) {
  const int64_t now = clock_.MonotonicNanos();
  if (now - std::max(shown_ns_, begin_ns_) < kProgressEveryNs || !console_.shows_progress()) return;
  const int64_t records = SumRecordsIn(jobs);
  const double seconds = static_cast<double>(now - (shown_ns_ == 0 ? begin_ns_ : shown_ns_)) / 1e9;
  const double now_rate = static_cast<double>(records - shown_records_) / seconds;
  rate_ = shown_ns_ == 0 ? now_rate : rate_ + (now_rate - rate_) * std::min(1.0, seconds / 2);
  EventTime watermark = kMaxEventTime;
  int64_t epoch = 0;
  for (const JobStatus& job : jobs) {
    epoch = std::max(epoch, job.epoch);
    for (const SourceStatus& source : job.sources) {
      if (!source.ended && !source.idle) watermark = std::min(watermark, source.watermark);
    }
  }
  std::string line = fmt::format("{} events  {}/s", WithThousands(records), WithThousands(static_cast<int64_t>(rate_)));
  if (watermark != kMaxEventTime && watermark != kMinEventTime) line += "  watermark " + ShownTime(watermark);
  console_.Progress(line + fmt::format("  epoch {}", epoch));
  shown_ns_ = now;
  shown_records_ = records;
}

std::vector<std::string> RunSummary::Lines(const std::string& name, const std::vector<JobStatus>& jobs,
                                           const MetricsRegistry& metrics) const {
  std::vector<std::string> lines;
  if (jobs.empty()) return lines;
  const double seconds = static_cast<double>(clock_.MonotonicNanos() - begin_ns_) / 1e9;
  const int64_t records_in = SumRecordsIn(jobs);
  int64_t records_out = 0;
  int64_t restarts = 0;
  for (const JobStatus& job : jobs) {
    records_out += job.records_out;
    restarts += job.restarts;
  }
  lines.push_back(
      fmt::format("{}: {} events in, {} rows out, {:.1f} s ({} events/s)", name, WithThousands(records_in),
                  WithThousands(records_out), seconds,
                  WithThousands(static_cast<int64_t>(static_cast<double>(records_in) / std::max(seconds, 1e-3)))));
  std::string rejected;
  int64_t rejected_sum = 0;
  for (const auto& [reason, count] : SumBy(metrics, "tidemill_dlq_records_total", "reason")) {
    rejected += fmt::format("{}{} {}", rejected.empty() ? "" : ", ", reason, WithThousands(count));
    rejected_sum += count;
  }
  if (rejected_sum > 0)
    lines.push_back(fmt::format("  rejected {}: {} (tidemill dlq list)", WithThousands(rejected_sum), rejected));
  std::string late;
  for (const auto& [outcome, count] : SumBy(metrics, "tidemill_late_records_total", "outcome")) {
    late +=
        fmt::format("{}{} {}", late.empty() ? "" : ", ", WithThousands(count), outcome.empty() ? "rejected" : outcome);
  }
  if (!late.empty()) lines.push_back("  late: " + late);
  if (restarts > 0) lines.push_back(fmt::format("  restarted {} time{}", restarts, restarts == 1 ? "" : "s"));
  return lines;
}

}  // namespace tidemill
