#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "log/kafka_error.h"
#include "log/log.h"

namespace tidemill {

// What consumers of the new protocol (KIP-848) ask of a GroupCoordinator: the fields of ConsumerGroupHeartbeat and
// ConsumerGroupDescribe.

struct GroupTopic {
  std::string name;
  TopicId id{};
  int32_t partitions = 0;
};

// Partitions by topic; no topic has an empty set.
using PartitionsByTopic = std::map<TopicId, std::set<int32_t>>;

struct ConsumerHeartbeatRequest {
  static constexpr int32_t kJoin = 0;
  static constexpr int32_t kLeave = -1;
  static constexpr int32_t kLeaveForAWhile = -2;  // a static member that will come back

  std::string group;
  std::string member_id;  // empty (version 0 only): a new member that wants one
  int32_t member_epoch = 0;
  std::optional<std::string> instance_id;
  std::optional<std::string> rack_id;
  int32_t rebalance_timeout_ms = -1;                          // -1: as before
  std::optional<std::vector<std::string>> subscribed_topics;  // absent: as before
  std::optional<std::string> subscribed_regex;                // RE2; absent: as before
  std::optional<std::string> server_assignor;                 // "uniform", "range"; absent: as before
  std::optional<PartitionsByTopic> owned;                     // absent: as before
  std::string client_id;
  std::string client_host;
};

struct ConsumerHeartbeatResult {
  KafkaError error = KafkaError::kNone;
  std::string error_message;  // may be empty
  std::string member_id;
  int32_t member_epoch = 0;
  int32_t heartbeat_interval_ms = 0;
  std::optional<PartitionsByTopic> assignment;  // absent: as before
};

struct ConsumerGroupMemberDescription {
  std::string member_id;
  std::optional<std::string> instance_id;
  std::optional<std::string> rack_id;
  int32_t member_epoch = 0;
  std::string client_id;
  std::string client_host;
  std::vector<std::string> subscribed_topics;
  std::optional<std::string> subscribed_regex;
  PartitionsByTopic assignment;
  PartitionsByTopic target_assignment;
};

struct ConsumerGroupDescription {
  KafkaError error = KafkaError::kNone;  // kGroupIdNotFound: also for a group of the classic protocol
  std::string group;
  std::string state;  // Empty, Assigning, Reconciling, Stable; Dead with an error
  int32_t group_epoch = 0;
  int32_t assignment_epoch = 0;
  std::string assignor;
  std::vector<ConsumerGroupMemberDescription> members;
};

}  // namespace tidemill
