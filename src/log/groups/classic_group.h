#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "log/groups/deadline_queue.h"
#include "log/groups/group_requests.h"

namespace tidemill {

struct GroupEnvironment;

// A group of the classic protocol (JoinGroup, SyncGroup): members bring protocols and their metadata, the broker picks
// a protocol and a leader, the leader hands out partitions. A generation is what one such round decided.
//
//   Empty -> PreparingRebalance (waits for every member to join) -> CompletingRebalance (waits for the leader's
//   assignment) -> Stable; back to PreparingRebalance when a member comes, goes, or changes what it brings.
//
// Not thread-safe: guarded by the coordinator's mutex. Answers go to the environment's outbox. A member that waits is
// answered at the latest when its round's deadline passes.
class ClassicGroup {
 public:
  enum class State { kEmpty, kPreparingRebalance, kCompletingRebalance, kStable };

  ClassicGroup(GroupEnvironment& environment, std::string id);
  ~ClassicGroup();  // answers who waits with kCoordinatorNotAvailable
  ClassicGroup(const ClassicGroup&) = delete;
  ClassicGroup& operator=(const ClassicGroup&) = delete;

  void Join(JoinRequest request, JoinReply reply);
  void Sync(SyncRequest request, SyncReply reply);
  KafkaError Heartbeat(const HeartbeatRequest& request);
  KafkaError Leave(const LeaveMember& leaving);
  // A success counts as a heartbeat.
  KafkaError ValidateCommit(const CommitOffsetsRequest& request, bool transactional);
  KafkaError ValidateDeleteOffsets() const;
  // When the members' metadata can't be read: every topic, if they are consumers.
  bool IsSubscribedTo(const std::string& topic) const;

  State state() const { return state_; }
  static const char* StateName(State state);
  const std::string& protocol_type() const { return protocol_type_; }
  int32_t generation() const { return generation_; }
  // Nobody is a member, nor about to be one.
  bool IsIdle() const { return state_ == State::kEmpty && pending_.empty(); }
  void Describe(GroupDescription* description) const;

 private:
  struct Member {
    std::string id;
    std::optional<std::string> instance_id;
    std::string client_id;
    std::string client_host;
    int32_t session_timeout_ms = 0;
    int32_t rebalance_timeout_ms = 0;
    std::vector<GroupProtocol> protocols;
    std::string assignment;
    JoinReply join_reply;  // it waits for the round to begin
    SyncReply sync_reply;  // it waits for the leader's assignment
    bool is_new = true;    // its first join is not answered yet
    int64_t expires_ms = 0;
    DeadlineQueue::Id timer = 0;
    int64_t held_bytes = 0;
  };

  void JoinNewMember(JoinRequest request, JoinReply reply);
  void JoinExistingMember(JoinRequest request, JoinReply reply);
  void ReplaceStaticMember(const std::string& old_id, JoinRequest request, JoinReply reply);
  void AddMember(const std::string& id, JoinRequest request, JoinReply reply);
  bool UpdateMember(Member* member, JoinRequest* request, JoinReply* reply);
  void RemoveMember(const std::string& id, KafkaError answer);
  void RemoveMemberAndRebalance(const std::string& id);
  void RemovePending(const std::string& id);
  void RemovePendingAndCompleteJoin(const std::string& id);
  bool HasRoomFor(const JoinRequest& request) const;
  bool SupportsProtocols(const JoinRequest& request) const;
  bool ProtocolsFit(const JoinRequest& request) const;
  KafkaError ValidateMember(const std::string& member_id, const std::optional<std::string>& instance_id) const;

  void RebalanceOrCompleteJoin();
  void PrepareRebalance();
  void WaitForMoreMembers(int32_t delay_ms, int32_t remaining_ms);
  void MaybeCompleteJoin();
  void CompleteJoin();
  bool ElectJoinedLeader();
  void BecomeEmpty();
  void ExpirePendingSyncs(int32_t generation);
  void HandOutAssignments(KafkaError error);
  bool TakeAssignments(SyncRequest* request);
  int32_t LongestRebalanceTimeout() const;
  std::string SelectProtocol() const;
  std::set<std::string> CommonProtocols() const;
  void ReadSubscriptions();

  JoinResult CurrentGeneration(const Member& member, bool with_members) const;
  std::vector<JoinedMember> JoinedMembers() const;
  const std::string& MetadataOf(const Member& member) const;
  void Touch(Member* member);
  void ExpireAfter(Member* member, int64_t delay_ms);
  void OnMemberTimer(const std::string& id);

  GroupEnvironment& environment_;
  const std::string id_;
  State state_ = State::kEmpty;
  int32_t generation_ = 0;
  std::string protocol_type_;
  std::string protocol_name_;
  std::string leader_;
  std::map<std::string, Member> members_;
  std::map<std::string, std::string> static_members_;  // instance id -> member id
  std::map<std::string, DeadlineQueue::Id> pending_;   // ids that were given and not used yet, with their timers
  std::set<std::string> unsynced_;  // members that have not asked for their assignment of this generation
  std::optional<std::set<std::string>> subscribed_topics_;
  bool waits_for_more_ = false;  // the first round of a group
  bool member_came_ = false;     // during that wait
  DeadlineQueue::Id join_timer_ = 0;
  DeadlineQueue::Id sync_timer_ = 0;
};

}  // namespace tidemill
