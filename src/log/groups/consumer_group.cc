#include "log/groups/consumer_group.h"

#include <algorithm>

#include "log/groups/assignors.h"
#include "log/groups/group_environment.h"
#include "log/groups/topic_pattern.h"

namespace tidemill {
namespace {

constexpr size_t kInstanceIdBytesMax = 249;
constexpr size_t kRegexBytesMax = 4096;
constexpr int32_t kRevokeTimeoutMinMs = 1'000;

using Request = ConsumerHeartbeatRequest;

bool IsSubset(const PartitionsByTopic& a, const PartitionsByTopic& b) {
  return std::all_of(a.begin(), a.end(), [&](const auto& entry) {
    const auto other = b.find(entry.first);
    return entry.second.empty() || (other != b.end() && std::includes(other->second.begin(), other->second.end(),
                                                                      entry.second.begin(), entry.second.end()));
  });
}

bool Intersects(const PartitionsByTopic& a, const PartitionsByTopic& b) {
  return std::any_of(a.begin(), a.end(), [&](const auto& entry) {
    const auto other = b.find(entry.first);
    return other != b.end() && std::any_of(entry.second.begin(), entry.second.end(),
                                           [&](int32_t partition) { return other->second.contains(partition); });
  });
}

bool Has(const PartitionsByTopic& partitions, const TopicId& topic, int32_t partition) {
  const auto it = partitions.find(topic);
  return it != partitions.end() && it->second.contains(partition);
}

ConsumerHeartbeatResult HeartbeatFailure(KafkaError error, std::string message = "") {
  ConsumerHeartbeatResult result;
  result.error = error;
  result.error_message = std::move(message);
  return result;
}

const char* WhyInvalid(const Request& request) {
  if (request.member_epoch < Request::kLeaveForAWhile) return "MemberEpoch is below -2";
  if (request.member_id.size() > kInstanceIdBytesMax) return "MemberId is longer than 249 bytes";
  if (request.instance_id && (request.instance_id->empty() || request.instance_id->size() > kInstanceIdBytesMax))
    return "InstanceId has 1 to 249 bytes";
  if (request.rack_id && (request.rack_id->empty() || request.rack_id->size() > kInstanceIdBytesMax))
    return "RackId has 1 to 249 bytes";
  if (request.subscribed_regex && request.subscribed_regex->size() > kRegexBytesMax)
    return "SubscribedTopicRegex is longer than 4096 bytes";
  if (request.member_epoch == Request::kLeaveForAWhile && !request.instance_id)
    return "InstanceId is needed to leave for a while";
  if (request.member_epoch != Request::kJoin) return request.member_id.empty() ? "MemberId is empty" : nullptr;
  if (request.rebalance_timeout_ms < 0) return "RebalanceTimeoutMs is needed to join";
  if (!request.owned || !request.owned->empty()) return "TopicPartitions must be empty to join";
  const bool subscribes = (request.subscribed_topics && !request.subscribed_topics->empty()) ||
                          (request.subscribed_regex && !request.subscribed_regex->empty());
  return subscribes ? nullptr : "SubscribedTopicNames or SubscribedTopicRegex is needed to join";
}

}  // namespace

ConsumerGroup::ConsumerGroup(GroupEnvironment& environment, std::string id, int32_t first_epoch)
    : environment_(environment), id_(std::move(id)), group_epoch_(first_epoch), assignment_epoch_(first_epoch) {}

ConsumerGroup::~ConsumerGroup() {
  while (!members_.empty()) Remove(std::string(members_.begin()->first));
}

ConsumerHeartbeatResult ConsumerGroup::Heartbeat(ConsumerHeartbeatRequest request) {
  if (const char* why = WhyInvalid(request)) return HeartbeatFailure(KafkaError::kInvalidRequest, why);
  if (request.server_assignor && *request.server_assignor != kUniformAssignor &&
      *request.server_assignor != kRangeAssignor) {
    return HeartbeatFailure(KafkaError::kUnsupportedAssignor, "assignors are: uniform, range");
  }
  if (request.member_epoch < 0) return Leave(request);

  const bool is_full =
      request.rebalance_timeout_ms >= 0 && request.owned && (request.subscribed_topics || request.subscribed_regex);
  Member* member = nullptr;
  KafkaError error = FindOrAdd(request, &member);
  if (error != KafkaError::kNone) return HeartbeatFailure(error);
  const PartitionsByTopic before = member->assigned;
  const bool missed_an_answer = request.member_epoch != member->epoch;
  const std::optional<PartitionsByTopic> owned = std::move(request.owned);
  bool changed = RefreshTopics();
  error = UpdateSubscription(member, &request, &changed);
  if (error != KafkaError::kNone) {
    if (member->epoch == 0) Remove(std::string(member->id));
    return HeartbeatFailure(error);
  }
  if (changed) ++group_epoch_;
  if (group_epoch_ > assignment_epoch_) ComputeTarget();
  Reconcile(member, owned);
  ResetSession(member);

  ConsumerHeartbeatResult result;
  result.member_id = member->id;
  result.member_epoch = member->epoch;
  result.heartbeat_interval_ms = environment_.options.consumer_heartbeat_interval_ms;
  if (is_full || missed_an_answer || member->assigned != before) result.assignment = member->assigned;
  return result;
}

ConsumerHeartbeatResult ConsumerGroup::Leave(const ConsumerHeartbeatRequest& request) {
  std::string id = request.member_id;
  if (request.instance_id) {
    const auto known = static_members_.find(*request.instance_id);
    if (known == static_members_.end()) return HeartbeatFailure(KafkaError::kUnknownMemberId);
    if (known->second != id) return HeartbeatFailure(KafkaError::kFencedInstanceId);
  }
  const auto it = members_.find(id);
  if (it == members_.end()) return HeartbeatFailure(KafkaError::kUnknownMemberId);
  if (request.member_epoch == Request::kLeaveForAWhile) {
    // Its session runs on, and its partitions wait for it; those that it was to give up it has given up now.
    Member& member = it->second;
    SetPartitions(&member, member.assigned, {});
    member.state = State::kUnreleased;
    member.epoch = Request::kLeaveForAWhile;
    environment_.deadlines.Cancel(&member.rebalance_timer);
  } else {
    Remove(id);
  }
  ConsumerHeartbeatResult result;
  result.member_id = std::move(id);
  result.member_epoch = request.member_epoch;
  return result;
}

KafkaError ConsumerGroup::FindOrAdd(const ConsumerHeartbeatRequest& request, Member** member) {
  const bool joins = request.member_epoch == Request::kJoin;
  if (request.instance_id) {
    const auto known = static_members_.find(*request.instance_id);
    if (known != static_members_.end() && known->second != request.member_id) {
      if (!joins) return KafkaError::kFencedInstanceId;
      return ReplaceStaticMember(std::string(known->second), request, member);
    }
    if (known == static_members_.end() && !joins) return KafkaError::kUnknownMemberId;
  }
  const auto it = members_.find(request.member_id);
  if (it != members_.end()) {
    *member = &it->second;
    if (request.instance_id && request.instance_id != it->second.instance_id) return KafkaError::kInvalidRequest;
    if (!joins) return CheckEpoch(it->second, request);
    // It begins anew and has nothing, so what it had is free.
    SetPartitions(*member, {}, {});
    (*member)->epoch = (*member)->previous_epoch = 0;
    (*member)->state = State::kStable;
    return KafkaError::kNone;
  }
  if (!joins) return KafkaError::kUnknownMemberId;
  if (members_.size() >= static_cast<size_t>(environment_.options.group_size_max)) {
    return KafkaError::kGroupMaxSizeReached;
  }
  const std::string id = request.member_id.empty() ? environment_.MakeMemberId(request.client_id) : request.member_id;
  Member& added = members_[id];
  added.id = id;
  added.instance_id = request.instance_id;
  if (added.instance_id) static_members_[*added.instance_id] = id;
  *member = &added;
  return KafkaError::kNone;
}

// The same instance in a new life takes up what it had, if its old life said that it would be back.
KafkaError ConsumerGroup::ReplaceStaticMember(const std::string& old_id, const ConsumerHeartbeatRequest& request,
                                              Member** member) {
  if (members_.at(old_id).epoch != Request::kLeaveForAWhile) return KafkaError::kUnreleasedInstanceId;
  const std::string id = request.member_id.empty() ? environment_.MakeMemberId(request.client_id) : request.member_id;
  if (members_.contains(id)) return KafkaError::kInvalidRequest;
  auto node = members_.extract(old_id);
  environment_.deadlines.Cancel(&node.mapped().session_timer);
  node.key() = id;
  node.mapped().id = id;
  *member = &members_.insert(std::move(node)).position->second;
  static_members_[*request.instance_id] = id;
  for (auto& [partition, owner] : owners_) {
    if (owner == old_id) owner = id;
  }
  (*member)->epoch = (*member)->previous_epoch = 0;
  return KafkaError::kNone;
}

KafkaError ConsumerGroup::CheckEpoch(const Member& member, const ConsumerHeartbeatRequest& request) const {
  if (request.member_epoch == member.epoch) return KafkaError::kNone;
  // The answer that raised its epoch may have been lost.
  const bool missed_an_answer = request.member_epoch < member.epoch && request.member_epoch == member.previous_epoch &&
                                request.owned && IsSubset(*request.owned, member.assigned);
  return missed_an_answer ? KafkaError::kNone : KafkaError::kFencedMemberEpoch;
}

KafkaError ConsumerGroup::UpdateSubscription(Member* member, ConsumerHeartbeatRequest* request, bool* changed) {
  std::vector<std::string> topics = member->subscribed_topics;
  std::optional<std::string> regex = member->subscribed_regex;
  if (request->subscribed_topics) topics = std::move(*request->subscribed_topics);
  if (request->subscribed_regex) regex = std::move(request->subscribed_regex);
  if (regex && regex->empty()) regex.reset();
  if (regex && regex != member->subscribed_regex && !IsTopicPattern(*regex)) {
    return KafkaError::kInvalidRegularExpression;
  }
  int64_t bytes = regex ? static_cast<int64_t>(regex->size()) : 0;
  for (const std::string& topic : topics) bytes += static_cast<int64_t>(topic.size() + sizeof(topic));
  if (bytes > environment_.options.member_metadata_bytes_max) return KafkaError::kInvalidRequest;
  if (!environment_.Charge(&member->held_bytes, bytes)) return KafkaError::kGroupMaxSizeReached;
  std::sort(topics.begin(), topics.end());
  topics.erase(std::unique(topics.begin(), topics.end()), topics.end());

  const bool subscribes_anew = topics != member->subscribed_topics || regex != member->subscribed_regex;
  if (subscribes_anew) {
    member->subscribed_topics = std::move(topics);
    member->subscribed_regex = std::move(regex);
    MatchTopics(member);
    *changed = true;
  }
  if (request->server_assignor && *request->server_assignor != member->assignor) {
    member->assignor = std::move(*request->server_assignor);
    *changed = true;
  }
  if (request->rebalance_timeout_ms >= 0) member->rebalance_timeout_ms = request->rebalance_timeout_ms;
  if (request->rack_id) member->rack_id = std::move(request->rack_id);
  member->client_id = request->client_id.substr(0, kInstanceIdBytesMax);
  member->client_host = request->client_host.substr(0, kInstanceIdBytesMax);
  return KafkaError::kNone;
}

void ConsumerGroup::Remove(const std::string& id) {
  auto node = members_.extract(id);
  if (node.empty()) return;
  Member& member = node.mapped();
  environment_.deadlines.Cancel(&member.session_timer);
  environment_.deadlines.Cancel(&member.rebalance_timer);
  environment_.Release(&member.held_bytes);
  if (member.instance_id) static_members_.erase(*member.instance_id);
  Release(id, member.assigned);
  Release(id, member.to_revoke);
  ++group_epoch_;  // the next heartbeat of another member makes the target for it
  if (members_.empty()) assignment_epoch_ = group_epoch_;
}

void ConsumerGroup::Release(const std::string& id, const PartitionsByTopic& partitions) {
  for (const auto& [topic, numbers] : partitions) {
    for (const int32_t partition : numbers) {
      const auto owner = owners_.find({topic, partition});
      if (owner != owners_.end() && owner->second == id) owners_.erase(owner);
    }
  }
}

void ConsumerGroup::SetPartitions(Member* member, PartitionsByTopic assigned, PartitionsByTopic to_revoke) {
  Release(member->id, member->assigned);
  Release(member->id, member->to_revoke);
  member->assigned = std::move(assigned);
  member->to_revoke = std::move(to_revoke);
  for (const PartitionsByTopic* partitions : {&member->assigned, &member->to_revoke}) {
    for (const auto& [topic, numbers] : *partitions) {
      for (const int32_t partition : numbers) owners_[{topic, partition}] = member->id;
    }
  }
}

void ConsumerGroup::Reconcile(Member* member, const std::optional<PartitionsByTopic>& owned) {
  if (member->state == State::kStable && member->epoch == assignment_epoch_) return;
  if (member->state == State::kUnrevoked && (!owned || Intersects(*owned, member->to_revoke))) return;
  TakeNext(member, owned);
  environment_.deadlines.Cancel(&member->rebalance_timer);
  if (member->state != State::kUnrevoked) return;
  // Who does not give up what others wait for is out.
  member->rebalance_timer =
      environment_.deadlines.Add(environment_.now_ms + std::max(member->rebalance_timeout_ms, kRevokeTimeoutMinMs),
                                 [this, id = member->id] { Remove(std::string(id)); });
}

void ConsumerGroup::TakeNext(Member* member, const std::optional<PartitionsByTopic>& owned) {
  PartitionsByTopic keeps, loses, takes;
  bool waits = false;
  for (const auto& [topic, partitions] : member->assigned) {
    for (const int32_t partition : partitions) {
      (Has(member->target, topic, partition) ? keeps : loses)[topic].insert(partition);
    }
  }
  if (!loses.empty() && (!owned || Intersects(*owned, loses))) {
    SetPartitions(member, std::move(keeps), std::move(loses));
    member->state = State::kUnrevoked;
    return;
  }
  for (const auto& [topic, partitions] : member->target) {
    for (const int32_t partition : partitions) {
      if (Has(keeps, topic, partition)) continue;
      const auto owner = owners_.find({topic, partition});
      const bool is_free = owner == owners_.end() || owner->second == member->id;
      waits |= !is_free;
      if (is_free) takes[topic].insert(partition);
    }
  }
  for (const auto& [topic, partitions] : takes) keeps[topic].insert(partitions.begin(), partitions.end());
  SetPartitions(member, std::move(keeps), {});
  member->state = waits ? State::kUnreleased : State::kStable;
  if (member->epoch == assignment_epoch_) return;
  member->previous_epoch = member->epoch;
  member->epoch = assignment_epoch_;
}

void ConsumerGroup::ResetSession(Member* member) {
  member->expires_ms = environment_.now_ms + environment_.options.consumer_session_timeout_ms;
  if (member->session_timer != 0) return;  // it looks at the time when it runs
  member->session_timer =
      environment_.deadlines.Add(member->expires_ms, [this, id = member->id] { OnSessionTimer(id); });
}

void ConsumerGroup::OnSessionTimer(const std::string& id) {
  Member& member = members_.at(id);
  if (member.expires_ms <= environment_.now_ms) return Remove(std::string(id));
  member.session_timer = environment_.deadlines.Add(member.expires_ms, [this, id] { OnSessionTimer(id); });
}

KafkaError ConsumerGroup::ValidateCommit(const CommitOffsetsRequest& request, bool transactional) const {
  if (request.generation < 0 && (members_.empty() || (transactional && request.member_id.empty()))) {
    return KafkaError::kNone;
  }
  const auto it = members_.find(request.member_id);
  if (it == members_.end()) return KafkaError::kUnknownMemberId;
  return it->second.epoch == request.generation ? KafkaError::kNone : KafkaError::kStaleMemberEpoch;
}

KafkaError ConsumerGroup::ValidateFetch(const FetchOffsetsRequest& request) const {
  if (request.member_id.empty() && request.member_epoch < 0) return KafkaError::kNone;
  const auto it = members_.find(request.member_id);
  if (it == members_.end()) return KafkaError::kUnknownMemberId;
  return it->second.epoch == request.member_epoch ? KafkaError::kNone : KafkaError::kStaleMemberEpoch;
}

}  // namespace tidemill
