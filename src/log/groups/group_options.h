#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "log/groups/consumer_group_requests.h"

namespace tidemill {

// Bounds and times of a GroupCoordinator. The names are those of Kafka's broker settings where it has them.
struct GroupOptions {
  int32_t session_timeout_min_ms = 6'000;
  int32_t session_timeout_max_ms = 30 * 60 * 1000;
  // How long a new group waits for more members before it hands out partitions; again for each that comes, up to the
  // rebalance timeout. Kafka waits 3 s, for clusters whose consumers start one by one; here one usually starts alone.
  int32_t initial_rebalance_delay_ms = 50;
  int32_t new_member_join_timeout_ms = 5 * 60 * 1000;  // a member that never got an answer to its first join
  int64_t empty_group_ms = 60'000;                     // an empty group leaves memory after this; its positions stay

  int32_t consumer_session_timeout_ms = 45'000;  // of members of the new protocol
  int32_t consumer_heartbeat_interval_ms = 5'000;

  int32_t groups_max = 10'000;
  int32_t group_size_max = 1'000;                 // members, and as many that were only given an id
  int64_t member_metadata_bytes_max = 1 << 20;    // protocols of a member
  int64_t group_assignment_bytes_max = 16 << 20;  // what a leader hands out
  int64_t metadata_bytes_max = 256ll << 20;       // of all members of all groups, assignments included

  // Called, outside the lock, when next_deadline_ms() has become earlier: wakes who calls Tick.
  std::function<void()> deadline_moved;
  // All topics, for groups of the new protocol; without it their members get nothing. Called within the lock: it must
  // not call the coordinator.
  std::function<std::vector<GroupTopic>()> topics;
  // Whether a transaction that is not decided holds a position of this partition: for FetchOffsets with require_stable.
  // Called outside the lock.
  std::function<bool(const std::string& group, const std::string& topic, int32_t partition)> position_is_pending;
};

}  // namespace tidemill
