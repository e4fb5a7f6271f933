// Groups of consumers: the classic protocol's requests, told to the coordinator in its own terms and back.
#include <deque>

#include "log/wire/internal/handlers.h"
#include "log/wire/messages/delete_groups.h"
#include "log/wire/messages/describe_groups.h"
#include "log/wire/messages/heartbeat.h"
#include "log/wire/messages/join_group.h"
#include "log/wire/messages/leave_group.h"
#include "log/wire/messages/list_groups.h"
#include "log/wire/messages/sync_group.h"

namespace tidemill::wire {

namespace {

std::vector<std::string> Texts(const std::vector<std::string_view>& views) { return {views.begin(), views.end()}; }

void AnswerJoin(const CallPtr<JoinGroupRequest>& call, const JoinResult& result) {
  JoinGroupResponse response;
  response.error_code = Code(result.error);
  response.generation_id = result.generation;
  response.protocol_type = result.protocol_type;
  response.protocol_name = result.protocol_name;
  if (result.error != KafkaError::kNone && call->version >= 7) response.protocol_name.reset();
  if (result.protocol_type.empty()) response.protocol_type.reset();
  response.leader = result.leader;
  response.skip_assignment = result.skip_assignment;
  response.member_id = result.member_id;
  for (const JoinedMember& member : result.members)
    response.members.push_back(
        {member.member_id, call->version >= 5 ? View(member.group_instance_id) : std::nullopt, member.metadata});
  call->Answer(response);
}

void AnswerSync(const CallPtr<SyncGroupRequest>& call, const SyncResult& result) {
  SyncGroupResponse response;
  response.error_code = Code(result.error);
  if (!result.protocol_type.empty()) response.protocol_type = result.protocol_type;
  if (!result.protocol_name.empty()) response.protocol_name = result.protocol_name;
  response.assignment = result.assignment;
  call->Answer(response);
}

}  // namespace

void HandleJoinGroup(Broker& broker, const CallPtr<JoinGroupRequest>& call) {
  const JoinGroupRequest& request = call->message;
  if (!broker.AllowsGroup(*call, AclOperation::kRead, request.group_id))
    return AnswerJoin(call, {.error = KafkaError::kGroupAuthorizationFailed});
  JoinRequest join;
  join.group = request.group_id;
  join.member_id = request.member_id;
  join.group_instance_id = Text(request.group_instance_id);
  join.protocol_type = request.protocol_type;
  for (const auto& protocol : request.protocols)
    join.protocols.push_back({std::string(protocol.name), std::string(protocol.metadata)});
  join.session_timeout_ms = request.session_timeout_ms;
  join.rebalance_timeout_ms = request.rebalance_timeout_ms;
  join.client_id = call->client_id;
  join.client_host = HostOf(*call->connection);
  join.require_known_member_id = call->version >= 4;
  join.support_skip_assignment = call->version >= 9;
  broker.groups->Join(std::move(join), [call](const JoinResult& result) { AnswerJoin(call, result); });
}

void HandleSyncGroup(Broker& broker, const CallPtr<SyncGroupRequest>& call) {
  const SyncGroupRequest& request = call->message;
  if (!broker.AllowsGroup(*call, AclOperation::kRead, request.group_id))
    return AnswerSync(call, {.error = KafkaError::kGroupAuthorizationFailed});
  SyncRequest sync;
  sync.group = request.group_id;
  sync.member_id = request.member_id;
  sync.group_instance_id = Text(request.group_instance_id);
  sync.generation = request.generation_id;
  sync.protocol_type = Text(request.protocol_type);
  sync.protocol_name = Text(request.protocol_name);
  for (const auto& item : request.assignments)
    sync.assignments.push_back({std::string(item.member_id), std::string(item.assignment)});
  broker.groups->Sync(std::move(sync), [call](const SyncResult& result) { AnswerSync(call, result); });
}

void HandleHeartbeat(Broker& broker, const CallPtr<HeartbeatRequest>& call) {
  const HeartbeatRequest& request = call->message;
  HeartbeatResponse response;
  if (!broker.AllowsGroup(*call, AclOperation::kRead, request.group_id)) {
    response.error_code = Code(KafkaError::kGroupAuthorizationFailed);
    return call->Answer(response);
  }
  response.error_code = Code(broker.groups->Heartbeat({std::string(request.group_id), std::string(request.member_id),
                                                       Text(request.group_instance_id), request.generation_id}));
  call->Answer(response);
}

void HandleLeaveGroup(Broker& broker, const CallPtr<LeaveGroupRequest>& call) {
  const LeaveGroupRequest& request = call->message;
  LeaveGroupResponse response;
  if (!broker.AllowsGroup(*call, AclOperation::kRead, request.group_id)) {
    response.error_code = Code(KafkaError::kGroupAuthorizationFailed);
    return call->Answer(response);
  }
  std::vector<LeaveMember> members;
  if (call->version < 3) members.push_back({std::string(request.member_id), std::nullopt});
  for (const auto& member : request.members)
    members.push_back({std::string(member.member_id), Text(member.group_instance_id)});
  const LeaveResult result = broker.groups->Leave(std::string(request.group_id), members);
  response.error_code = Code(result.error);
  if (call->version < 3) {
    if (result.error == KafkaError::kNone && !result.members.empty()) response.error_code = Code(result.members[0]);
    return call->Answer(response);
  }
  for (size_t i = 0; i < result.members.size() && i < request.members.size(); ++i) {
    response.members.push_back(
        {request.members[i].member_id, request.members[i].group_instance_id, Code(result.members[i])});
  }
  call->Answer(response);
}

void HandleListGroups(Broker& broker, const CallPtr<ListGroupsRequest>& call) {
  const std::vector<GroupListing> groups =
      broker.groups->List(Texts(call->message.states_filter), Texts(call->message.types_filter));
  ListGroupsResponse response;
  const bool sees_all = broker.AllowsCluster(*call, AclOperation::kDescribe);
  for (const GroupListing& group : groups) {
    if (!sees_all && !broker.AllowsGroup(*call, AclOperation::kDescribe, group.group)) continue;
    response.groups.push_back({group.group, group.protocol_type, group.state, group.type});
  }
  call->Answer(response);
}

void HandleDescribeGroups(Broker& broker, const CallPtr<DescribeGroupsRequest>& call) {
  std::deque<GroupDescription> found;
  DescribeGroupsResponse response;
  for (const std::string_view id : call->message.groups) {
    if (!broker.AllowsGroup(*call, AclOperation::kDescribe, id)) {
      auto& refused = response.groups.emplace_back();
      refused.error_code = Code(KafkaError::kGroupAuthorizationFailed);
      refused.group_id = id;
      continue;
    }
    const GroupDescription& group = found.emplace_back(broker.groups->Describe(std::string(id)));
    auto& item = response.groups.emplace_back();
    // Before version 6 a group that does not exist is described as dead.
    if (group.error != KafkaError::kGroupIdNotFound || call->version >= 6) item.error_code = Code(group.error);
    item.group_id = id;
    item.group_state = group.state;
    item.protocol_type = group.protocol_type;
    item.protocol_data = group.protocol_name;
    for (const GroupMemberDescription& member : group.members) {
      item.members.push_back({member.member_id, call->version >= 4 ? View(member.group_instance_id) : std::nullopt,
                              member.client_id, member.client_host, member.metadata, member.assignment});
    }
  }
  call->Answer(response);
}

void HandleDeleteGroups(Broker& broker, const CallPtr<DeleteGroupsRequest>& call) {
  broker.slow.Post([&broker, call] {
    DeleteGroupsResponse response;
    for (const std::string_view id : call->message.groups_names) {
      const bool is_allowed = broker.AllowsGroup(*call, AclOperation::kDelete, id);
      response.results.push_back(
          {id, Code(is_allowed ? broker.groups->Delete(std::string(id)) : KafkaError::kGroupAuthorizationFailed)});
    }
    call->Answer(response);
  });
}

}  // namespace tidemill::wire
