#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <arrow/memory_pool.h>
#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include "server/http_api.h"
#include "server/version.h"

namespace tidemill {
namespace {

struct MemoryUse {
  double virtual_bytes = 0;
  double resident_bytes = 0;
};

MemoryUse ReadMemory() {
  MemoryUse use;
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  if (file == nullptr) return use;
  long total = 0;
  long resident = 0;
  if (std::fscanf(file, "%ld %ld", &total, &resident) == 2) {
    const auto page = static_cast<double>(sysconf(_SC_PAGESIZE));
    use = {static_cast<double>(total) * page, static_cast<double>(resident) * page};
  }
  std::fclose(file);
  return use;
}

int CountEntries(const char* directory) {
  DIR* dir = opendir(directory);
  if (dir == nullptr) return 0;
  int n = 0;
  while (const dirent* entry = readdir(dir)) n += entry->d_name[0] != '.';
  closedir(dir);
  return n;
}

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace

void RegisterProcessMetrics(MetricsRegistry& metrics, const Clock& clock) {
  metrics.GetGauge("tidemill_build_info", "What this binary is; always 1", {{"version", std::string(VersionText())}})
      ->Set(1);
  Gauge* uptime = metrics.GetGauge("tidemill_uptime_seconds", "Seconds since the process started");
  Gauge* started = metrics.GetGauge("process_start_time_seconds", "Start of the process, seconds since 1970");
  Gauge* cpu = metrics.GetGauge("process_cpu_seconds_total", "User and system time spent");
  Gauge* resident = metrics.GetGauge("process_resident_memory_bytes", "Resident memory");
  Gauge* virtual_memory = metrics.GetGauge("process_virtual_memory_bytes", "Virtual memory");
  Gauge* descriptors = metrics.GetGauge("process_open_fds", "Open file descriptors");
  Gauge* descriptors_max = metrics.GetGauge("process_max_fds", "Most file descriptors that may be open");
  Gauge* threads = metrics.GetGauge("process_threads", "Threads");
  Gauge* arrow_bytes = metrics.GetGauge("tidemill_memory_bytes", "Memory by component", {{"component", "columns"}});
  Gauge* arrow_peak = metrics.GetGauge("tidemill_memory_bytes", "Memory by component", {{"component", "columns_peak"}});
  const int64_t begin_ns = clock.MonotonicNanos();
  started->Set(static_cast<double>(clock.NowMicros()) / 1e6);
  metrics.AddCollector([=, &clock] {
    uptime->Set(static_cast<double>(clock.MonotonicNanos() - begin_ns) / 1e9);
    cpu->Set(CpuSeconds());
    const MemoryUse use = ReadMemory();
    resident->Set(use.resident_bytes);
    virtual_memory->Set(use.virtual_bytes);
    descriptors->Set(CountEntries("/proc/self/fd") - 1);
    threads->Set(CountEntries("/proc/self/task"));
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) descriptors_max->Set(static_cast<double>(limit.rlim_cur));
    arrow::MemoryPool* pool = arrow::default_memory_pool();
    arrow_bytes->Set(static_cast<double>(pool->bytes_allocated()));
    arrow_peak->Set(static_cast<double>(pool->max_memory()));
  });
}

}  // namespace tidemill
