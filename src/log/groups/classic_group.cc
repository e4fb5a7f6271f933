#include "log/groups/classic_group.h"

#include <algorithm>

#include "log/groups/group_environment.h"

namespace tidemill {
namespace {

constexpr size_t kIdBytesMax = 249;
constexpr size_t kProtocolsMax = 64;

JoinResult JoinFailure(KafkaError error, std::string member_id) {
  JoinResult result;
  result.error = error;
  result.member_id = std::move(member_id);
  return result;
}

SyncResult SyncFailure(KafkaError error) {
  SyncResult result;
  result.error = error;
  return result;
}

int64_t BytesOf(const std::vector<GroupProtocol>& protocols) {
  int64_t bytes = 0;
  for (const GroupProtocol& protocol : protocols) bytes += protocol.name.size() + protocol.metadata.size();
  return bytes;
}

bool SameProtocols(const std::vector<GroupProtocol>& a, const std::vector<GroupProtocol>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const GroupProtocol& x, const GroupProtocol& y) {
    return x.name == y.name && x.metadata == y.metadata;
  });
}

}  // namespace

ClassicGroup::ClassicGroup(GroupEnvironment& environment, std::string id)
    : environment_(environment), id_(std::move(id)) {}

ClassicGroup::~ClassicGroup() {
  while (!members_.empty()) RemoveMember(std::string(members_.begin()->first), KafkaError::kCoordinatorNotAvailable);
  while (!pending_.empty()) RemovePending(std::string(pending_.begin()->first));
  environment_.deadlines.Cancel(&join_timer_);
  environment_.deadlines.Cancel(&sync_timer_);
}

const char* ClassicGroup::StateName(State state) {
  switch (state) {
    case State::kEmpty:
      return "Empty";
    case State::kPreparingRebalance:
      return "PreparingRebalance";
    case State::kCompletingRebalance:
      return "CompletingRebalance";
    case State::kStable:
      return "Stable";
  }
  return "Unknown";
}

void ClassicGroup::Join(JoinRequest request, JoinReply reply) {
  KafkaError error = KafkaError::kNone;
  if (!HasRoomFor(request)) {
    request.member_id.clear();
    error = KafkaError::kGroupMaxSizeReached;
  } else if (!ProtocolsFit(request)) {
    error = KafkaError::kInvalidRequest;
  } else if (!SupportsProtocols(request)) {
    error = KafkaError::kInconsistentGroupProtocol;
  }
  if (error != KafkaError::kNone) {
    environment_.Answer(&reply, JoinFailure(error, std::move(request.member_id)));
  } else if (request.member_id.empty()) {
    JoinNewMember(std::move(request), std::move(reply));
  } else {
    JoinExistingMember(std::move(request), std::move(reply));
  }
}

void ClassicGroup::JoinNewMember(JoinRequest request, JoinReply reply) {
  // A static member is known by its instance id, so it need not come back with the id that it is given.
  if (request.group_instance_id) {
    const auto known = static_members_.find(*request.group_instance_id);
    if (known != static_members_.end()) {
      return ReplaceStaticMember(std::string(known->second), std::move(request), std::move(reply));
    }
    return AddMember(environment_.MakeMemberId(*request.group_instance_id), std::move(request), std::move(reply));
  }
  std::string id = environment_.MakeMemberId(request.client_id);
  if (!request.require_known_member_id) return AddMember(id, std::move(request), std::move(reply));
  if (pending_.size() >= static_cast<size_t>(environment_.options.group_size_max)) {
    return environment_.Answer(&reply, JoinFailure(KafkaError::kGroupMaxSizeReached, ""));
  }
  pending_[id] = environment_.deadlines.Add(environment_.now_ms + request.session_timeout_ms,
                                            [this, id] { RemovePendingAndCompleteJoin(id); });
  environment_.Answer(&reply, JoinFailure(KafkaError::kMemberIdRequired, std::move(id)));
}

void ClassicGroup::JoinExistingMember(JoinRequest request, JoinReply reply) {
  std::string id = request.member_id;
  if (pending_.contains(id)) {
    if (request.group_instance_id) {  // static members are never pending
      return environment_.Answer(&reply, JoinFailure(KafkaError::kUnknownMemberId, std::move(id)));
    }
    return AddMember(id, std::move(request), std::move(reply));
  }
  KafkaError error = ValidateMember(id, request.group_instance_id);
  if (error == KafkaError::kNone && state_ == State::kEmpty) error = KafkaError::kUnknownMemberId;
  if (error != KafkaError::kNone) return environment_.Answer(&reply, JoinFailure(error, std::move(id)));

  Member& member = members_.at(id);
  const bool is_leader = id == leader_;
  const bool same = SameProtocols(member.protocols, request.protocols);
  // A member that missed the answer asks again; with nothing new it gets the same one. A leader of a stable group that
  // asks again wants a new round: what it hands out depends on more than its metadata.
  if (same && (state_ == State::kCompletingRebalance || (state_ == State::kStable && !is_leader))) {
    Touch(&member);
    return environment_.Answer(&reply, CurrentGeneration(member, is_leader && state_ == State::kCompletingRebalance));
  }
  if (UpdateMember(&member, &request, &reply)) RebalanceOrCompleteJoin();
}

void ClassicGroup::ReplaceStaticMember(const std::string& old_id, JoinRequest request, JoinReply reply) {
  const std::string id = environment_.MakeMemberId(*request.group_instance_id);
  const std::string old_leader = leader_;
  auto node = members_.extract(old_id);
  Member& member = node.mapped();
  environment_.Answer(&member.join_reply, JoinFailure(KafkaError::kFencedInstanceId, old_id));
  environment_.Answer(&member.sync_reply, SyncFailure(KafkaError::kFencedInstanceId));
  environment_.deadlines.Cancel(&member.timer);
  node.key() = id;
  member.id = id;
  members_.insert(std::move(node));
  static_members_[*request.group_instance_id] = id;
  if (leader_ == old_id) leader_ = id;
  if (unsynced_.erase(old_id)) unsynced_.insert(id);

  Member& replaced = members_.at(id);
  const bool supports_skip = request.support_skip_assignment;
  JoinReply waiting = std::move(reply);
  const bool updated = UpdateMember(&replaced, &request, &waiting);
  ExpireAfter(&replaced, replaced.session_timeout_ms);
  if (!updated) return;
  if (state_ != State::kStable || SelectProtocol() != protocol_name_) return RebalanceOrCompleteJoin();
  // The same instance after a restart: it takes its partitions up again, and nobody else notices.
  JoinResult result = CurrentGeneration(replaced, supports_skip && leader_ == id);
  if (supports_skip) {
    result.skip_assignment = leader_ == id;
  } else {
    result.leader = old_leader;  // so that an older client does not hand out partitions for a group that keeps its own
  }
  replaced.is_new = false;
  environment_.Answer(&replaced.join_reply, std::move(result));
}

void ClassicGroup::AddMember(const std::string& id, JoinRequest request, JoinReply reply) {
  Member member;
  member.id = id;
  member.instance_id = request.group_instance_id;
  if (!UpdateMember(&member, &request, &reply)) return;
  RemovePending(id);
  if (members_.empty()) protocol_type_ = request.protocol_type;
  if (leader_.empty()) leader_ = id;
  if (member.instance_id) static_members_[*member.instance_id] = id;
  Member& added = members_[id] = std::move(member);
  // Whoever waits for its first answer may be gone, and can't be heard of through heartbeats yet.
  ExpireAfter(&added, environment_.options.new_member_join_timeout_ms);
  if (waits_for_more_) member_came_ = true;
  RebalanceOrCompleteJoin();
}

// False: answered already, since it brings too much.
bool ClassicGroup::UpdateMember(Member* member, JoinRequest* request, JoinReply* reply) {
  const int64_t bytes = BytesOf(request->protocols) + static_cast<int64_t>(member->assignment.size());
  if (!environment_.Charge(&member->held_bytes, bytes)) {
    environment_.Answer(reply, JoinFailure(KafkaError::kGroupMaxSizeReached, member->id));
    return false;
  }
  // A second request of the same member: its first one came over a connection that it gave up.
  environment_.Answer(&member->join_reply, JoinFailure(KafkaError::kRebalanceInProgress, member->id));
  member->client_id = request->client_id.substr(0, kIdBytesMax);
  member->client_host = request->client_host.substr(0, kIdBytesMax);
  member->session_timeout_ms = request->session_timeout_ms;
  member->rebalance_timeout_ms =
      request->rebalance_timeout_ms < 0 ? request->session_timeout_ms : request->rebalance_timeout_ms;
  member->protocols = std::move(request->protocols);
  member->join_reply = std::move(*reply);
  return true;
}

void ClassicGroup::RemovePending(const std::string& id) {
  const auto it = pending_.find(id);
  if (it == pending_.end()) return;
  environment_.deadlines.Cancel(&it->second);
  pending_.erase(it);
}

void ClassicGroup::RemovePendingAndCompleteJoin(const std::string& id) {
  RemovePending(id);
  MaybeCompleteJoin();  // the round may have waited for it alone
}

void ClassicGroup::RemoveMember(const std::string& id, KafkaError answer) {
  auto node = members_.extract(id);
  if (node.empty()) return;
  Member& member = node.mapped();
  environment_.Answer(&member.join_reply, JoinFailure(answer, id));
  environment_.Answer(&member.sync_reply, SyncFailure(answer));
  environment_.deadlines.Cancel(&member.timer);
  environment_.Release(&member.held_bytes);
  if (member.instance_id) static_members_.erase(*member.instance_id);
  unsynced_.erase(id);
  if (leader_ == id) leader_ = members_.empty() ? "" : members_.begin()->first;
}

void ClassicGroup::RemoveMemberAndRebalance(const std::string& id) {
  RemoveMember(id, KafkaError::kUnknownMemberId);
  RebalanceOrCompleteJoin();
}

KafkaError ClassicGroup::ValidateMember(const std::string& member_id,
                                        const std::optional<std::string>& instance_id) const {
  if (instance_id) {
    const auto known = static_members_.find(*instance_id);
    if (known == static_members_.end()) return KafkaError::kUnknownMemberId;
    if (known->second != member_id) return KafkaError::kFencedInstanceId;
  }
  return members_.contains(member_id) ? KafkaError::kNone : KafkaError::kUnknownMemberId;
}

bool ClassicGroup::HasRoomFor(const JoinRequest& request) const {
  return members_.size() < static_cast<size_t>(environment_.options.group_size_max) ||
         members_.contains(request.member_id) ||
         (request.group_instance_id && static_members_.contains(*request.group_instance_id));
}

bool ClassicGroup::ProtocolsFit(const JoinRequest& request) const {
  if (request.group_instance_id &&
      (request.group_instance_id->empty() || request.group_instance_id->size() > kIdBytesMax)) {
    return false;
  }
  if (request.protocols.size() > kProtocolsMax || request.protocol_type.size() > kIdBytesMax) return false;
  for (const GroupProtocol& protocol : request.protocols) {
    if (protocol.name.empty() || protocol.name.size() > kIdBytesMax) return false;
  }
  return BytesOf(request.protocols) <= environment_.options.member_metadata_bytes_max;
}

bool ClassicGroup::SupportsProtocols(const JoinRequest& request) const {
  if (request.protocol_type.empty() || request.protocols.empty()) return false;
  if (members_.empty()) return true;
  if (request.protocol_type != protocol_type_) return false;
  const std::set<std::string> common = CommonProtocols();
  return std::any_of(request.protocols.begin(), request.protocols.end(),
                     [&](const GroupProtocol& protocol) { return common.contains(protocol.name); });
}

// A heartbeat: its session begins anew. The timer notices when it runs.
void ClassicGroup::Touch(Member* member) { member->expires_ms = environment_.now_ms + member->session_timeout_ms; }

void ClassicGroup::ExpireAfter(Member* member, int64_t delay_ms) {
  member->expires_ms = environment_.now_ms + delay_ms;
  environment_.deadlines.Cancel(&member->timer);
  member->timer = environment_.deadlines.Add(member->expires_ms, [this, id = member->id] { OnMemberTimer(id); });
}

void ClassicGroup::OnMemberTimer(const std::string& id) {
  Member& member = members_.at(id);
  // One that waits for an answer has no reason to send heartbeats.
  const bool waits = !member.is_new && (member.join_reply || member.sync_reply);
  if (waits) Touch(&member);
  if (member.expires_ms > environment_.now_ms) {
    member.timer = environment_.deadlines.Add(member.expires_ms, [this, id] { OnMemberTimer(id); });
    return;
  }
  RemoveMemberAndRebalance(std::string(id));
}

KafkaError ClassicGroup::Heartbeat(const HeartbeatRequest& request) {
  const KafkaError error = ValidateMember(request.member_id, request.group_instance_id);
  if (error != KafkaError::kNone) return error;
  if (request.generation != generation_) return KafkaError::kIllegalGeneration;
  if (state_ == State::kEmpty) return KafkaError::kUnknownMemberId;
  Touch(&members_.at(request.member_id));
  return state_ == State::kPreparingRebalance ? KafkaError::kRebalanceInProgress : KafkaError::kNone;
}

KafkaError ClassicGroup::Leave(const LeaveMember& leaving) {
  if (leaving.member_id.empty() && leaving.group_instance_id) {
    const auto known = static_members_.find(*leaving.group_instance_id);
    if (known == static_members_.end()) return KafkaError::kUnknownMemberId;
    RemoveMemberAndRebalance(std::string(known->second));
    return KafkaError::kNone;
  }
  if (pending_.contains(leaving.member_id)) {
    if (leaving.group_instance_id) return KafkaError::kUnknownMemberId;
    RemovePendingAndCompleteJoin(leaving.member_id);
    return KafkaError::kNone;
  }
  const KafkaError error = ValidateMember(leaving.member_id, leaving.group_instance_id);
  if (error == KafkaError::kNone) RemoveMemberAndRebalance(std::string(leaving.member_id));
  return error;
}

KafkaError ClassicGroup::ValidateCommit(const CommitOffsetsRequest& request, bool transactional) {
  if (request.generation < 0 && state_ == State::kEmpty) return KafkaError::kNone;
  if (request.generation >= 0 || !request.member_id.empty() || request.group_instance_id) {
    const KafkaError error = ValidateMember(request.member_id, request.group_instance_id);
    if (error != KafkaError::kNone) return error;
    if (request.generation != generation_) return KafkaError::kIllegalGeneration;
    Touch(&members_.at(request.member_id));
  } else if (!transactional && state_ != State::kEmpty) {
    return KafkaError::kUnknownMemberId;  // while there are members, only they commit
  }
  // Its partitions are about to go to somebody else, who must not read from before what comes now.
  if (!transactional && state_ == State::kCompletingRebalance) return KafkaError::kRebalanceInProgress;
  return KafkaError::kNone;
}

KafkaError ClassicGroup::ValidateDeleteOffsets() const {
  return state_ == State::kEmpty || protocol_type_ == "consumer" ? KafkaError::kNone : KafkaError::kNonEmptyGroup;
}

void ClassicGroup::Describe(GroupDescription* description) const {
  const bool stable = state_ == State::kStable;
  description->state = StateName(state_);
  description->protocol_type = protocol_type_;
  if (stable) description->protocol_name = protocol_name_;
  for (const auto& [id, member] : members_) {
    description->members.push_back({.member_id = id,
                                    .group_instance_id = member.instance_id,
                                    .client_id = member.client_id,
                                    .client_host = member.client_host,
                                    .metadata = stable ? MetadataOf(member) : "",
                                    .assignment = stable ? member.assignment : ""});
  }
}

}  // namespace tidemill
