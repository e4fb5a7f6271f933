#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"

namespace tidemill {

struct ConsumerPosition {
  std::string topic;
  int32_t partition = 0;
  int64_t offset = 0;  // of the next record to read
  std::string metadata;
  int64_t committed_at_ms = 0;
};

// Where consumer groups have got to. Durable: a checksummed journal in the log's directory (`consumer_positions`),
// rewritten when most of it is outdated; a torn tail is cut. Thread-safe. Groups and metadata are bounded: names
// of 1..249 bytes, metadata of 4 KiB, 100,000 positions.
class ConsumerPositions {
 public:
  virtual ~ConsumerPositions() = default;
  // All or nothing; durable when it returns. committed_at_ms is set from the log's clock.
  virtual Status Commit(const std::string& group, std::vector<ConsumerPosition> positions) = 0;
  // The same without blocking: `done` runs on a thread of the log.
  virtual void CommitAsync(const std::string& group, std::vector<ConsumerPosition> positions,
                           std::function<void(Status)> done) = 0;
  virtual std::optional<ConsumerPosition> Get(const std::string& group, const std::string& topic,
                                              int32_t partition) const = 0;
  virtual std::vector<ConsumerPosition> List(const std::string& group) const = 0;  // by topic, partition
  virtual std::vector<std::string> Groups() const = 0;
  // Those that are not there are passed over. Durable when it returns. kUnknownGroup.
  virtual Status Delete(const std::string& group,
                        const std::vector<std::pair<std::string, int32_t>>& topic_partitions) = 0;
  virtual Status DeleteGroup(const std::string& group) = 0;  // kUnknownGroup
};

}  // namespace tidemill
