#include "connect/redis_streams/stream_follower.h"

#include <algorithm>

#include "base/logging.h"
#include "base/random.h"
#include "connect/errors.h"
#include "connect/guard/retry_policy.h"

namespace tidemill {
namespace {

constexpr size_t kChunksMax = 4;
constexpr int64_t kAheadBytesMax = 16 << 20;
constexpr int64_t kBlockMs = 1000;
constexpr auto kLogEvery = std::chrono::seconds(10);
constexpr RetryPolicy kReconnect{INT32_MAX, 100, 5'000};

Result<StreamId> IdOf(const RespReply& reply, uint32_t node) {
  const auto id = StreamId::Parse(reply.text(node));
  if (!id) return Status(kRedisRefused, "the answer is not that of XINFO STREAM");
  return *id;
}

}  // namespace

Result<StreamInfo> StreamInfoOf(const RespReply& reply, uint32_t node) {
  StreamInfo info;
  const RespNode& all = reply.nodes[node];
  if (all.type != RespType::kArray || all.number % 2 != 0)
    return Status(kRedisRefused, "the answer is not that of XINFO STREAM");
  info.exists = true;
  for (uint32_t at = node + 1; at < all.end;) {
    const std::string_view name = reply.text(at);
    const uint32_t value = reply.nodes[at].end;
    if (value >= all.end) break;
    if (name == "length") {
      info.length = reply.nodes[value].number;
    } else if (name == "entries-added") {
      info.added = reply.nodes[value].number;
    } else if (name == "last-generated-id") {
      TM_ASSIGN_OR_RETURN(info.last, IdOf(reply, value));
    } else if (name == "max-deleted-entry-id") {
      TM_ASSIGN_OR_RETURN(info.last_deleted, IdOf(reply, value));
    } else if (name == "first-entry" && reply.nodes[value].type == RespType::kArray && reply.nodes[value].number > 0) {
      TM_ASSIGN_OR_RETURN(info.first, IdOf(reply, value + 1));
    }
    at = reply.nodes[value].end;
  }
  return info;
}

Status CheckStreamPosition(const std::string& stream, const StreamInfo& info, std::optional<int64_t> following,
                           StreamPosition* position) {
  if (!info.exists) return Status::OK();  // it may come
  const bool was_read = !position->chosen && !position->last.is_zero();
  if (was_read && info.last < position->last) {
    return Status(kRedisRecordsGone, "stream '" + stream + "' ends at " + info.last.ToText() + ", but was read up to " +
                                         position->last.ToText() + ": it was made anew, or went back in time");
  }
  if (info.last_deleted > position->last) {
    position->ordinal = -1;  // entries that follow were deleted one by one: nobody can count
    return Status::OK();
  }
  const bool passed = info.length == 0 || info.first > position->last;
  if (passed) following = info.length;
  if (info.added < 0 || !following) {
    if (passed && was_read && position->ordinal < 0 && info.length > 0 && info.added < 0) {
      return Status(kRedisRecordsGone, "stream '" + stream + "' begins at " + info.first.ToText() +
                                           " now, but was read up to " + position->last.ToText() +
                                           " only: entries between may be gone");
    }
    return Status::OK();
  }
  const int64_t ordinal = info.added - *following;
  if (position->ordinal < 0) {
    if (passed && was_read && info.length > 0) {
      return Status(kRedisRecordsGone, "stream '" + stream + "' begins at " + info.first.ToText() +
                                           " now, but was read up to " + position->last.ToText() +
                                           " only: entries between may be gone");
    }
  } else if (ordinal != position->ordinal && was_read) {
    if (ordinal < position->ordinal) {
      return Status(kRedisRecordsGone, "stream '" + stream + "' has had fewer entries than were read from it up to " +
                                           position->last.ToText() + ": it was made anew");
    }
    return Status(kRedisRecordsGone, std::to_string(ordinal - position->ordinal) + " entries of stream '" + stream +
                                         "' after " + position->last.ToText() + " were trimmed before they were read");
  }
  position->ordinal = ordinal;
  return Status::OK();
}

StreamFollower::StreamFollower(Network& network, Options options, StreamPosition position)
    : network_(network), options_(std::move(options)), position_(position), told_(position) {
  thread_ = std::thread([this] { Run(); });
}

StreamFollower::~StreamFollower() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  cancel_->Cancel();
  thread_.join();
}

Result<std::optional<StreamChunk>> StreamFollower::Take() {
  std::optional<StreamChunk> chunk;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (chunks_.empty()) {
      TM_RETURN_IF_ERROR(failed_);
      return chunk;
    }
    chunk = std::move(chunks_.front());
    chunks_.pop_front();
    bytes_ -= static_cast<int64_t>(chunk->reply.bytes.size());
  }
  changed_.notify_all();
  return chunk;
}

bool StreamFollower::WaitForRoom() {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(
      lock, [&] { return stopping_ || chunks_.empty() || (chunks_.size() < kChunksMax && bytes_ < kAheadBytesMax); });
  return !stopping_;
}

void StreamFollower::Push(StreamChunk chunk) {
  told_ = chunk.after;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    bytes_ += static_cast<int64_t>(chunk.reply.bytes.size());
    chunks_.push_back(std::move(chunk));
  }
  if (options_.wake) options_.wake();
}

// Entries that the position is before; it goes behind them.
Status StreamFollower::Append(RespReply reply, std::vector<StreamEntry> entries) {
  StreamChunk chunk;
  if (!entries.empty() && entries.front().id <= position_.last)
    return Status(kRedisRefused, "XREAD gave an entry again");
  bool passed_end = false;
  while (!entries.empty() && position_.end && entries.back().id >= *position_.end) {
    entries.pop_back();
    passed_end = true;
  }
  chunk.before = position_;
  if (!entries.empty()) {
    position_.last = entries.back().id;
    position_.chosen = false;
    if (position_.ordinal >= 0) position_.ordinal += static_cast<int64_t>(entries.size());
    chunk.reply = std::move(reply);
    chunk.entries = std::move(entries);
  }
  if (passed_end) position_.last = position_.end->Previous();
  chunk.after = position_;
  if (!chunk.entries.empty() || chunk.after.ToText() != told_.ToText()) Push(std::move(chunk));
  return Status::OK();
}

Status StreamFollower::Lost(const Status& status, const StreamInfo& info) {
  if (!status.Is(kRedisRecordsGone) || options_.reset == "none") return status;
  LogWarning("reading goes on at the " + options_.reset + " entry: " + status.message());
  if (options_.reset == "latest") {
    position_.last = info.last;
  } else if (info.last < position_.last) {
    position_.last = {};
  }
  position_.ordinal = -1;
  position_.chosen = true;
  return Status::OK();
}

Status StreamFollower::ReadWithInfo(bool* at_end) {
  const std::string count = std::to_string(options_.read_count);
  const std::string from = position_.last.ToText();
  std::string commands;
  using Words = std::initializer_list<std::string_view>;
  AppendRespCommand(Words{"MULTI"}, &commands);
  AppendRespCommand(Words{"XINFO", "STREAM", options_.stream}, &commands);
  AppendRespCommand(Words{"XREAD", "COUNT", count, "STREAMS", options_.stream, from}, &commands);
  AppendRespCommand(Words{"EXEC"}, &commands);
  TM_RETURN_IF_ERROR(client_->Send(commands));
  const std::string server = options_.endpoint.name();
  Status refused;
  for (int i = 0; i < 3; ++i) {
    TM_ASSIGN_OR_RETURN(const RespReply queued, client_->Receive());
    if (refused.ok() && queued.nodes[0].type == RespType::kError) refused = RedisStatus(server, queued.text(0u));
  }
  TM_ASSIGN_OR_RETURN(RespReply reply, client_->Receive());
  TM_RETURN_IF_ERROR(refused);
  if (reply.nodes[0].type == RespType::kError) return RedisStatus(server, reply.text(0u));
  if (reply.nodes[0].type != RespType::kArray || reply.nodes[0].number != 2)
    return Status(kRedisRefused, "the answer is not that of EXEC");
  StreamInfo info;
  if (reply.nodes[1].type == RespType::kError) {
    if (reply.text(1u) != "ERR no such key") return RedisStatus(server, reply.text(1u));
  } else {
    TM_ASSIGN_OR_RETURN(info, StreamInfoOf(reply, 1));
  }
  const uint32_t read = reply.nodes[1].end;
  if (reply.nodes[read].type == RespType::kError) return RedisStatus(server, reply.text(read));
  TM_ASSIGN_OR_RETURN(std::vector<StreamEntry> entries, StreamEntriesOf(reply, read));
  added_.store(info.added, std::memory_order_relaxed);
  const bool all = static_cast<int64_t>(entries.size()) < options_.read_count;
  const Status status = CheckStreamPosition(
      options_.stream, info, all ? std::optional<int64_t>(static_cast<int64_t>(entries.size())) : std::nullopt,
      &position_);
  if (!status.ok()) {
    TM_RETURN_IF_ERROR(Lost(status, info));
    return Append({}, {});  // the new position, from which the next call reads
  }
  *at_end = entries.empty();
  // All up to the bound was there, but its last entries were deleted.
  if (*at_end && position_.end && info.last.Next() >= *position_.end) position_.last = position_.end->Previous();
  return Append(std::move(reply), std::move(entries));
}

Status StreamFollower::WaitAtEnd(bool* at_end) {
  std::string command;
  AppendRespCommand(std::initializer_list<std::string_view>{"XREAD", "COUNT", std::to_string(options_.read_count),
                                                            "BLOCK", std::to_string(kBlockMs), "STREAMS",
                                                            options_.stream, position_.last.ToText()},
                    &command);
  TM_RETURN_IF_ERROR(client_->Send(command));
  TM_ASSIGN_OR_RETURN(RespReply reply, client_->Receive(kBlockMs));
  if (reply.nodes[0].type == RespType::kError) return RedisStatus(options_.endpoint.name(), reply.text(0u));
  TM_ASSIGN_OR_RETURN(std::vector<StreamEntry> entries, StreamEntriesOf(reply, 0));
  *at_end = false;  // looks again, with XINFO
  return entries.empty() ? Status::OK() : Append(std::move(reply), std::move(entries));
}

Status StreamFollower::ReadSome(bool* at_end) {
  if (client_ == nullptr) {
    TM_ASSIGN_OR_RETURN(client_, RedisClient::Connect(network_, options_.endpoint, cancel_));
    *at_end = false;
  }
  return *at_end ? WaitAtEnd(at_end) : ReadWithInfo(at_end);
}

void StreamFollower::Run() {
  Random random(position_.last.ms + 1);
  bool at_end = false;
  int failures = 0;
  auto log_at = std::chrono::steady_clock::time_point();
  while (!position_.ended() && WaitForRoom()) {
    const Status status = ReadSome(&at_end);
    if (status.ok()) {
      if (failures > 0) LogInfo("Redis at " + options_.endpoint.name() + " is there again");
      failures = 0;
      continue;
    }
    client_.reset();
    if (cancel_->is_cancelled()) return;
    if (!IsPassingRedisError(status)) {
      {
        std::lock_guard<std::mutex> lock(mutex_);
        failed_ = status;
      }
      if (options_.wake) options_.wake();
      return;
    }
    ++failures;
    if (const auto now = std::chrono::steady_clock::now(); now >= log_at) {
      LogWarning("stream '" + options_.stream + "' waits: " + status.message());
      log_at = now + kLogEvery;
    }
    if (!cancel_->SleepMs(kReconnect.PauseMs(failures, random))) return;
  }
}

}  // namespace tidemill
