#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "log/groups/consumer_group_requests.h"
#include "log/groups/deadline_queue.h"
#include "log/groups/group_requests.h"

namespace tidemill {

struct GroupEnvironment;

// A group of the new protocol (KIP-848): the broker itself assigns partitions, and members learn theirs with their
// heartbeats. Whoever changes what members want raises the group's epoch; for each epoch there is a target assignment,
// and every member moves towards it on its own: it first gives up what it is to lose (and stays in its epoch until it
// has), then takes up what is free.
//
// Not thread-safe: guarded by the coordinator's mutex. Nobody waits here: heartbeats are answered at once.
class ConsumerGroup {
 public:
  // Epochs begin above `first_epoch`.
  ConsumerGroup(GroupEnvironment& environment, std::string id, int32_t first_epoch);
  ~ConsumerGroup();
  ConsumerGroup(const ConsumerGroup&) = delete;
  ConsumerGroup& operator=(const ConsumerGroup&) = delete;

  ConsumerHeartbeatResult Heartbeat(ConsumerHeartbeatRequest request);
  KafkaError ValidateCommit(const CommitOffsetsRequest& request, bool transactional) const;
  KafkaError ValidateFetch(const FetchOffsetsRequest& request) const;
  bool IsSubscribedTo(const std::string& topic) const;
  bool IsIdle() const { return members_.empty(); }
  const char* state() const;
  void Describe(ConsumerGroupDescription* description) const;

 private:
  enum class State { kStable, kUnrevoked, kUnreleased };
  struct Member {
    std::string id;
    std::optional<std::string> instance_id;
    std::optional<std::string> rack_id;
    std::string client_id;
    std::string client_host;
    int32_t rebalance_timeout_ms = 0;
    std::vector<std::string> subscribed_topics;
    std::optional<std::string> subscribed_regex;
    std::string assignor;
    int32_t epoch = 0;
    int32_t previous_epoch = 0;
    State state = State::kStable;
    std::set<std::string> topic_names;  // what its subscription matches
    PartitionsByTopic assigned;
    PartitionsByTopic to_revoke;  // it is to give them up, and has not said yet that it did
    PartitionsByTopic target;
    int64_t expires_ms = 0;
    DeadlineQueue::Id session_timer = 0;
    DeadlineQueue::Id rebalance_timer = 0;
    int64_t held_bytes = 0;
  };

  ConsumerHeartbeatResult Leave(const ConsumerHeartbeatRequest& request);
  KafkaError FindOrAdd(const ConsumerHeartbeatRequest& request, Member** member);
  KafkaError ReplaceStaticMember(const std::string& old_id, const ConsumerHeartbeatRequest& request, Member** member);
  KafkaError CheckEpoch(const Member& member, const ConsumerHeartbeatRequest& request) const;
  KafkaError UpdateSubscription(Member* member, ConsumerHeartbeatRequest* request, bool* changed);
  void Remove(const std::string& id);
  bool RefreshTopics();
  bool MatchTopics(Member* member) const;
  void ComputeTarget();
  std::string PreferredAssignor() const;
  void Reconcile(Member* member, const std::optional<PartitionsByTopic>& owned);
  void TakeNext(Member* member, const std::optional<PartitionsByTopic>& owned);
  void SetPartitions(Member* member, PartitionsByTopic assigned, PartitionsByTopic to_revoke);
  void Release(const std::string& id, const PartitionsByTopic& partitions);
  void ResetSession(Member* member);
  void OnSessionTimer(const std::string& id);

  GroupEnvironment& environment_;
  const std::string id_;
  int32_t group_epoch_;
  int32_t assignment_epoch_;
  std::string assignor_;
  int64_t topics_version_ = -1;
  std::map<std::string, GroupTopic> topics_;  // all of the broker
  std::map<std::string, Member> members_;
  std::map<std::string, std::string> static_members_;          // instance id -> member id
  std::map<std::pair<TopicId, int32_t>, std::string> owners_;  // who has it, or has not given it up yet
};

}  // namespace tidemill
