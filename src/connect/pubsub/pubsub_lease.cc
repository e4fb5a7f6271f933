#include "connect/pubsub/pubsub_lease.h"

#include <algorithm>
#include <chrono>

#include "base/logging.h"
#include "connect/errors.h"

namespace tidemill {
namespace {

constexpr size_t kIdsPerCall = 1'000;  // a request has at most 512 KiB
constexpr int64_t kPauseMsMin = 100;
constexpr int64_t kPauseMsMax = 10'000;

}  // namespace

PubsubLease::PubsubLease(std::shared_ptr<PubsubClient> client, const PubsubTableOptions& options, const Clock& clock,
                         std::function<void()> wake)
    : client_(std::move(client)), options_(options), clock_(clock), wake_(std::move(wake)) {
  receiver_ = std::thread([this] { Receive(); });
  keeper_ = std::thread([this] { Keep(); });
}

PubsubLease::~PubsubLease() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
    if (stream_ != nullptr) stream_->Cancel();
  }
  changed_.notify_all();
  receiver_.join();
  keeper_.join();
  if (failed_.ok()) Extend(HeldAckIds(), 0);
}

Status PubsubLease::Take(int messages_max, std::vector<PubsubMessage>* messages) {
  messages->clear();
  std::lock_guard<std::mutex> lock(mutex_);
  while (!queue_.empty() && static_cast<int>(messages->size()) < messages_max) {
    PubsubMessage& message = queue_.front();
    held_.push_back({message.id, message.ack_id, message.bytes()});
    messages->push_back(std::move(message));
    queue_.pop_front();
  }
  return messages->empty() ? failed_ : Status::OK();
}

void PubsubLease::Detach() {
  std::lock_guard<std::mutex> lock(wake_mutex_);
  wake_ = nullptr;
}

void PubsubLease::Wake() {
  std::lock_guard<std::mutex> lock(wake_mutex_);
  if (wake_) wake_();
}

void PubsubLease::Settle(int64_t taken) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    for (; settled_ < taken && !held_.empty(); ++settled_) {
      Held& done = held_.front();
      if (const auto again = again_.find(done.id); again != again_.end()) {
        acks_.push_back(std::move(again->second));
        again_.erase(again);
      }
      acks_.push_back(std::move(done.ack_id));
      bytes_ -= done.bytes;
      known_.erase(done.id);
      held_.pop_front();
    }
  }
  changed_.notify_all();
}

bool PubsubLease::Add(std::vector<PubsubMessage> messages) {
  bool added = false;
  std::unique_lock<std::mutex> lock(mutex_);
  for (PubsubMessage& message : messages) {
    if (!known_.insert(message.id).second) {
      // It was sent again before we were done: only the newer id acknowledges it for certain.
      again_[message.id] = std::move(message.ack_id);
      continue;
    }
    bytes_ += message.bytes();
    queue_.push_back(std::move(message));
    added = true;
  }
  if (added) {
    lock.unlock();
    Wake();
    lock.lock();
  }
  changed_.wait(lock, [&] {
    return stopping_ || (static_cast<int64_t>(known_.size()) < options_.outstanding_messages_max &&
                         bytes_ < options_.outstanding_bytes_max);
  });
  return !stopping_;
}

void PubsubLease::Receive() {
  int64_t pause_ms = kPauseMsMin;
  for (;;) {
    const auto stream = client_->OpenStream(options_.subscription, options_.ack_deadline_s,
                                            options_.outstanding_messages_max, options_.outstanding_bytes_max);
    {
      std::lock_guard<std::mutex> lock(mutex_);
      if (stopping_) return;
      stream_ = stream.get();
    }
    std::vector<PubsubMessage> messages;
    bool going = true;
    while (going && stream->Read(&messages)) {
      pause_ms = kPauseMsMin;
      going = Add(std::move(messages));
    }
    std::unique_lock<std::mutex> lock(mutex_);
    stream_ = nullptr;
    if (stopping_) return;
    lock.unlock();
    const Status status = stream->Finish();
    lock.lock();
    if (!status.ok() && !status.Is(kPubsubUnreachable)) {
      failed_ = status;
      lock.unlock();
      Wake();
      return;
    }
    // Servers end streams now and then; that is no news.
    if (pause_ms == kPauseMsMax) LogWarning("'" + options_.subscription + "': " + status.ToString());
    changed_.wait_for(lock, std::chrono::milliseconds(pause_ms), [&] { return stopping_; });
    if (stopping_) return;
    pause_ms = std::min(pause_ms * 2, kPauseMsMax);
  }
}

void PubsubLease::Keep() {
  // Twice within a deadline, and some time to spare.
  const int64_t every_ns = int64_t{options_.ack_deadline_s} * 1'000'000'000 * 2 / 5;
  int64_t extend_at = clock_.MonotonicNanos() + every_ns;
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    changed_.wait_for(lock, std::chrono::milliseconds(500), [&] { return stopping_ || !acks_.empty(); });
    const std::vector<std::string> acks = std::exchange(acks_, {});
    const bool stopping = stopping_;
    lock.unlock();
    SendAcks(acks);
    if (stopping) return;
    if (clock_.MonotonicNanos() >= extend_at) {
      extend_at = clock_.MonotonicNanos() + every_ns;
      Extend(HeldAckIds(), options_.ack_deadline_s);
    }
    lock.lock();
  }
}

std::vector<std::string> PubsubLease::HeldAckIds() {
  std::lock_guard<std::mutex> lock(mutex_);
  std::vector<std::string> ids;
  for (const Held& held : held_) ids.push_back(held.ack_id);
  for (const PubsubMessage& message : queue_) ids.push_back(message.ack_id);
  for (const auto& [id, ack_id] : again_) ids.push_back(ack_id);
  return ids;
}

void PubsubLease::SendAcks(const std::vector<std::string>& ack_ids) {
  for (size_t i = 0; i < ack_ids.size(); i += kIdsPerCall) {
    const auto part = std::span(ack_ids).subspan(i, std::min(kIdsPerCall, ack_ids.size() - i));
    const Status status = client_->Acknowledge(options_.subscription, part);
    if (status.ok()) continue;
    std::lock_guard<std::mutex> lock(mutex_);
    if (stopping_ || !status.Is(kPubsubUnreachable)) {
      // They come again, and are rows again: at-least-once.
      LogWarning("'" + options_.subscription + "': " + status.ToString());
      continue;
    }
    acks_.insert(acks_.end(), part.begin(), part.end());
  }
}

void PubsubLease::Extend(const std::vector<std::string>& ack_ids, int seconds) {
  for (size_t i = 0; i < ack_ids.size(); i += kIdsPerCall) {
    const auto part = std::span(ack_ids).subspan(i, std::min(kIdsPerCall, ack_ids.size() - i));
    const Status status = client_->ModifyDeadline(options_.subscription, part, seconds);
    if (status.ok()) continue;
    LogWarning("'" + options_.subscription + "': " + status.ToString());
    return;
  }
}

}  // namespace tidemill
