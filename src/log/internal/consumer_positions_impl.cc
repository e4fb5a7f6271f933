#include "log/internal/consumer_positions_impl.h"

#include "log/errors.h"
#include "log/internal/bytes.h"

namespace tidemill::log_internal {
namespace {

enum class Kind : uint8_t { kCommit = 1, kDeleteGroup = 2, kForgetTopic = 3, kDelete = 4 };

constexpr size_t kNameBytesMax = 249;
constexpr size_t kMetadataBytesMax = 4096;
constexpr size_t kPositionsMax = 100'000;
constexpr int64_t kCompactBytesMin = 1 << 20;

void AppendPosition(std::string* out, const ConsumerPosition& position) {
  AppendText(out, position.topic);
  AppendBig(out, position.partition);
  AppendBig(out, position.offset);
  AppendText(out, position.metadata);
  AppendBig(out, position.committed_at_ms);
}

std::string Payload(Kind kind, const std::string& name) {
  std::string payload;
  AppendBig(&payload, static_cast<uint8_t>(kind));
  AppendText(&payload, name);
  return payload;
}

}  // namespace

Result<std::unique_ptr<ConsumerPositionsImpl>> ConsumerPositionsImpl::Open(LogContext& context,
                                                                           const std::string& path) {
  std::unique_ptr<ConsumerPositionsImpl> positions(new ConsumerPositionsImpl(context));
  TM_ASSIGN_OR_RETURN(positions->file_,
                      FrameFile::Open(context.files, path, context.scheduler, context.health,
                                      [&](std::string_view payload) { return positions->Replay(payload); }));
  return positions;
}

Status ConsumerPositionsImpl::Replay(std::string_view payload) {
  ByteReader reader(payload);
  const auto kind = static_cast<Kind>(reader.Big<uint8_t>());
  const std::string name = reader.Text();
  switch (kind) {
    case Kind::kCommit:
      while (reader.ok() && !reader.AtEnd()) {
        ConsumerPosition position;
        position.topic = reader.Text();
        position.partition = reader.Big<int32_t>();
        position.offset = reader.Big<int64_t>();
        position.metadata = reader.Text();
        position.committed_at_ms = reader.Big<int64_t>();
        if (!reader.ok()) break;
        const std::pair key(position.topic, position.partition);
        count_ += groups_[name].insert_or_assign(key, std::move(position)).second;
      }
      break;
    case Kind::kDeleteGroup:
      if (const auto it = groups_.find(name); it != groups_.end()) {
        count_ -= it->second.size();
        groups_.erase(it);
      }
      break;
    case Kind::kDelete:
      while (reader.ok() && !reader.AtEnd()) {
        const std::string topic = reader.Text();
        const auto partition = reader.Big<int32_t>();
        const auto it = groups_.find(name);
        if (!reader.ok() || it == groups_.end()) break;
        count_ -= it->second.erase({topic, partition});
        if (it->second.empty()) groups_.erase(it);
      }
      break;
    case Kind::kForgetTopic:
      for (auto& [group, positions] : groups_)
        count_ -= std::erase_if(positions, [&](const auto& p) { return p.first.first == name; });
      std::erase_if(groups_, [](const auto& group) { return group.second.empty(); });
      break;
    default:
      return Status(kCorruption, "a record of an unknown kind");
  }
  return reader.ok() ? Status::OK() : Status(kCorruption, "a record is cut short");
}

Result<int64_t> ConsumerPositionsImpl::Add(const std::string& group, std::vector<ConsumerPosition> positions) {
  if (group.empty() || group.size() > kNameBytesMax) return Status(kInvalidName, "a group's name has 1 to 249 bytes");
  std::string payload = Payload(Kind::kCommit, group);
  for (ConsumerPosition& position : positions) {
    if (position.topic.empty() || position.topic.size() > kNameBytesMax)
      return Status(kInvalidName, "a topic's name has 1 to 249 bytes");
    if (position.metadata.size() > kMetadataBytesMax)
      return Status(kLimitExceeded, "a position's metadata has at most 4096 bytes");
    if (position.offset < 0 || position.partition < 0) return Status(kOffsetOutOfRange, "positions are not negative");
    position.committed_at_ms = context_.NowMs();
    AppendPosition(&payload, position);
  }
  std::lock_guard lock(mutex_);
  size_t fresh = 0;
  const auto known = groups_.find(group);
  for (const ConsumerPosition& position : positions) {
    fresh += known == groups_.end() || !known->second.contains({position.topic, position.partition});
  }
  if (count_ + fresh > kPositionsMax)
    return Status(kLimitExceeded, "consumer groups hold at most 100000 positions; delete unused groups");
  // Within the lock, so that memory and file agree on which of two commits came last.
  TM_ASSIGN_OR_RETURN(const int64_t at, file_->Append(payload));
  TM_RETURN_IF_ERROR(Replay(payload));
  return at;
}

Status ConsumerPositionsImpl::Commit(const std::string& group, std::vector<ConsumerPosition> positions) {
  TM_ASSIGN_OR_RETURN(const int64_t at, Add(group, std::move(positions)));
  return file_->commit().SyncUpTo(at);
}

void ConsumerPositionsImpl::CommitAsync(const std::string& group, std::vector<ConsumerPosition> positions,
                                        std::function<void(Status)> done) {
  const auto at = Add(group, std::move(positions));
  if (!at.ok()) return done(at.status());
  file_->commit().WhenDurable(*at, std::move(done));
}

std::optional<ConsumerPosition> ConsumerPositionsImpl::Get(const std::string& group, const std::string& topic,
                                                           int32_t partition) const {
  std::lock_guard lock(mutex_);
  const auto it = groups_.find(group);
  if (it == groups_.end()) return std::nullopt;
  const auto position = it->second.find({topic, partition});
  if (position == it->second.end()) return std::nullopt;
  return position->second;
}

std::vector<ConsumerPosition> ConsumerPositionsImpl::List(const std::string& group) const {
  std::lock_guard lock(mutex_);
  std::vector<ConsumerPosition> positions;
  if (const auto it = groups_.find(group); it != groups_.end()) {
    for (const auto& [key, position] : it->second) positions.push_back(position);
  }
  return positions;
}

std::vector<std::string> ConsumerPositionsImpl::Groups() const {
  std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [name, positions] : groups_) names.push_back(name);
  return names;
}

Status ConsumerPositionsImpl::Delete(const std::string& group,
                                     const std::vector<std::pair<std::string, int32_t>>& topic_partitions) {
  std::string payload = Payload(Kind::kDelete, group);
  for (const auto& [topic, partition] : topic_partitions) {
    if (topic.size() > kNameBytesMax) return Status(kInvalidName, "a topic's name has 1 to 249 bytes");
    AppendText(&payload, topic);
    AppendBig(&payload, partition);
  }
  int64_t at = 0;
  {
    std::lock_guard lock(mutex_);
    if (!groups_.contains(group)) return Status(kUnknownGroup, "there is no consumer group '" + group + "'");
    TM_ASSIGN_OR_RETURN(at, file_->Append(payload));
    TM_RETURN_IF_ERROR(Replay(payload));
  }
  return file_->commit().SyncUpTo(at);
}

Status ConsumerPositionsImpl::DeleteGroup(const std::string& group) {
  int64_t at = 0;
  {
    std::lock_guard lock(mutex_);
    if (!groups_.contains(group)) return Status(kUnknownGroup, "there is no consumer group '" + group + "'");
    const std::string payload = Payload(Kind::kDeleteGroup, group);
    TM_ASSIGN_OR_RETURN(at, file_->Append(payload));
    TM_RETURN_IF_ERROR(Replay(payload));
  }
  return file_->commit().SyncUpTo(at);
}

Status ConsumerPositionsImpl::ForgetTopic(const std::string& topic) {
  int64_t at = 0;
  {
    std::lock_guard lock(mutex_);
    const std::string payload = Payload(Kind::kForgetTopic, topic);
    TM_ASSIGN_OR_RETURN(at, file_->Append(payload));
    TM_RETURN_IF_ERROR(Replay(payload));
  }
  return file_->commit().SyncUpTo(at);
}

Status ConsumerPositionsImpl::Compact() {
  std::lock_guard lock(mutex_);
  if (file_->size_bytes() < kCompactBytesMin) return Status::OK();
  std::vector<std::string> payloads;
  int64_t live = 0;
  for (const auto& [name, positions] : groups_) {
    std::string payload = Payload(Kind::kCommit, name);
    for (const auto& [key, position] : positions) AppendPosition(&payload, position);
    live += static_cast<int64_t>(payload.size());
    payloads.push_back(std::move(payload));
  }
  return file_->size_bytes() > 4 * live ? file_->Rewrite(payloads) : Status::OK();
}

Status ConsumerPositionsImpl::Close(const Status& why) {
  const Status synced = context_.health.ok() ? file_->SyncAll() : context_.health.status();
  file_->Close(why);
  return synced;
}

}  // namespace tidemill::log_internal
