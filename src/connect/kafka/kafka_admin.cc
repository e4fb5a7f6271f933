#include "connect/kafka/kafka_admin.h"

#include <utility>

#include <librdkafka/rdkafka.h>

#include "base/owned.h"
#include "connect/errors.h"

namespace tidemill {
namespace {

using Event = Owned<rd_kafka_event_t, rd_kafka_event_destroy>;
using Queue = Owned<rd_kafka_queue_t, rd_kafka_queue_destroy>;
using AdminOptions = Owned<rd_kafka_AdminOptions_t, rd_kafka_AdminOptions_destroy>;
using PartitionList = Owned<rd_kafka_topic_partition_list_t, rd_kafka_topic_partition_list_destroy>;

constexpr size_t kErrorTextBytes = 512;

Status OfError(const rd_kafka_error_t* error, const std::string& what) {
  if (error == nullptr || rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR_NO_ERROR) return Status::OK();
  return KafkaStatus(rd_kafka_error_code(error), what).WithNote(rd_kafka_error_string(error));
}

// One question and its answer. `send(options, queue)` asks; the answer is an event of the queue.
template <typename Send>
Result<Event> AskCluster(rd_kafka_t* handle, rd_kafka_admin_op_t operation, int64_t timeout_ms, const std::string& what,
                         Send send) {
  const AdminOptions options(rd_kafka_AdminOptions_new(handle, operation));
  char text[kErrorTextBytes];
  const int timeout = static_cast<int>(timeout_ms);
  if (rd_kafka_AdminOptions_set_request_timeout(options.get(), timeout, text, sizeof text) != 0)
    return Status(kInternalError, text);
  const Queue queue(rd_kafka_queue_new(handle));
  send(options.get(), queue.get());
  Event event(rd_kafka_queue_poll(queue.get(), timeout + 1000));
  if (event == nullptr) return KafkaStatus(RD_KAFKA_RESP_ERR__TIMED_OUT, what);
  if (const auto error = rd_kafka_event_error(event.get()); error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    const char* why = rd_kafka_event_error_string(event.get());
    return KafkaStatus(error, what).WithNote(why == nullptr ? "" : why);
  }
  return event;
}

Status OfTopicResults(const rd_kafka_topic_result_t* const* results, size_t count, const std::string& what) {
  for (size_t i = 0; i < count; ++i) {
    const auto error = rd_kafka_topic_result_error(results[i]);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
    const char* why = rd_kafka_topic_result_error_string(results[i]);
    return KafkaStatus(error, what).WithNote(why == nullptr ? "" : why);
  }
  return Status::OK();
}

Status OfGroupResults(const rd_kafka_group_result_t* const* results, size_t count, const std::string& what) {
  for (size_t i = 0; i < count; ++i) TM_RETURN_IF_ERROR(OfError(rd_kafka_group_result_error(results[i]), what));
  return Status::OK();
}

// The offsets of a group's answer; the first partition with an error is the answer's.
Result<std::map<KafkaPartition, int64_t>> OffsetsOf(const rd_kafka_group_result_t* const* results, size_t count,
                                                    const std::string& what) {
  TM_RETURN_IF_ERROR(OfGroupResults(results, count, what));
  std::map<KafkaPartition, int64_t> offsets;
  for (size_t i = 0; i < count; ++i) {
    const rd_kafka_topic_partition_list_t* list = rd_kafka_group_result_partitions(results[i]);
    for (int j = 0; list != nullptr && j < list->cnt; ++j) {
      const rd_kafka_topic_partition_t& item = list->elems[j];
      if (item.err != RD_KAFKA_RESP_ERR_NO_ERROR) return KafkaStatus(item.err, what);
      if (item.offset >= 0) offsets[{item.topic, item.partition}] = item.offset;
    }
  }
  return offsets;
}

}  // namespace

Result<std::unique_ptr<KafkaAdmin>> KafkaAdmin::Open(const KafkaConnection& connection) {
  const std::map<std::string, std::string> defaults = {{"client.id", "tidemill"}};
  TM_ASSIGN_OR_RETURN(auto client, KafkaClient::Make(KafkaClient::Kind::kProducer, connection, defaults, {}));
  return std::unique_ptr<KafkaAdmin>(new KafkaAdmin(std::move(client), connection.timeout_ms));
}

Status KafkaAdmin::CreateTopic(const std::string& topic, int32_t partitions,
                               const std::map<std::string, std::string>& settings) {
  const std::string what = "creating topic '" + topic + "'";
  char text[kErrorTextBytes];
  const Owned<rd_kafka_NewTopic_t, rd_kafka_NewTopic_destroy> wanted(
      rd_kafka_NewTopic_new(topic.c_str(), partitions, -1, text, sizeof text));
  if (wanted == nullptr) return Status(kInvalidConfig, what + ": " + text);
  for (const auto& [name, value] : settings) {
    const auto error = rd_kafka_NewTopic_set_config(wanted.get(), name.c_str(), value.c_str());
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return KafkaStatus(error, what);
  }
  rd_kafka_NewTopic_t* topics[] = {wanted.get()};
  TM_ASSIGN_OR_RETURN(const Event event,
                      AskCluster(client_->handle(), RD_KAFKA_ADMIN_OP_CREATETOPICS, timeout_ms_, what,
                                 [&](const rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
                                   rd_kafka_CreateTopics(client_->handle(), topics, 1, options, queue);
                                 }));
  size_t count = 0;
  const auto* results = rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event.get()), &count);
  return OfTopicResults(results, count, what);
}

Status KafkaAdmin::DeleteTopic(const std::string& topic) {
  const std::string what = "deleting topic '" + topic + "'";
  const Owned<rd_kafka_DeleteTopic_t, rd_kafka_DeleteTopic_destroy> wanted(rd_kafka_DeleteTopic_new(topic.c_str()));
  rd_kafka_DeleteTopic_t* topics[] = {wanted.get()};
  TM_ASSIGN_OR_RETURN(const Event event,
                      AskCluster(client_->handle(), RD_KAFKA_ADMIN_OP_DELETETOPICS, timeout_ms_, what,
                                 [&](const rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
                                   rd_kafka_DeleteTopics(client_->handle(), topics, 1, options, queue);
                                 }));
  size_t count = 0;
  const auto* results = rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(event.get()), &count);
  return OfTopicResults(results, count, what);
}

Result<std::map<std::string, std::string>> KafkaAdmin::TopicSettings(const std::string& topic) {
  const std::string what = "asking for the settings of topic '" + topic + "'";
  const Owned<rd_kafka_ConfigResource_t, rd_kafka_ConfigResource_destroy> wanted(
      rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str()));
  rd_kafka_ConfigResource_t* resources[] = {wanted.get()};
  TM_ASSIGN_OR_RETURN(const Event event,
                      AskCluster(client_->handle(), RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, timeout_ms_, what,
                                 [&](const rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
                                   rd_kafka_DescribeConfigs(client_->handle(), resources, 1, options, queue);
                                 }));
  size_t count = 0;
  const auto* found =
      rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(event.get()), &count);
  std::map<std::string, std::string> settings;
  for (size_t i = 0; i < count; ++i) {
    if (const auto error = rd_kafka_ConfigResource_error(found[i]); error != RD_KAFKA_RESP_ERR_NO_ERROR)
      return KafkaStatus(error, what);
    size_t entries = 0;
    const auto* configs = rd_kafka_ConfigResource_configs(found[i], &entries);
    for (size_t j = 0; j < entries; ++j) {
      const char* value = rd_kafka_ConfigEntry_value(configs[j]);
      if (value != nullptr) settings[rd_kafka_ConfigEntry_name(configs[j])] = value;
    }
  }
  return settings;
}

Result<std::map<std::string, std::string>> KafkaAdmin::Groups() {
  const std::string what = "asking for its groups";
  TM_ASSIGN_OR_RETURN(const Event event,
                      AskCluster(client_->handle(), RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPS, timeout_ms_, what,
                                 [&](const rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
                                   rd_kafka_ListConsumerGroups(client_->handle(), options, queue);
                                 }));
  const auto* result = rd_kafka_event_ListConsumerGroups_result(event.get());
  size_t errors = 0;
  const auto* failed = rd_kafka_ListConsumerGroups_result_errors(result, &errors);
  if (errors > 0) return OfError(failed[0], what);
  size_t count = 0;
  const auto* found = rd_kafka_ListConsumerGroups_result_valid(result, &count);
  std::map<std::string, std::string> groups;
  for (size_t i = 0; i < count; ++i) {
    groups[rd_kafka_ConsumerGroupListing_group_id(found[i])] =
        rd_kafka_consumer_group_state_name(rd_kafka_ConsumerGroupListing_state(found[i]));
  }
  return groups;
}

Result<KafkaGroupDescription> KafkaAdmin::DescribeGroup(const std::string& group) {
  const std::string what = "asking for group '" + group + "'";
  const char* names[] = {group.c_str()};
  TM_ASSIGN_OR_RETURN(const Event event,
                      AskCluster(client_->handle(), RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS, timeout_ms_, what,
                                 [&](const rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
                                   rd_kafka_DescribeConsumerGroups(client_->handle(), names, 1, options, queue);
                                 }));
  size_t count = 0;
  const auto* found =
      rd_kafka_DescribeConsumerGroups_result_groups(rd_kafka_event_DescribeConsumerGroups_result(event.get()), &count);
  KafkaGroupDescription description;
  description.group = group;
  for (size_t i = 0; i < count; ++i) {
    TM_RETURN_IF_ERROR(OfError(rd_kafka_ConsumerGroupDescription_error(found[i]), what));
    description.state = rd_kafka_consumer_group_state_name(rd_kafka_ConsumerGroupDescription_state(found[i]));
    description.assignor = rd_kafka_ConsumerGroupDescription_partition_assignor(found[i]);
    for (size_t j = 0; j < rd_kafka_ConsumerGroupDescription_member_count(found[i]); ++j) {
      const auto* one = rd_kafka_ConsumerGroupDescription_member(found[i], j);
      KafkaGroupMember member;
      member.member_id = rd_kafka_MemberDescription_consumer_id(one);
      member.client_id = rd_kafka_MemberDescription_client_id(one);
      member.host = rd_kafka_MemberDescription_host(one);
      const auto* assignment = rd_kafka_MemberDescription_assignment(one);
      const auto* list = assignment == nullptr ? nullptr : rd_kafka_MemberAssignment_partitions(assignment);
      for (int k = 0; list != nullptr && k < list->cnt; ++k)
        member.partitions.push_back({list->elems[k].topic, list->elems[k].partition});
      description.members.push_back(std::move(member));
    }
  }
  return description;
}

Result<std::map<KafkaPartition, int64_t>> KafkaAdmin::GroupOffsets(const std::string& group) {
  const std::string what = "asking for the offsets of group '" + group + "'";
  const Owned<rd_kafka_ListConsumerGroupOffsets_t, rd_kafka_ListConsumerGroupOffsets_destroy> wanted(
      rd_kafka_ListConsumerGroupOffsets_new(group.c_str(), nullptr));
  rd_kafka_ListConsumerGroupOffsets_t* groups[] = {wanted.get()};
  TM_ASSIGN_OR_RETURN(const Event event,
                      AskCluster(client_->handle(), RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS, timeout_ms_, what,
                                 [&](const rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
                                   rd_kafka_ListConsumerGroupOffsets(client_->handle(), groups, 1, options, queue);
                                 }));
  size_t count = 0;
  const auto* results = rd_kafka_ListConsumerGroupOffsets_result_groups(
      rd_kafka_event_ListConsumerGroupOffsets_result(event.get()), &count);
  return OffsetsOf(results, count, what);
}

Status KafkaAdmin::SetGroupOffsets(const std::string& group, const std::map<KafkaPartition, int64_t>& offsets) {
  const std::string what = "moving group '" + group + "'";
  const PartitionList list(rd_kafka_topic_partition_list_new(static_cast<int>(offsets.size())));
  for (const auto& [partition, offset] : offsets)
    rd_kafka_topic_partition_list_add(list.get(), partition.topic.c_str(), partition.partition)->offset = offset;
  const Owned<rd_kafka_AlterConsumerGroupOffsets_t, rd_kafka_AlterConsumerGroupOffsets_destroy> wanted(
      rd_kafka_AlterConsumerGroupOffsets_new(group.c_str(), list.get()));
  rd_kafka_AlterConsumerGroupOffsets_t* groups[] = {wanted.get()};
  TM_ASSIGN_OR_RETURN(const Event event,
                      AskCluster(client_->handle(), RD_KAFKA_ADMIN_OP_ALTERCONSUMERGROUPOFFSETS, timeout_ms_, what,
                                 [&](const rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
                                   rd_kafka_AlterConsumerGroupOffsets(client_->handle(), groups, 1, options, queue);
                                 }));
  size_t count = 0;
  const auto* results = rd_kafka_AlterConsumerGroupOffsets_result_groups(
      rd_kafka_event_AlterConsumerGroupOffsets_result(event.get()), &count);
  return OffsetsOf(results, count, what).status();
}

Status KafkaAdmin::DeleteGroup(const std::string& group) {
  const std::string what = "deleting group '" + group + "'";
  const Owned<rd_kafka_DeleteGroup_t, rd_kafka_DeleteGroup_destroy> wanted(rd_kafka_DeleteGroup_new(group.c_str()));
  rd_kafka_DeleteGroup_t* groups[] = {wanted.get()};
  TM_ASSIGN_OR_RETURN(const Event event,
                      AskCluster(client_->handle(), RD_KAFKA_ADMIN_OP_DELETEGROUPS, timeout_ms_, what,
                                 [&](const rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
                                   rd_kafka_DeleteGroups(client_->handle(), groups, 1, options, queue);
                                 }));
  size_t count = 0;
  const auto* results = rd_kafka_DeleteGroups_result_groups(rd_kafka_event_DeleteGroups_result(event.get()), &count);
  return OfGroupResults(results, count, what);
}

}  // namespace tidemill
