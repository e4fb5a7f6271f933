#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "log/groups/consumer_group_requests.h"

namespace tidemill {

struct AssignorMember {
  std::string order;  // the instance id of a static member, so that it keeps its place when it comes back
  std::set<TopicId> topics;
  PartitionsByTopic current;  // what it is to have so far
};
using AssignorMembers = std::map<std::string, AssignorMember>;  // by member id
using AssignorTopics = std::map<TopicId, int32_t>;              // partition counts
using TargetAssignment = std::map<std::string, PartitionsByTopic>;

// Who is to have which partitions. Each partition of a topic that somebody subscribes to goes to one of its
// subscribers; every member is in the result.

// As even as subscriptions allow, and among such assignments one that moves little.
TargetAssignment AssignUniformly(const AssignorMembers& members, const AssignorTopics& topics);
// Per topic, consecutive partitions to members in order: topics with as many partitions and the same subscribers are
// split alike, for joins.
TargetAssignment AssignByRange(const AssignorMembers& members, const AssignorTopics& topics);

inline constexpr std::string_view kUniformAssignor = "uniform";
inline constexpr std::string_view kRangeAssignor = "range";

}  // namespace tidemill
