#include "connect/pubsub/pubsub_publisher.h"

#include <algorithm>
#include <chrono>

#include "base/logging.h"
#include "connect/errors.h"

namespace tidemill {
namespace {

// Of one request; Pub/Sub takes 1,000 messages and 10 MB.
constexpr size_t kRequestMessagesMax = 1'000;
constexpr int64_t kRequestBytesMax = 9'000'000;
constexpr int64_t kRetryPauseMsMin = 100;
constexpr int64_t kRetryPauseMsMax = 5'000;

}  // namespace

PubsubPublisher::PubsubPublisher(std::shared_ptr<PubsubClient> client, std::string topic, int64_t retry_timeout_ms,
                                 int64_t queue_bytes_max, const Clock& clock, std::function<void()> wake)
    : client_(std::move(client)),
      topic_(std::move(topic)),
      retry_timeout_ms_(retry_timeout_ms),
      queue_bytes_max_(queue_bytes_max),
      clock_(clock),
      wake_(std::move(wake)) {
  thread_ = std::thread([this] { Run(); });
}

PubsubPublisher::~PubsubPublisher() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void PubsubPublisher::Send(std::vector<PubsubMessage> messages) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    for (PubsubMessage& message : messages) {
      bytes_ += message.bytes();
      queue_.push_back(std::move(message));
    }
  }
  changed_.notify_all();
}

bool PubsubPublisher::HasRoom() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return bytes_ < queue_bytes_max_;
}

bool PubsubPublisher::empty() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return bytes_ == 0;
}

Status PubsubPublisher::failed() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return failed_;
}

std::vector<PubsubMessage> PubsubPublisher::NextRequest() {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [&] { return stopping_ || (!queue_.empty() && failed_.ok()); });
  std::vector<PubsubMessage> messages;
  int64_t bytes = 0;
  while (!stopping_ && !queue_.empty() && messages.size() < kRequestMessagesMax) {
    const int64_t more = queue_.front().bytes();
    if (!messages.empty() && bytes + more > kRequestBytesMax) break;
    bytes += more;
    messages.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  return messages;
}

void PubsubPublisher::Run() {
  for (;;) {
    const std::vector<PubsubMessage> messages = NextRequest();
    if (messages.empty()) return;
    const Status status = PublishWithRetry(messages);
    bool wakes = true;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      const bool had_room = bytes_ < queue_bytes_max_;
      for (const PubsubMessage& message : messages) bytes_ -= message.bytes();
      if (!status.ok()) failed_ = status;
      wakes = !status.ok() || bytes_ == 0 || (!had_room && bytes_ < queue_bytes_max_);
    }
    if (wakes && wake_) wake_();
  }
}

Status PubsubPublisher::PublishWithRetry(const std::vector<PubsubMessage>& messages) {
  const int64_t give_up_at = clock_.MonotonicNanos() + retry_timeout_ms_ * 1'000'000;
  int64_t pause_ms = kRetryPauseMsMin;
  for (;;) {
    const Status status = client_->Publish(topic_, messages);
    if (status.ok() || !status.Is(kPubsubUnreachable) || clock_.MonotonicNanos() >= give_up_at) return status;
    if (pause_ms == kRetryPauseMsMin) LogWarning(status.ToString() + ": trying again");
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait_for(lock, std::chrono::milliseconds(pause_ms), [&] { return stopping_; });
    if (stopping_) return status;
    pause_ms = std::min(pause_ms * 2, kRetryPauseMsMax);
  }
}

}  // namespace tidemill
