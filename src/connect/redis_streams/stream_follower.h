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
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/network.h"
#include "connect/redis_streams/redis_client.h"
#include "connect/redis_streams/redis_rows.h"
#include "connect/redis_streams/stream_id.h"

namespace tidemill {

// What XINFO STREAM says of a stream; of one that is not there, all zero.
struct StreamInfo {
  bool exists = false;
  int64_t length = 0;
  StreamId first;         // zero: it is empty
  StreamId last;          // the youngest id that it ever had
  StreamId last_deleted;  // by XDEL; XTRIM does not count
  int64_t added = -1;     // entries that it ever had; -1: a server before 7.0 does not say
};
Result<StreamInfo> StreamInfoOf(const RespReply& reply, uint32_t node);

// Entries that lie one after another, as one answer brought them.
struct StreamChunk {
  RespReply reply;
  std::vector<StreamEntry> entries;  // may be empty: only the position says something new
  StreamPosition before;
  StreamPosition after;
};

// Finds out whether entries are gone that were to be read next: `after` of them follow the position (nullopt =
// unknown). Sets the position's ordinal where it can be known. kRedisRecordsGone.
Status CheckStreamPosition(const std::string& stream, const StreamInfo& info, std::optional<int64_t> following,
                           StreamPosition* position);

// Reads one stream ahead, on a thread of its own, into a bounded queue. A server that goes away is waited for. While it
// lags, XREAD goes together with XINFO in one transaction, so that what was trimmed before it was read is noticed; at
// the end it waits by XREAD BLOCK.
class StreamFollower {
 public:
  struct Options {
    RedisEndpoint endpoint;
    std::string stream;
    std::string reset;  // auto.offset.reset
    int64_t read_count = 1000;
    std::function<void()> wake;  // something is there
  };
  StreamFollower(Network& network, Options options, StreamPosition position);
  ~StreamFollower();
  // nullopt: nothing there now, `wake` will be called. An error is for good.
  Result<std::optional<StreamChunk>> Take();
  // Entries ever added to the stream, when it was last asked; -1 = unknown.
  int64_t added() const { return added_.load(std::memory_order_relaxed); }

 private:
  void Run();
  bool WaitForRoom();
  Status ReadSome(bool* at_end);
  Status ReadWithInfo(bool* at_end);
  Status WaitAtEnd(bool* at_end);
  Status Lost(const Status& status, const StreamInfo& info);
  void Push(StreamChunk chunk);
  Status Append(RespReply reply, std::vector<StreamEntry> entries);

  Network& network_;
  const Options options_;
  const std::shared_ptr<CancelSignal> cancel_ = std::make_shared<CancelSignal>();
  std::unique_ptr<RedisClient> client_;  // of the thread
  StreamPosition position_;              // of the thread
  StreamPosition told_;
  std::atomic<int64_t> added_{-1};
  std::mutex mutex_;  // of what follows
  std::condition_variable changed_;
  std::deque<StreamChunk> chunks_;
  int64_t bytes_ = 0;
  bool stopping_ = false;
  Status failed_;
  std::thread thread_;
};

}  // namespace tidemill
