#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/network.h"
#include "connect/redis_streams/redis_client.h"

namespace tidemill {

// Commands, each of which answers with one value.
struct CommandBlock {
  std::string bytes;
  std::vector<size_t> ends;  // of each command
};

// Sends commands in order, many at a time, on a thread of its own, until the server has taken each. One that goes away,
// or has no room, is waited for; then what it has not answered is sent again. Never waits, but for its end.
class StreamAppender {
 public:
  StreamAppender(Network& network, RedisEndpoint endpoint, int64_t bytes_max, std::function<void()> wake);
  // Drops what is not sent.
  ~StreamAppender();
  void Add(CommandBlock block);
  bool empty() const { return left_.load(std::memory_order_acquire) == 0; }
  bool has_room() const { return bytes_.load(std::memory_order_acquire) < bytes_max_; }
  // The server will never take a command: the login, a right, a key that is no stream.
  Status failed() const;

 private:
  void Run();
  Status SendSome(CommandBlock* block);
  void Fail(const Status& status);

  Network& network_;
  const RedisEndpoint endpoint_;
  const int64_t bytes_max_;
  const std::function<void()> wake_;
  const std::shared_ptr<CancelSignal> cancel_ = std::make_shared<CancelSignal>();
  std::unique_ptr<RedisClient> client_;  // of the thread
  std::atomic<int64_t> left_{0};         // blocks
  std::atomic<int64_t> bytes_{0};
  mutable std::mutex mutex_;  // of what follows
  std::condition_variable changed_;
  std::deque<CommandBlock> blocks_;
  bool stopping_ = false;
  Status failed_;
  std::thread thread_;
};

}  // namespace tidemill
