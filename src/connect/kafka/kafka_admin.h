#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "connect/kafka/kafka_client.h"

namespace tidemill {

struct KafkaGroupMember {
  std::string member_id;
  std::string client_id;
  std::string host;
  std::vector<KafkaPartition> partitions;
};
struct KafkaGroupDescription {
  std::string group;
  std::string state;     // "Stable", "Empty", ...
  std::string assignor;  // empty where nobody is a member
  std::vector<KafkaGroupMember> members;
};

// Topics and groups of a cluster, looked at and changed. Every call asks the cluster and blocks up to the connection's
// timeout. One thread at a time.
class KafkaAdmin {
 public:
  static Result<std::unique_ptr<KafkaAdmin>> Open(const KafkaConnection& connection);

  KafkaClient& client() { return *client_; }

  Status CreateTopic(const std::string& topic, int32_t partitions, const std::map<std::string, std::string>& settings);
  Status DeleteTopic(const std::string& topic);
  Result<std::map<std::string, std::string>> TopicSettings(const std::string& topic);

  Result<std::map<std::string, std::string>> Groups();  // group -> state
  Result<KafkaGroupDescription> DescribeGroup(const std::string& group);
  Result<std::map<KafkaPartition, int64_t>> GroupOffsets(const std::string& group);
  // Only of a group without members.
  Status SetGroupOffsets(const std::string& group, const std::map<KafkaPartition, int64_t>& offsets);
  Status DeleteGroup(const std::string& group);

 private:
  explicit KafkaAdmin(std::shared_ptr<KafkaClient> client, int64_t timeout_ms)
      : client_(std::move(client)), timeout_ms_(timeout_ms) {}
  const std::shared_ptr<KafkaClient> client_;
  const int64_t timeout_ms_;
};

}  // namespace tidemill
