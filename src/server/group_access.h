#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "connect/kafka/kafka_client.h"
#include "log/log.h"
#include "server/topic_access.h"

namespace tidemill {

struct GroupPosition {
  std::string topic;
  int32_t partition = 0;
  int64_t committed = -1;  // -1: nothing yet
  int64_t end = 0;         // of what a read_committed reader gets, or of the partition, as the cluster says
  std::string client_id;   // of the member that has the partition; empty: nobody
  std::string host;
};
struct GroupDetails {
  std::string state;  // Kafka's: "Stable", "Empty", ...
  std::vector<GroupPosition> positions;
};

// Consumer groups as the commands use them: of an opened log, where nobody can be a member, or of a cluster.
class GroupAccess {
 public:
  virtual ~GroupAccess() = default;
  virtual Result<std::map<std::string, std::string>> List() = 0;        // group -> state
  virtual Result<GroupDetails> Describe(const std::string& group) = 0;  // kUnknownGroup
  // Refused while the group has members.
  virtual Status Seek(const std::string& group, const std::map<KafkaPartition, int64_t>& offsets) = 0;
  virtual Status Delete(const std::string& group) = 0;  // kUnknownGroup
};

// `log` outlives it.
std::unique_ptr<GroupAccess> MakeLogGroupAccess(Log& log);
Result<std::unique_ptr<GroupAccess>> MakeKafkaGroupAccess(const KafkaConnection& connection);

}  // namespace tidemill
