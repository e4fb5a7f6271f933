#include "log/wire/internal/fetch_sessions.h"

#include <algorithm>

namespace tidemill::wire {
namespace {

constexpr int32_t kOpeningEpoch = 0;
constexpr int32_t kClosingEpoch = -1;  // also of clients that know no sessions
constexpr int64_t kEvictedAfterMs = 120'000;

bool UsesIds(const FetchRequest& request) {
  return std::any_of(request.topics.begin(), request.topics.end(),
                     [](const auto& topic) { return topic.topic_id != TopicId{}; });
}

template <typename Visit>
void ForEachPartition(const FetchRequest& request, Visit visit) {
  for (const auto& topic : request.topics) {
    for (const auto& wanted : topic.partitions) {
      visit(FetchedPartition{std::string(topic.topic), topic.topic_id, wanted.partition, wanted.fetch_offset,
                             wanted.current_leader_epoch, wanted.partition_max_bytes});
    }
  }
}

}  // namespace

// What was told of a partition stays known when only its offset changes.
void FetchSessions::Session::Put(FetchedPartition partition) {
  const auto [found, is_new] = by_key.try_emplace(KeyOf(partition));
  if (is_new) {
    found->second = partitions.insert(partitions.end(), std::move(partition));
    return;
  }
  FetchedPartition& known = *found->second;
  known.fetch_offset = partition.fetch_offset;
  known.leader_epoch = partition.leader_epoch;
  known.bytes_max = partition.bytes_max;
}

void FetchSessions::Session::Remove(const Key& key) {
  const auto found = by_key.find(key);
  if (found == by_key.end()) return;
  partitions.erase(found->second);
  by_key.erase(found);
}

FetchContext FetchSessions::Begin(const FetchRequest& request, std::string_view owner, int64_t now_ms) {
  FetchContext context;
  std::lock_guard lock(mutex_);
  const auto found = sessions_.find(request.session_id);
  const bool is_own = found != sessions_.end() && found->second.owner == owner;
  if (request.session_epoch == kOpeningEpoch || request.session_epoch == kClosingEpoch) {
    if (is_own) DropLocked(request.session_id);
    context.opens_session = request.session_epoch == kOpeningEpoch;
    ForEachPartition(request, [&](FetchedPartition wanted) { context.partitions.push_back(std::move(wanted)); });
    return context;
  }
  if (!is_own) {
    context.error = KafkaError::kFetchSessionIdNotFound;
    return context;
  }
  Session& session = found->second;
  context.error = UpdateLocked(&session, request);
  if (context.error != KafkaError::kNone) return context;
  session.used_ms = now_ms;
  session.epoch = session.epoch == INT32_MAX ? 1 : session.epoch + 1;
  if (session.partitions.empty()) {
    DropLocked(request.session_id);
    return context;
  }
  context.session_id = request.session_id;
  context.partitions.assign(session.partitions.begin(), session.partitions.end());
  return context;
}

KafkaError FetchSessions::UpdateLocked(Session* session, const FetchRequest& request) {
  if (session->epoch != request.session_epoch) return KafkaError::kInvalidFetchSessionEpoch;
  if (!request.topics.empty() && UsesIds(request) != session->uses_ids) return KafkaError::kFetchSessionTopicIdError;
  const size_t before = session->partitions.size();
  ForEachPartition(request, [&](FetchedPartition wanted) { session->Put(std::move(wanted)); });
  for (const auto& topic : request.forgotten_topics_data) {
    for (const int32_t partition : topic.partitions)
      session->Remove({std::string(topic.topic), topic.topic_id, partition});
  }
  partitions_ += session->partitions.size() - before;
  // The client begins anew with a full request, and is served without a session if there is no room then either.
  if (partitions_ <= partitions_max_) return KafkaError::kNone;
  DropLocked(request.session_id);
  return KafkaError::kFetchSessionIdNotFound;
}

void FetchSessions::DropLocked(int32_t session_id) {
  const auto found = sessions_.find(session_id);
  if (found == sessions_.end()) return;
  partitions_ -= found->second.partitions.size();
  sessions_.erase(found);
}

bool FetchSessions::MakeRoomLocked(size_t partitions, int64_t now_ms) {
  const auto has_room = [&] { return sessions_.size() < sessions_max_ && partitions_ + partitions <= partitions_max_; };
  while (!has_room() && !sessions_.empty()) {
    const auto oldest = std::min_element(sessions_.begin(), sessions_.end(), [](const auto& a, const auto& b) {
      return a.second.used_ms < b.second.used_ms;
    });
    if (now_ms - oldest->second.used_ms < kEvictedAfterMs) break;
    DropLocked(oldest->first);
  }
  return has_room();
}

int32_t FetchSessions::Open(const std::vector<FetchedPartition>& partitions, std::string_view owner, int64_t now_ms) {
  if (partitions.empty()) return 0;
  std::lock_guard lock(mutex_);
  if (!MakeRoomLocked(partitions.size(), now_ms)) return 0;
  int32_t id = 0;
  while (id == 0 || sessions_.contains(id)) id = static_cast<int32_t>(random_.Next() >> 33);
  Session& session = sessions_[id];
  session.owner = owner;
  session.uses_ids = partitions.front().topic_id != TopicId{};
  session.used_ms = now_ms;
  for (const FetchedPartition& partition : partitions) session.Put(partition);
  partitions_ += session.partitions.size();
  return id;
}

void FetchSessions::Told(int32_t session_id, const std::vector<FetchedPartition>& partitions,
                         const std::vector<bool>& had_records) {
  std::lock_guard lock(mutex_);
  const auto found = sessions_.find(session_id);
  if (found == sessions_.end()) return;
  Session& session = found->second;
  for (size_t i = 0; i < partitions.size(); ++i) {
    const auto known = session.by_key.find(KeyOf(partitions[i]));
    if (known == session.by_key.end()) continue;
    known->second->high_watermark = partitions[i].high_watermark;
    known->second->log_start = partitions[i].log_start;
    if (had_records[i]) session.partitions.splice(session.partitions.end(), session.partitions, known->second);
  }
}

size_t FetchSessions::size() const {
  std::lock_guard lock(mutex_);
  return sessions_.size();
}

}  // namespace tidemill::wire
