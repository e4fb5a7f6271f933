#include "connect/kinesis/shard_follower.h"

#include <algorithm>
#include <charconv>
#include <chrono>

#include "base/errors.h"
#include "base/logging.h"
#include "base/random.h"
#include "connect/errors.h"
#include "connect/guard/retry_policy.h"
#include "connect/kinesis/aggregated_record.h"

namespace tidemill {
namespace {

constexpr size_t kShardChunksMax = 2;  // an answer has up to 10 MB
constexpr auto kShardLogEvery = std::chrono::seconds(10);
constexpr RetryPolicy kShardRetry{INT32_MAX, 500, 10'000};

bool MillisOf(std::string_view text, int64_t* out) {
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), *out);
  return error == std::errc() && rest == text.data() + text.size() && *out >= 0;
}

}  // namespace

std::string ShardPosition::ToText() const {
  switch (kind) {
    case Kind::kTrimHorizon:
      return "trim-horizon";
    case Kind::kLatest:
      return "latest:" + std::to_string(timestamp_ms);
    case Kind::kTimestamp:
      return "timestamp:" + std::to_string(timestamp_ms);
    case Kind::kAfter:
      return "after:" + sequence_number;
    case Kind::kEnded:
      break;
  }
  return "ended";
}

Result<ShardPosition> ShardPosition::Parse(std::string_view text) {
  ShardPosition position;
  if (text == "trim-horizon") return position;
  if (text == "ended") {
    position.kind = Kind::kEnded;
    return position;
  }
  if (text.starts_with("after:")) {
    position.kind = Kind::kAfter;
    position.sequence_number = std::string(text.substr(6));
    const bool digits = std::all_of(position.sequence_number.begin(), position.sequence_number.end(),
                                    [](char c) { return c >= '0' && c <= '9'; });
    if (digits && !position.sequence_number.empty()) return position;
  } else if (text.starts_with("timestamp:")) {
    position.kind = Kind::kTimestamp;
    if (MillisOf(text.substr(10), &position.timestamp_ms)) return position;
  } else if (text.starts_with("latest:")) {
    position.kind = Kind::kLatest;
    if (MillisOf(text.substr(7), &position.timestamp_ms)) return position;
  }
  return Status(kInternalError, "bad position '" + std::string(text) + "' of a shard");
}

std::string ShardPosition::Place() const {
  switch (kind) {
    case Kind::kAfter:
      return "\"ShardIteratorType\":\"AFTER_SEQUENCE_NUMBER\",\"StartingSequenceNumber\":\"" + sequence_number + "\"";
    case Kind::kLatest:
      return "\"ShardIteratorType\":\"LATEST\"";
    case Kind::kTimestamp: {
      const std::string millis = std::to_string(timestamp_ms % 1000 + 1000).substr(1);
      return "\"ShardIteratorType\":\"AT_TIMESTAMP\",\"Timestamp\":" + std::to_string(timestamp_ms / 1000) + "." +
             millis;
    }
    case Kind::kTrimHorizon:
    case Kind::kEnded:
      break;
  }
  return "\"ShardIteratorType\":\"TRIM_HORIZON\"";
}

ShardFollower::ShardFollower(std::shared_ptr<KinesisClient> client, KinesisShard shard, ShardPosition position,
                             std::function<bool()> is_closed, std::function<void()> wake)
    : client_(std::move(client)),
      shard_(std::move(shard)),
      is_closed_(std::move(is_closed)),
      wake_(std::move(wake)),
      position_(std::move(position)) {
  thread_ = std::thread([this] { Run(); });
}

ShardFollower::~ShardFollower() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  stop_->Stop();
  thread_.join();
}

Result<std::optional<ShardChunk>> ShardFollower::Take() {
  std::optional<ShardChunk> chunk;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (chunks_.empty()) {
      TM_RETURN_IF_ERROR(failed_);
      return chunk;
    }
    chunk = std::move(chunks_.front());
    chunks_.pop_front();
  }
  changed_.notify_all();
  return chunk;
}

bool ShardFollower::WaitForRoom() {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [&] { return stopping_ || chunks_.size() < kShardChunksMax; });
  return !stopping_;
}

void ShardFollower::Push(ShardChunk chunk) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    chunks_.push_back(std::move(chunk));
  }
  if (wake_) wake_();
}

Status ShardFollower::ReadSome(bool* ended) {
  if (iterator_.empty()) {
    TM_ASSIGN_OR_RETURN(iterator_, client_->ShardIterator(shard_.id, position_.Place(), stop_));
    // Should the iterator expire before a record comes, the end is no longer where it was.
    if (position_.kind == ShardPosition::Kind::kLatest) position_.kind = ShardPosition::Kind::kTimestamp;
  }
  const bool closed = is_closed_();  // before the read: what it does not see will never come
  TM_ASSIGN_OR_RETURN(KinesisRecords read, client_->GetRecords(iterator_, stop_));
  millis_behind_.store(read.millis_behind, std::memory_order_relaxed);
  iterator_ = std::move(read.next_iterator);
  *ended = iterator_.empty() || (closed && read.records.empty() && read.millis_behind == 0);
  if (!read.records.empty()) {
    position_.kind = ShardPosition::Kind::kAfter;
    position_.sequence_number = read.records.back().sequence_number;
    ShardChunk chunk;
    for (KinesisRecord& record : read.records) {
      if (!IsAggregatedRecord(record.data)) {
        chunk.records.push_back(std::move(record));
      } else if (!AppendAggregatedRecords(record, shard_, &chunk.records).ok()) {
        chunk.failed = record.sequence_number;
      }
    }
    chunk.after = position_;
    Push(std::move(chunk));
  }
  if (*ended) {
    position_.kind = ShardPosition::Kind::kEnded;
    ShardChunk chunk;
    chunk.after = position_;
    Push(std::move(chunk));
  }
  return Status::OK();
}

void ShardFollower::Run() {
  Random random(std::hash<std::string>()(shard_.id));
  int failures = 0;
  bool ended = false;
  auto log_at = std::chrono::steady_clock::time_point();
  while (!ended && WaitForRoom()) {
    const Status status = ReadSome(&ended);
    if (ended || stop_->stopped()) return;
    if (status.ok()) {
      failures = 0;
      if (!stop_->SleepMs(client_->options().read_interval_ms)) return;
      continue;
    }
    if (IsExpiredIterator(status) && failures == 0) {
      ++failures;
      iterator_.clear();
      continue;
    }
    if (!IsPassingKinesisError(status)) {
      {
        std::lock_guard<std::mutex> lock(mutex_);
        failed_ = status.WithContext("shard " + shard_.id);
      }
      if (wake_) wake_();
      return;
    }
    ++failures;
    if (const auto now = std::chrono::steady_clock::now(); now >= log_at) {
      LogWarning("shard " + shard_.id + " waits: " + status.message());
      log_at = now + kShardLogEvery;
    }
    if (!stop_->SleepMs(kShardRetry.PauseMs(failures, random))) return;
  }
}

}  // namespace tidemill
