// The embedded log: appending, reading, and the time from an append to its being on disk.
//
// Rates: one iteration appends (reads) 1,000,000 records of 100-byte values, 1,000 an append (1,024 a poll); given per
// second of processor time of the one thread that does it, and of the clock. Beside them the floor: the same bytes
// written (read) with one system call per batch and no log. Latency: one record of 100 bytes, then SyncUpTo; beside it,
// alternating, a raw write + fdatasync of as many bytes in the same directory. Shared: eight threads doing the same,
// and how many fsyncs that took. Usage: bench_log [directory]   (made below the working directory by default; must be
// on the disk that is meant)
#include "log/log.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "log/record_batch.h"

namespace {

using namespace tidemill;

constexpr int64_t kRecords = 1'000'000;
constexpr int kPerAppend = 1'000;
constexpr int kRounds = 5;
constexpr int kSyncs = 1'500;

void Check(const Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  std::exit(1);
}

template <typename T>
T Take(Result<T> result) {
  if (!result.ok()) Check(result.status());
  return *std::move(result);
}

double Seconds(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

struct Spread {
  std::vector<double> values;
  double Median() {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
  }
  double At(double q) {
    std::sort(values.begin(), values.end());
    return values[std::min(values.size() - 1, static_cast<size_t>(q * static_cast<double>(values.size())))];
  }
};

// Millions of records per second of processor time and of the clock.
void PrintRate(const char* name, const std::function<void()>& work) {
  work();  // warm
  Spread cpu, wall;
  for (int round = 0; round < kRounds; ++round) {
    const double cpu_start = Seconds(CLOCK_THREAD_CPUTIME_ID), wall_start = Seconds(CLOCK_MONOTONIC);
    work();
    cpu.values.push_back(kRecords / 1e6 / (Seconds(CLOCK_THREAD_CPUTIME_ID) - cpu_start));
    wall.values.push_back(kRecords / 1e6 / (Seconds(CLOCK_MONOTONIC) - wall_start));
  }
  std::printf("%-34s %7.2f M records/s of cpu (%.2f .. %.2f)   %7.2f M/s of the clock\n", name, cpu.Median(), cpu.At(0),
              cpu.At(1), wall.Median());
}

void PrintLatency(const char* name, Spread& us) {
  std::printf("%-34s p50 %7.0f us   p90 %7.0f us   p99 %7.0f us   max %7.0f us\n", name, us.At(0.5), us.At(0.9),
              us.At(0.99), us.At(1));
}

void Rates(Log& log, const std::string& directory) {
  Check(log.CreateTopic("rates", {.segment_bytes = 128 << 20}));
  auto partition = Take(log.partition("rates", 0));
  const std::string value(100, 'v');
  std::vector<Record> records(kPerAppend, Record{{}, value, {}, 1'700'000'000'000});
  PrintRate("append", [&] {
    Check(partition->TrimBefore(partition->Offsets().end));
    for (int64_t i = 0; i < kRecords; i += kPerAppend) Take(partition->Append(records));
  });
  std::string encoded;
  Check(EncodeBatch(records, {}, &encoded));
  PrintRate("append of encoded batches", [&] {
    Check(partition->TrimBefore(partition->Offsets().end));
    for (int64_t i = 0; i < kRecords; i += kPerAppend) Take(partition->AppendBatchBytes(encoded));
  });
  int64_t producer_id = 0;
  std::string numbered;
  PrintRate("  the same with a producer id", [&] {
    Check(partition->TrimBefore(partition->Offsets().end));
    producer_id = Take(log.AllocateProducerId());
    for (int64_t i = 0; i < kRecords; i += kPerAppend) {
      numbered.clear();
      Check(EncodeBatch(records,
                        {.producer_id = producer_id,
                         .producer_epoch = 0,
                         .base_sequence = static_cast<int32_t>(i),
                         .transactional = false},
                        &numbered));
      Take(partition->AppendBatchBytes(numbered));
    }
  });
  const std::string batch(109 * kPerAppend + 61, 'b');
  const std::string raw_path = directory + "/raw";
  PrintRate("  floor: write(2) of the bytes", [&] {
    const int fd = ::open(raw_path.c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0644);
    for (int64_t i = 0; i < kRecords; i += kPerAppend) {
      if (::write(fd, batch.data(), batch.size()) < 0) std::exit(1);
    }
    ::close(fd);
  });
  std::atomic<uint64_t> sum{0};  // so that nothing is optimised away
  PrintRate("read", [&] {
    PartitionReader reader(partition, partition->Offsets().end - kRecords);
    std::vector<RecordView> views;
    uint64_t bytes = 0;
    do {
      Check(reader.Poll(1024, &views));
      for (const RecordView& view : views) bytes += view.value.size() + static_cast<uint8_t>(view.value[0]);
    } while (!views.empty());
    sum += bytes;
  });
  PrintRate("  floor: read(2) and checksum", [&] {
    const int fd = ::open(raw_path.c_str(), O_RDONLY);
    std::string buffer(256 << 10, '\0');
    uint64_t crc = 0;
    for (ssize_t n; (n = ::read(fd, buffer.data(), buffer.size())) > 0;)
      crc += Crc32c({buffer.data(), static_cast<size_t>(n)});
    ::close(fd);
    sum += crc;
  });
}

void Latency(Log& log, const std::string& directory) {
  Check(log.CreateTopic("latency"));
  auto partition = Take(log.partition("latency", 0));
  const std::string value(100, 'v');
  const Record record{{}, value};
  const std::string raw(170, 'r');
  const int fd = ::open((directory + "/synced").c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0644);
  Spread log_us, raw_us;
  for (int i = 0; i < kSyncs; ++i) {
    double start = Seconds(CLOCK_MONOTONIC);
    Check(partition->SyncUpTo(Take(partition->Append({&record, 1}))));
    log_us.values.push_back((Seconds(CLOCK_MONOTONIC) - start) * 1e6);
    start = Seconds(CLOCK_MONOTONIC);
    if (::write(fd, raw.data(), raw.size()) < 0 || ::fdatasync(fd) != 0) std::exit(1);
    raw_us.values.push_back((Seconds(CLOCK_MONOTONIC) - start) * 1e6);
  }
  ::close(fd);
  PrintLatency("append to durable", log_us);
  PrintLatency("  floor: write + fdatasync", raw_us);
}

void Shared(Log& log, MetricsRegistry& metrics) {
  constexpr int kThreads = 8;
  Check(log.CreateTopic("shared"));
  auto partition = Take(log.partition("shared", 0));
  Histogram* syncs = metrics.GetHistogram("tidemill_log_sync_seconds", "");
  const int64_t before = syncs->count();
  std::vector<std::thread> threads;
  std::vector<Spread> us(kThreads);
  const double start = Seconds(CLOCK_MONOTONIC);
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      const std::string value(100, 'v');
      const Record record{{}, value};
      for (int i = 0; i < kSyncs / 2; ++i) {
        const double begin = Seconds(CLOCK_MONOTONIC);
        Check(partition->SyncUpTo(Take(partition->Append({&record, 1}))));
        us[static_cast<size_t>(t)].values.push_back((Seconds(CLOCK_MONOTONIC) - begin) * 1e6);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  const double seconds = Seconds(CLOCK_MONOTONIC) - start;
  Spread all;
  for (const Spread& spread : us) all.values.insert(all.values.end(), spread.values.begin(), spread.values.end());
  PrintLatency("append to durable, 8 threads", all);
  std::printf("%-34s %zu records durable in %.2f s with %lld fsyncs (%.1f records each)\n", "", all.values.size(),
              seconds, static_cast<long long>(syncs->count() - before),
              static_cast<double>(all.values.size()) / static_cast<double>(syncs->count() - before));
}

}  // namespace

int main(int argc, char** argv) {
  std::string directory = argc > 1 ? argv[1] : "bench-log-XXXXXX";
  if (argc <= 1 && ::mkdtemp(directory.data()) == nullptr) return 1;
  LocalFileSystem files;
  SystemClock clock;
  MetricsRegistry metrics;
  {
    auto log = Take(Log::Open(files, clock, directory + "/log", {.metrics = &metrics}));
    Rates(*log, directory);
    Latency(*log, directory);
    Shared(*log, metrics);
  }
  Check(RemoveRecursively(files, argc > 1 ? directory + "/log" : directory));
  return 0;
}
