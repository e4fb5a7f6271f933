#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"

namespace tidemill {

// Event time, watermarks and window bounds: milliseconds since 1970-01-01 00:00 UTC (or of the wall clock, for
// TIMESTAMP).
using EventTime = int64_t;
inline constexpr EventTime kMinEventTime = INT64_MIN;  // "no watermark yet"
inline constexpr EventTime kMaxEventTime = INT64_MAX;  // "input has ended"

// Processing time. Thread-safe. Event time never comes from here.
class Clock {
 public:
  virtual ~Clock() = default;
  // Wall clock, microseconds since 1970.
  virtual int64_t NowMicros() const = 0;
  // Monotonic, nanoseconds from an unspecified start: leases, timeouts, durations.
  virtual int64_t MonotonicNanos() const = 0;
};

class SystemClock final : public Clock {
 public:
  int64_t NowMicros() const override;
  int64_t MonotonicNanos() const override;
};

// Moves only when told: for tests and the simulator.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(int64_t now_us = 0) : now_us_(now_us) {}
  int64_t NowMicros() const override { return now_us_.load(); }
  int64_t MonotonicNanos() const override { return now_us_.load() * 1000; }
  void AdvanceMicros(int64_t us) { now_us_ += us; }

 private:
  std::atomic<int64_t> now_us_;
};

// "250 ms", "5s", "7 d", "1 h 30 min" -> milliseconds. Flink's duration units (ns us ms s min h d and their long
// forms).
Result<int64_t> ParseDurationMs(std::string_view text);
// "64 mb", "1gb", "4096" -> bytes.
Result<int64_t> ParseBytes(std::string_view text);
// 1500 -> "1.5 s"; for messages.
std::string FormatDurationMs(int64_t ms);

}  // namespace tidemill
