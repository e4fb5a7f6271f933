#include "base/logging.h"

#include <atomic>
#include <chrono>
#include <cstdio>
#include <ctime>

#include <unistd.h>

namespace tidemill {
namespace {

std::atomic<int> log_level{static_cast<int>(LogLevel::kInfo)};
constexpr const char* kNames[] = {"DEBUG", "INFO", "WARN", "ERROR"};

}  // namespace

void SetLogLevel(LogLevel level) { log_level.store(static_cast<int>(level), std::memory_order_relaxed); }

void WriteLogLine(LogLevel level, std::string_view message) {
  if (static_cast<int>(level) < log_level.load(std::memory_order_relaxed)) return;
  const int64_t ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count();
  const std::time_t seconds = static_cast<std::time_t>(ms / 1000);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char head[64];
  const size_t n = std::strftime(head, sizeof(head), "%Y-%m-%dT%H:%M:%S", &utc);
  std::snprintf(head + n, sizeof(head) - n, ".%03dZ %-5s ", static_cast<int>(ms % 1000),
                kNames[static_cast<int>(level)]);
  std::string line(head);
  line.append(message);
  line += '\n';
  // One write per line, so that lines of several threads or processes never mix. A closed stderr is nobody's problem.
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace tidemill
