#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "log/consumer_positions.h"
#include "log/internal/frame_file.h"
#include "log/internal/partition_impl.h"

namespace tidemill::log_internal {

class ConsumerPositionsImpl final : public ConsumerPositions {
 public:
  static Result<std::unique_ptr<ConsumerPositionsImpl>> Open(LogContext& context, const std::string& path);

  Status Commit(const std::string& group, std::vector<ConsumerPosition> positions) override;
  void CommitAsync(const std::string& group, std::vector<ConsumerPosition> positions,
                   std::function<void(Status)> done) override;
  std::optional<ConsumerPosition> Get(const std::string& group, const std::string& topic,
                                      int32_t partition) const override;
  std::vector<ConsumerPosition> List(const std::string& group) const override;
  std::vector<std::string> Groups() const override;
  Status Delete(const std::string& group,
                const std::vector<std::pair<std::string, int32_t>>& topic_partitions) override;
  Status DeleteGroup(const std::string& group) override;

  // The topic is gone: so is what groups knew of it.
  Status ForgetTopic(const std::string& topic);
  // Rewrites the file when most of it is outdated.
  Status Compact();
  Status Close(const Status& why);

 private:
  using Group = std::map<std::pair<std::string, int32_t>, ConsumerPosition>;

  explicit ConsumerPositionsImpl(LogContext& context) : context_(context) {}
  Result<int64_t> Add(const std::string& group, std::vector<ConsumerPosition> positions);
  Status Replay(std::string_view payload);

  LogContext& context_;
  mutable std::mutex mutex_;
  std::map<std::string, Group> groups_;
  size_t count_ = 0;
  std::unique_ptr<FrameFile> file_;
};

}  // namespace tidemill::log_internal
