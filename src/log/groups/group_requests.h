#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "log/consumer_positions.h"
#include "log/kafka_error.h"

namespace tidemill {

// What clients ask of a GroupCoordinator and what it answers: the fields of Kafka's requests that it looks at, without
// their encoding. A field that the request's version lacks keeps its default.

struct GroupProtocol {
  std::string name;
  std::string metadata;  // opaque, except that `consumer` protocols begin with a ConsumerProtocolSubscription
};

struct JoinRequest {
  std::string group;
  std::string member_id;  // empty: a new member
  std::optional<std::string> group_instance_id;
  std::string protocol_type;
  std::vector<GroupProtocol> protocols;  // preferred first
  int32_t session_timeout_ms = 0;
  int32_t rebalance_timeout_ms = -1;  // -1 (version 0): the session timeout
  std::string client_id;
  std::string client_host;
  bool require_known_member_id = false;  // version 4 and later
  bool support_skip_assignment = false;  // version 9 and later
};

struct JoinedMember {
  std::string member_id;
  std::optional<std::string> group_instance_id;
  std::string metadata;
};

struct JoinResult {
  KafkaError error = KafkaError::kNone;
  int32_t generation = -1;
  std::string protocol_type;
  std::string protocol_name;  // empty with an error
  std::string leader;
  bool skip_assignment = false;
  std::string member_id;
  std::vector<JoinedMember> members;  // for the leader only
};
using JoinReply = std::function<void(JoinResult)>;

struct SyncRequest {
  struct Assignment {
    std::string member_id;
    std::string assignment;
  };
  std::string group;
  std::string member_id;
  std::optional<std::string> group_instance_id;
  int32_t generation = -1;
  std::optional<std::string> protocol_type;  // version 5 and later
  std::optional<std::string> protocol_name;
  std::vector<Assignment> assignments;  // from the leader
};

struct SyncResult {
  KafkaError error = KafkaError::kNone;
  std::string protocol_type;
  std::string protocol_name;
  std::string assignment;
};
using SyncReply = std::function<void(SyncResult)>;

struct HeartbeatRequest {
  std::string group;
  std::string member_id;
  std::optional<std::string> group_instance_id;
  int32_t generation = -1;
};

struct LeaveMember {
  std::string member_id;  // may be empty for a static member
  std::optional<std::string> group_instance_id;
};

struct LeaveResult {
  KafkaError error = KafkaError::kNone;  // of the group
  std::vector<KafkaError> members;       // in the order of the request
};

struct CommitOffsetsRequest {
  std::string group;
  std::string member_id;  // empty, with generation -1: a consumer that manages its partitions itself
  std::optional<std::string> group_instance_id;
  int32_t generation = -1;  // or the member's epoch
  std::vector<ConsumerPosition> positions;
};

struct CommitOffsetsResult {
  std::vector<KafkaError> errors;  // in the order of the positions
};
using CommitOffsetsReply = std::function<void(CommitOffsetsResult)>;

struct GroupPartition {
  std::string topic;
  int32_t partition = 0;
  auto operator<=>(const GroupPartition&) const = default;
};

struct FetchOffsetsRequest {
  std::string group;
  std::string member_id;                                  // version 9 and later; empty: not checked
  int32_t member_epoch = -1;                              // of a group of the new protocol
  std::optional<std::vector<GroupPartition>> partitions;  // absent: all
  bool require_stable = false;
};

struct FetchedOffset {
  KafkaError error = KafkaError::kNone;
  ConsumerPosition position;  // offset -1: none
};

struct FetchOffsetsResult {
  KafkaError error = KafkaError::kNone;
  std::vector<FetchedOffset> offsets;  // in the order of the request, or by topic and partition
};

struct DeleteOffsetsResult {
  KafkaError error = KafkaError::kNone;
  std::vector<KafkaError> partitions;  // in the order of the request; empty with an error
};

struct GroupListing {
  std::string group;
  std::string protocol_type;  // of clients, e.g. "consumer", "connect"; empty: only positions are known
  std::string state;
  std::string type;  // "classic", "consumer"
};

struct GroupMemberDescription {
  std::string member_id;
  std::optional<std::string> group_instance_id;
  std::string client_id;
  std::string client_host;
  std::string metadata;    // of the chosen protocol; empty unless the group is stable
  std::string assignment;  // as the leader wrote it; empty unless the group is stable
};

struct GroupDescription {
  KafkaError error = KafkaError::kNone;  // kGroupIdNotFound (state "Dead"), kInvalidGroupId
  std::string group;
  std::string state;
  std::string protocol_type;
  std::string protocol_name;  // empty unless the group is stable
  std::vector<GroupMemberDescription> members;
};

}  // namespace tidemill
