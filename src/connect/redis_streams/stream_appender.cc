#include "connect/redis_streams/stream_appender.h"

#include <algorithm>

#include "base/logging.h"
#include "base/random.h"
#include "connect/errors.h"
#include "connect/guard/retry_policy.h"

namespace tidemill {
namespace {

// Sent before their answers are read: the server keeps answers in memory meanwhile.
constexpr size_t kPipelineBytes = 256 << 10;
constexpr auto kAppendLogEvery = std::chrono::seconds(10);
constexpr RetryPolicy kResend{INT32_MAX, 50, 5'000};

}  // namespace

StreamAppender::StreamAppender(Network& network, RedisEndpoint endpoint, int64_t bytes_max, std::function<void()> wake)
    : network_(network), endpoint_(std::move(endpoint)), bytes_max_(bytes_max), wake_(std::move(wake)) {
  thread_ = std::thread([this] { Run(); });
}

StreamAppender::~StreamAppender() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  cancel_->Cancel();
  thread_.join();
}

void StreamAppender::Add(CommandBlock block) {
  if (block.ends.empty()) return;
  left_.fetch_add(1, std::memory_order_acq_rel);
  bytes_.fetch_add(static_cast<int64_t>(block.bytes.size()), std::memory_order_acq_rel);
  {
    std::lock_guard<std::mutex> lock(mutex_);
    blocks_.push_back(std::move(block));
  }
  changed_.notify_all();
}

Status StreamAppender::failed() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return failed_;
}

void StreamAppender::Fail(const Status& status) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    failed_ = status;
  }
  if (wake_) wake_();
}

// What the server has taken leaves `block`. What it may take later stays, and is an error that passes.
Status StreamAppender::SendSome(CommandBlock* block) {
  if (client_ == nullptr) {
    TM_ASSIGN_OR_RETURN(client_, RedisClient::Connect(network_, endpoint_, cancel_));
  }
  size_t count = 1;
  while (count < block->ends.size() && block->ends[count] <= kPipelineBytes) ++count;
  TM_RETURN_IF_ERROR(client_->Send(std::string_view(block->bytes).substr(0, block->ends[count - 1])));
  CommandBlock left;
  Status passing;
  size_t from = 0;
  for (size_t i = 0; i < count; ++i) {
    std::string_view text;
    TM_ASSIGN_OR_RETURN(const RespNode answer, client_->ReceiveFirst(&text));
    const size_t end = block->ends[i];
    if (answer.type == RespType::kError) {
      const Status status = RedisStatus(endpoint_.name(), text);
      if (!IsPassingRedisError(status)) return status;
      passing = status;
      left.bytes.append(block->bytes, from, end - from);
      left.ends.push_back(left.bytes.size());
    }
    from = end;
  }
  for (size_t i = count; i < block->ends.size(); ++i) left.ends.push_back(left.bytes.size() + block->ends[i] - from);
  left.bytes.append(block->bytes, from);
  *block = std::move(left);
  return passing;
}

void StreamAppender::Run() {
  Random random(reinterpret_cast<uintptr_t>(this));
  int failures = 0;
  auto log_at = std::chrono::steady_clock::time_point();
  while (true) {
    CommandBlock block;
    {
      std::unique_lock<std::mutex> lock(mutex_);
      changed_.wait(lock, [&] { return stopping_ || !blocks_.empty(); });
      if (stopping_) return;
      block = std::move(blocks_.front());
      blocks_.pop_front();
    }
    const auto size = static_cast<int64_t>(block.bytes.size());
    while (!block.ends.empty()) {
      const Status status = SendSome(&block);
      if (status.ok()) {
        failures = 0;
        continue;
      }
      if (cancel_->is_cancelled()) return;
      if (!IsPassingRedisError(status)) return Fail(status);
      client_.reset();
      ++failures;
      if (const auto now = std::chrono::steady_clock::now(); now >= log_at) {
        LogWarning("writing waits: " + status.message());
        log_at = now + kAppendLogEvery;
      }
      if (!cancel_->SleepMs(kResend.PauseMs(failures, random))) return;
    }
    const int64_t before = bytes_.fetch_sub(size, std::memory_order_acq_rel);
    const bool last = left_.fetch_sub(1, std::memory_order_acq_rel) == 1;
    if ((last || (before >= bytes_max_ && before - size < bytes_max_)) && wake_) wake_();
  }
}

}  // namespace tidemill
