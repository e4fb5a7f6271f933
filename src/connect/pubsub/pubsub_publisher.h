#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "connect/pubsub/pubsub_client.h"

namespace tidemill {

// Sends the messages of one writer in their order, one request after another; a thread of its own. What fails for
// reasons that pass is tried again until `retry_timeout_ms` are over. Thread-safe.
class PubsubPublisher {
 public:
  static constexpr int64_t kMessageBytesMax = 10'000'000 - 10'000;  // Pub/Sub's limit, less what is around a message

  // `wake`: any thread, when nothing is left, when there is room again, or on failure.
  PubsubPublisher(std::shared_ptr<PubsubClient> client, std::string topic, int64_t retry_timeout_ms,
                  int64_t queue_bytes_max, const Clock& clock, std::function<void()> wake);
  ~PubsubPublisher();

  void Send(std::vector<PubsubMessage> messages);
  bool HasRoom() const;
  bool empty() const;
  Status failed() const;

 private:
  void Run();
  // The next request's messages; empty when it is time to stop.
  std::vector<PubsubMessage> NextRequest();
  Status PublishWithRetry(const std::vector<PubsubMessage>& messages);

  const std::shared_ptr<PubsubClient> client_;
  const std::string topic_;
  const int64_t retry_timeout_ms_;
  const int64_t queue_bytes_max_;
  const Clock& clock_;
  const std::function<void()> wake_;

  mutable std::mutex mutex_;  // of what follows
  std::condition_variable changed_;
  bool stopping_ = false;
  Status failed_;
  std::deque<PubsubMessage> queue_;
  int64_t bytes_ = 0;  // of the queue and the request under way
  std::thread thread_;
};

}  // namespace tidemill
