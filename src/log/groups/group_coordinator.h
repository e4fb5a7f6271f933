#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "log/consumer_positions.h"
#include "log/groups/consumer_group_requests.h"
#include "log/groups/group_options.h"
#include "log/groups/group_requests.h"

namespace tidemill {

class ClassicGroup;
class ConsumerGroup;
struct GroupEnvironment;

// Kafka's group coordinator without its sockets: who is a member of which group, who leads, who owns what, and where
// the group has got to. Semantics are those of Kafka's GroupMetadataManager (KIP-62, KIP-345, KIP-394, KIP-429,
// KIP-848). A group is of the protocol of whoever came first, until it is empty.
//
// Thread-safe. It has no thread: somebody calls Tick when next_deadline_ms() has come. A reply runs once, outside the
// lock, on the thread whose call or tick decided it, or on a thread of the log for commits. Membership lives in memory:
// after a restart members learn kUnknownMemberId and join again; positions are durable. Must outlive all replies.
class GroupCoordinator {
 public:
  // `seed`: of member ids. A new one for each start, so that nobody from before can pass for a member.
  GroupCoordinator(const Clock& clock, uint64_t seed, ConsumerPositions& positions, GroupOptions options = {});
  // Answers whoever still waits with kCoordinatorNotAvailable.
  ~GroupCoordinator();

  void Join(JoinRequest request, JoinReply reply);
  void Sync(SyncRequest request, SyncReply reply);
  KafkaError Heartbeat(const HeartbeatRequest& request);
  LeaveResult Leave(const std::string& group, const std::vector<LeaveMember>& members);

  // Of the new protocol; answered at once.
  ConsumerHeartbeatResult ConsumerHeartbeat(ConsumerHeartbeatRequest request);
  ConsumerGroupDescription DescribeConsumerGroup(const std::string& group) const;
  // Topics came, went or grew: groups of the new protocol look at GroupOptions::topics again.
  void TopicsChanged();

  void CommitOffsets(CommitOffsetsRequest request, CommitOffsetsReply reply);
  // Whether a member may add positions to its transaction (TxnOffsetCommit); a generation below 0 and no member id:
  // not checked.
  KafkaError ValidateTransactionalCommit(const CommitOffsetsRequest& request);
  FetchOffsetsResult FetchOffsets(const FetchOffsetsRequest& request) const;
  // Blocks until durable, as does Delete.
  DeleteOffsetsResult DeleteOffsets(const std::string& group, const std::vector<GroupPartition>& partitions);

  // Empty filters pass everything; they compare without regard to case.
  std::vector<GroupListing> List(const std::vector<std::string>& states, const std::vector<std::string>& types) const;
  GroupDescription Describe(const std::string& group) const;
  KafkaError Delete(const std::string& group);

  // Milliseconds of Clock::MonotonicNanos. INT64_MAX: nothing to wait for.
  int64_t next_deadline_ms() const;
  void Tick(int64_t now_ms);
  int64_t NowMs() const { return clock_.MonotonicNanos() / 1'000'000; }

  // Groups in memory, and bytes that their members hold: for metrics.
  int64_t group_count() const;
  int64_t metadata_bytes() const;

 private:
  struct Group;
  class Call;

  ClassicGroup* FindClassic(const std::string& id) const;
  ConsumerGroup* FindConsumer(const std::string& id) const;
  ConsumerGroup* FindOrMakeConsumer(const std::string& id, KafkaError* error);
  ClassicGroup* FindOrMakeClassic(const std::string& id, KafkaError* error);
  KafkaError MakeRoomFor(const std::string& id, KafkaError in_use);
  bool MakeRoom();
  void ForgetIdleGroups();
  KafkaError ValidateCommit(const CommitOffsetsRequest& request, bool transactional);

  const Clock& clock_;
  ConsumerPositions& positions_;
  const GroupOptions options_;
  mutable std::mutex mutex_;
  Random random_;
  std::unique_ptr<GroupEnvironment> environment_;
  std::map<std::string, std::unique_ptr<Group>> groups_;
  bool forgets_later_ = false;  // a deadline for ForgetIdleGroups is set
};

}  // namespace tidemill
