#include "server/group_access.h"

#include <fmt/format.h>

#include "connect/errors.h"
#include "connect/kafka/kafka_admin.h"
#include "log/consumer_positions.h"
#include "log/errors.h"

namespace tidemill {
namespace {

Status UnknownGroupError(const std::string& group) {
  return Status(kUnknownGroup, fmt::format("there is no group '{}'", group));
}

class LogGroupAccess final : public GroupAccess {
 public:
  explicit LogGroupAccess(Log& log) : log_(log) {}

  Result<std::map<std::string, std::string>> List() override {
    std::map<std::string, std::string> groups;
    for (std::string& group : log_.positions().Groups()) groups.emplace(std::move(group), "Empty");
    return groups;
  }
  Result<GroupDetails> Describe(const std::string& group) override {
    GroupDetails details{"Empty", {}};
    for (const ConsumerPosition& position : log_.positions().List(group)) {
      GroupPosition& item = details.positions.emplace_back();
      item.topic = position.topic;
      item.partition = position.partition;
      item.committed = position.offset;
      const auto partition = log_.partition(position.topic, position.partition);
      item.end = partition.ok() ? (*partition)->Offsets().last_stable : position.offset;  // the topic is gone
    }
    if (details.positions.empty()) return UnknownGroupError(group);
    return details;
  }
  Status Seek(const std::string& group, const std::map<KafkaPartition, int64_t>& offsets) override {
    std::vector<ConsumerPosition> positions;
    for (const auto& [partition, offset] : offsets) {
      ConsumerPosition& position = positions.emplace_back();
      position.topic = partition.topic;
      position.partition = partition.partition;
      position.offset = offset;
    }
    return log_.positions().Commit(group, std::move(positions));
  }
  Status Delete(const std::string& group) override { return log_.positions().DeleteGroup(group); }

 private:
  Log& log_;
};

class KafkaGroupAccess final : public GroupAccess {
 public:
  explicit KafkaGroupAccess(std::unique_ptr<KafkaAdmin> admin) : admin_(std::move(admin)) {}

  Result<std::map<std::string, std::string>> List() override { return admin_->Groups(); }
  Result<GroupDetails> Describe(const std::string& group) override {
    TM_ASSIGN_OR_RETURN(const KafkaGroupDescription description, admin_->DescribeGroup(group));
    TM_ASSIGN_OR_RETURN(const auto offsets, admin_->GroupOffsets(group));
    std::map<KafkaPartition, GroupPosition> positions;
    for (const auto& [partition, offset] : offsets) positions[partition].committed = offset;
    for (const KafkaGroupMember& member : description.members) {
      for (const KafkaPartition& partition : member.partitions) {
        positions[partition].client_id = member.client_id;
        positions[partition].host = member.host;
      }
    }
    // Kafka calls a group that does not exist dead, and has no members and offsets of it.
    if (positions.empty() && description.members.empty() && description.state != "Empty")
      return UnknownGroupError(group);
    // A group may have offsets of a topic that is gone.
    TM_ASSIGN_OR_RETURN(const auto topics, admin_->client().Topics());
    std::vector<KafkaPartition> partitions;
    for (const auto& [partition, position] : positions) {
      const auto topic = topics.find(partition.topic);
      if (topic != topics.end() && partition.partition < topic->second) partitions.push_back(partition);
    }
    TM_ASSIGN_OR_RETURN(const auto ends, admin_->client().OffsetsForTime(partitions, KafkaClient::kLatest));
    GroupDetails details{description.state, {}};
    for (auto& [partition, position] : positions) {
      position.topic = partition.topic;
      position.partition = partition.partition;
      const auto end = ends.find(partition);
      position.end = end == ends.end() ? position.committed : end->second;
      details.positions.push_back(std::move(position));
    }
    return details;
  }
  Status Seek(const std::string& group, const std::map<KafkaPartition, int64_t>& offsets) override {
    return admin_->SetGroupOffsets(group, offsets);
  }
  Status Delete(const std::string& group) override { return admin_->DeleteGroup(group); }

 private:
  const std::unique_ptr<KafkaAdmin> admin_;
};

}  // namespace

std::unique_ptr<GroupAccess> MakeLogGroupAccess(Log& log) { return std::make_unique<LogGroupAccess>(log); }

Result<std::unique_ptr<GroupAccess>> MakeKafkaGroupAccess(const KafkaConnection& connection) {
  TM_ASSIGN_OR_RETURN(auto admin, KafkaAdmin::Open(connection));
  return std::unique_ptr<GroupAccess>(std::make_unique<KafkaGroupAccess>(std::move(admin)));
}

}  // namespace tidemill
