#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/metrics.h"
#include "data/reject.h"
#include "log/log.h"

namespace tidemill {

// Keeps the rows that a job refuses. With a log: topic `dlq.<origin>`, one record a row: the row as it came as the
// value; reason, detail, topic (its source), partition, offset, field and event_time as headers. Else with a directory:
// `<origin>.jsonl` there. Else the last ones in memory. Counted in tidemill_dlq_records_total{reason}; late ones are
// counted by the operators that refuse them.
//
// Lanes only put rows into a bounded queue; one thread writes. When the queue is full, sinks say that they have no room
// and subtasks get no input until it is written, so nothing is lost and memory stays bounded, also while a disk is
// full. After a crash, rows that were refused since the last epoch are refused again: at least once.
class RejectStore {
 public:
  struct Options {
    Log* log = nullptr;
    FileSystem* files = nullptr;
    std::string directory;  // "": none
    const Clock* clock = nullptr;
    MetricsRegistry* metrics = nullptr;
    std::string job = "job";
    int64_t queue_bytes_max = 32 << 20;
    size_t kept_in_memory = 1000;  // of each origin
  };
  explicit RejectStore(Options options);
  ~RejectStore();

  std::unique_ptr<RejectSink> MakeSink(const std::string& origin);
  // Everything refused so far is durable when it returns. kDiskFull when that is what it waits for.
  Status Sync();
  // The last ones of an origin, oldest first.
  std::vector<RejectedRow> Recent(const std::string& origin) const;
  int64_t total() const { return total_.load(); }

 private:
  class OriginSink;
  struct Entry {
    std::string origin;
    RejectedRow row;
  };

  void Push(const std::string& origin, RejectedRow row);
  bool HasRoom() const { return queued_bytes_.load(std::memory_order_relaxed) < options_.queue_bytes_max; }
  void AddWake(std::function<void()> wake);
  void Loop();
  Status WriteAll(const std::deque<Entry>& entries);
  Status WriteToLog(const std::string& origin, const std::vector<const RejectedRow*>& rows);
  Status WriteToFile(const std::string& origin, const std::vector<const RejectedRow*>& rows);

  const Options options_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Entry> queue_;
  std::map<std::string, std::deque<RejectedRow>> recent_;
  std::vector<std::function<void()>> wakes_;
  std::map<RejectReason, Counter*> counters_;
  uint64_t pushed_ = 0;
  uint64_t written_ = 0;  // of pushed_
  Status failure_;        // of the last try to write
  uint64_t tries_ = 0;
  bool stop_ = false;
  std::map<std::string, std::pair<std::shared_ptr<Partition>, int64_t>> unsynced_;  // topic -> last offset
  std::map<std::string, std::unique_ptr<WritableFile>> outs_;
  std::map<std::string, size_t> done_;  // origins of a batch that failed half-way; the writer's alone
  std::atomic<int64_t> queued_bytes_{0};
  std::atomic<int64_t> total_{0};
  std::thread thread_;
};

}  // namespace tidemill
