// How a ClassicGroup gets from one generation to the next.

#include <algorithm>

#include "log/groups/classic_group.h"
#include "log/groups/consumer_subscription.h"
#include "log/groups/group_environment.h"

namespace tidemill {
namespace {

constexpr int32_t kRebalanceTimeoutMinMs = 1'000;  // a client may ask for 0, and nobody could follow

}  // namespace

void ClassicGroup::RebalanceOrCompleteJoin() {
  if (state_ == State::kPreparingRebalance) return MaybeCompleteJoin();
  if (!members_.empty() || state_ != State::kEmpty) PrepareRebalance();
}

void ClassicGroup::PrepareRebalance() {
  if (state_ == State::kCompletingRebalance) HandOutAssignments(KafkaError::kRebalanceInProgress);
  environment_.deadlines.Cancel(&sync_timer_);
  unsynced_.clear();
  const bool first = state_ == State::kEmpty;
  state_ = State::kPreparingRebalance;
  const int32_t timeout_ms = LongestRebalanceTimeout();
  if (first) {
    const int32_t delay_ms = std::min(environment_.options.initial_rebalance_delay_ms, timeout_ms);
    return WaitForMoreMembers(delay_ms, timeout_ms - delay_ms);
  }
  join_timer_ = environment_.deadlines.Add(environment_.now_ms + timeout_ms, [this] { CompleteJoin(); });
  MaybeCompleteJoin();
}

void ClassicGroup::WaitForMoreMembers(int32_t delay_ms, int32_t remaining_ms) {
  waits_for_more_ = true;
  member_came_ = false;
  if (delay_ms <= 0) return CompleteJoin();
  join_timer_ = environment_.deadlines.Add(environment_.now_ms + delay_ms, [this, remaining_ms] {
    if (!member_came_ || remaining_ms == 0) return CompleteJoin();
    const int32_t next_ms = std::min(environment_.options.initial_rebalance_delay_ms, remaining_ms);
    WaitForMoreMembers(next_ms, remaining_ms - next_ms);
  });
}

void ClassicGroup::MaybeCompleteJoin() {
  if (state_ != State::kPreparingRebalance || waits_for_more_ || !pending_.empty()) return;
  const bool all_joined = std::all_of(members_.begin(), members_.end(),
                                      [](const auto& member) { return member.second.join_reply != nullptr; });
  if (all_joined) CompleteJoin();
}

// The round begins with whoever joined. A static member that did not is only away and keeps its place until its
// session ends; others are out.
void ClassicGroup::CompleteJoin() {
  environment_.deadlines.Cancel(&join_timer_);
  waits_for_more_ = false;
  std::vector<std::string> missing;
  for (const auto& [id, member] : members_) {
    if (!member.join_reply && !member.instance_id) missing.push_back(id);
  }
  for (const std::string& id : missing) RemoveMember(id, KafkaError::kUnknownMemberId);
  if (members_.empty()) return BecomeEmpty();
  if (!ElectJoinedLeader()) {
    // Only static members that are away: one of them may come back, or their sessions end.
    join_timer_ =
        environment_.deadlines.Add(environment_.now_ms + LongestRebalanceTimeout(), [this] { CompleteJoin(); });
    return;
  }
  ++generation_;
  protocol_name_ = SelectProtocol();
  state_ = State::kCompletingRebalance;
  ReadSubscriptions();
  for (auto& [id, member] : members_) {
    if (!member.join_reply) continue;
    environment_.Answer(&member.join_reply, CurrentGeneration(member, id == leader_));
    member.is_new = false;
    ExpireAfter(&member, member.session_timeout_ms);
    unsynced_.insert(id);
  }
  sync_timer_ = environment_.deadlines.Add(environment_.now_ms + LongestRebalanceTimeout(),
                                           [this, generation = generation_] { ExpirePendingSyncs(generation); });
}

bool ClassicGroup::ElectJoinedLeader() {
  const auto leader = members_.find(leader_);
  if (leader != members_.end() && leader->second.join_reply) return true;
  for (const auto& [id, member] : members_) {
    if (!member.join_reply) continue;
    leader_ = id;
    return true;
  }
  return false;
}

void ClassicGroup::BecomeEmpty() {
  ++generation_;
  protocol_name_.clear();
  leader_.clear();
  unsynced_.clear();
  environment_.deadlines.Cancel(&sync_timer_);
  state_ = State::kEmpty;
  subscribed_topics_.emplace();
}

// Who was told of a generation and never asked for its part is gone, the leader first of all.
void ClassicGroup::ExpirePendingSyncs(int32_t generation) {
  if (generation != generation_ || unsynced_.empty()) return;
  if (state_ != State::kCompletingRebalance && state_ != State::kStable) return;
  const std::set<std::string> gone = std::exchange(unsynced_, {});
  for (const std::string& id : gone) RemoveMember(id, KafkaError::kUnknownMemberId);
  PrepareRebalance();
}

void ClassicGroup::Sync(SyncRequest request, SyncReply reply) {
  KafkaError error = ValidateMember(request.member_id, request.group_instance_id);
  if (error == KafkaError::kNone) {
    if (request.generation != generation_) {
      error = KafkaError::kIllegalGeneration;
    } else if ((request.protocol_type && *request.protocol_type != protocol_type_) ||
               (request.protocol_name && *request.protocol_name != protocol_name_)) {
      error = KafkaError::kInconsistentGroupProtocol;
    } else if (state_ == State::kEmpty) {
      error = KafkaError::kUnknownMemberId;
    } else if (state_ == State::kPreparingRebalance) {
      error = KafkaError::kRebalanceInProgress;
    }
  }
  if (error != KafkaError::kNone) {
    SyncResult result;
    result.error = error;
    return environment_.Answer(&reply, std::move(result));
  }
  Member& member = members_.at(request.member_id);
  unsynced_.erase(member.id);
  if (unsynced_.empty()) environment_.deadlines.Cancel(&sync_timer_);
  Touch(&member);
  if (state_ == State::kStable) {
    return environment_.Answer(&reply,
                               SyncResult{KafkaError::kNone, protocol_type_, protocol_name_, member.assignment});
  }
  SyncResult superseded;
  superseded.error = KafkaError::kRebalanceInProgress;
  environment_.Answer(&member.sync_reply, std::move(superseded));
  member.sync_reply = std::move(reply);
  if (member.id != leader_) return;
  if (!TakeAssignments(&request)) {
    HandOutAssignments(KafkaError::kUnknownServerError);
    return PrepareRebalance();
  }
  state_ = State::kStable;
  HandOutAssignments(KafkaError::kNone);
}

// False: they take more memory than allowed.
bool ClassicGroup::TakeAssignments(SyncRequest* request) {
  int64_t bytes = 0;
  for (const auto& assignment : request->assignments) bytes += static_cast<int64_t>(assignment.assignment.size());
  if (bytes > environment_.options.group_assignment_bytes_max) return false;
  for (auto& [id, member] : members_) {
    environment_.Charge(&member.held_bytes, member.held_bytes - static_cast<int64_t>(member.assignment.size()));
    member.assignment.clear();
  }
  for (auto& assignment : request->assignments) {
    const auto it = members_.find(assignment.member_id);
    if (it == members_.end()) continue;
    Member& member = it->second;
    const int64_t others = member.held_bytes - static_cast<int64_t>(member.assignment.size());
    if (!environment_.Charge(&member.held_bytes, others + static_cast<int64_t>(assignment.assignment.size()))) {
      return false;
    }
    member.assignment = std::move(assignment.assignment);
  }
  return true;
}

// Answers who waits for its part. With an error nobody keeps one.
void ClassicGroup::HandOutAssignments(KafkaError error) {
  for (auto& [id, member] : members_) {
    if (error != KafkaError::kNone) {
      environment_.Charge(&member.held_bytes, member.held_bytes - static_cast<int64_t>(member.assignment.size()));
      member.assignment.clear();
    }
    if (!member.sync_reply) continue;
    SyncResult result{error, protocol_type_, protocol_name_, member.assignment};
    environment_.Answer(&member.sync_reply, std::move(result));
    Touch(&member);
  }
}

int32_t ClassicGroup::LongestRebalanceTimeout() const {
  int32_t timeout_ms = kRebalanceTimeoutMinMs;
  for (const auto& [id, member] : members_) timeout_ms = std::max(timeout_ms, member.rebalance_timeout_ms);
  return timeout_ms;
}

std::set<std::string> ClassicGroup::CommonProtocols() const {
  std::map<std::string, size_t> counts;
  for (const auto& [id, member] : members_) {
    std::set<std::string> names;
    for (const GroupProtocol& protocol : member.protocols) names.insert(protocol.name);
    for (const std::string& name : names) ++counts[name];
  }
  std::set<std::string> common;
  for (const auto& [name, count] : counts) {
    if (count == members_.size()) common.insert(name);
  }
  return common;
}

// Each member votes for the first of its protocols that all have; most votes win, then the name that sorts first.
std::string ClassicGroup::SelectProtocol() const {
  const std::set<std::string> common = CommonProtocols();
  std::map<std::string, size_t> votes;
  for (const auto& [id, member] : members_) {
    for (const GroupProtocol& protocol : member.protocols) {
      if (!common.contains(protocol.name)) continue;
      ++votes[protocol.name];
      break;
    }
  }
  const auto best =
      std::max_element(votes.begin(), votes.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  return best == votes.end() ? "" : best->first;
}

void ClassicGroup::ReadSubscriptions() {
  subscribed_topics_.reset();
  if (protocol_type_ != "consumer") return;
  std::set<std::string> topics;
  for (const auto& [id, member] : members_) {
    auto subscribed = ReadSubscribedTopics(MetadataOf(member));
    if (!subscribed) return;
    topics.insert(std::make_move_iterator(subscribed->begin()), std::make_move_iterator(subscribed->end()));
  }
  subscribed_topics_ = std::move(topics);
}

bool ClassicGroup::IsSubscribedTo(const std::string& topic) const {
  if (members_.empty()) return false;
  return subscribed_topics_ ? subscribed_topics_->contains(topic) : protocol_type_ == "consumer";
}

const std::string& ClassicGroup::MetadataOf(const Member& member) const {
  static const std::string kNone;
  for (const GroupProtocol& protocol : member.protocols) {
    if (protocol.name == protocol_name_) return protocol.metadata;
  }
  return kNone;
}

std::vector<JoinedMember> ClassicGroup::JoinedMembers() const {
  std::vector<JoinedMember> joined;
  joined.reserve(members_.size());
  for (const auto& [id, member] : members_) joined.push_back({id, member.instance_id, MetadataOf(member)});
  return joined;
}

JoinResult ClassicGroup::CurrentGeneration(const Member& member, bool with_members) const {
  JoinResult result;
  result.generation = generation_;
  result.protocol_type = protocol_type_;
  result.protocol_name = protocol_name_;
  result.leader = leader_;
  result.member_id = member.id;
  if (with_members) result.members = JoinedMembers();
  return result;
}

}  // namespace tidemill
