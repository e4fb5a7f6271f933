#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "connect/kinesis/kinesis_client.h"

namespace tidemill {

// Puts records, as many a call as Kinesis takes, one call at a time, on a thread of its own, until each was taken. What
// was not taken goes again before anything else does. Throttling and a service that is away are waited for. Never
// waits, but for its end.
class RecordPutter {
 public:
  static constexpr size_t kRecordBytesMax = 1 << 20;  // data and partition key

  RecordPutter(std::shared_ptr<KinesisClient> client, int64_t bytes_max, std::function<void()> wake);
  // Drops what is not put.
  ~RecordPutter();
  void Add(std::vector<KinesisOutgoing> records);
  bool empty() const { return left_.load(std::memory_order_acquire) == 0; }
  bool has_room() const { return bytes_.load(std::memory_order_acquire) < bytes_max_; }
  // Kinesis will never take a record: the login, a right, no such stream.
  Status failed() const;

 private:
  void Run();
  std::vector<KinesisOutgoing> NextCall();
  bool PutAll(std::vector<KinesisOutgoing> records);
  void Settle(int64_t records, int64_t bytes);

  const std::shared_ptr<KinesisClient> client_;
  const int64_t bytes_max_;
  const std::function<void()> wake_;
  const std::shared_ptr<WaitStop> stop_ = std::make_shared<WaitStop>();
  std::atomic<int64_t> left_{0};
  std::atomic<int64_t> bytes_{0};
  mutable std::mutex mutex_;  // of what follows
  std::condition_variable changed_;
  std::deque<KinesisOutgoing> waiting_;
  bool stopping_ = false;
  Status failed_;
  std::thread thread_;
};

}  // namespace tidemill
