#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "connect/kinesis/kinesis_client.h"

namespace tidemill {

// How far a shard was read.
struct ShardPosition {
  enum class Kind : uint8_t { kTrimHorizon, kLatest, kTimestamp, kAfter, kEnded };
  Kind kind = Kind::kTrimHorizon;
  int64_t timestamp_ms = 0;     // kTimestamp; kLatest: when reading began, for a restart before the first record
  std::string sequence_number;  // kAfter

  // "trim-horizon", "latest:<ms>", "timestamp:<ms>", "after:<sequence number>", "ended"
  std::string ToText() const;
  static Result<ShardPosition> Parse(std::string_view text);
  // JSON members of GetShardIterator.
  std::string Place() const;
};

struct ShardChunk {
  std::vector<KinesisRecord> records;  // aggregated ones taken apart; may be empty
  ShardPosition after;
  std::string failed;  // an aggregated record that can't be taken apart: its number; it is not among the records
};

// Reads one shard ahead, on a thread of its own, into a bounded queue, not more often than Kinesis takes it. Throttling
// and a service that is away are waited for.
class ShardFollower {
 public:
  ShardFollower(std::shared_ptr<KinesisClient> client, KinesisShard shard, ShardPosition position,
                std::function<bool()> is_closed, std::function<void()> wake);
  ~ShardFollower();
  // nullopt: nothing there now, `wake` will be called. After the last one the position is kEnded. An error is for good.
  Result<std::optional<ShardChunk>> Take();
  // How far the last read was behind the end; -1 = unknown.
  int64_t millis_behind() const { return millis_behind_.load(std::memory_order_relaxed); }

 private:
  void Run();
  bool WaitForRoom();
  Status ReadSome(bool* ended);
  void Push(ShardChunk chunk);

  const std::shared_ptr<KinesisClient> client_;
  const KinesisShard shard_;
  const std::function<bool()> is_closed_;
  const std::function<void()> wake_;
  const std::shared_ptr<WaitStop> stop_ = std::make_shared<WaitStop>();
  ShardPosition position_;  // of the thread
  std::string iterator_;
  std::atomic<int64_t> millis_behind_{-1};
  std::mutex mutex_;  // of what follows
  std::condition_variable changed_;
  std::deque<ShardChunk> chunks_;
  bool stopping_ = false;
  Status failed_;
  std::thread thread_;
};

}  // namespace tidemill
