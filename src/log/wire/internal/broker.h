#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "log/groups/group_coordinator.h"
#include "log/groups/kafka_transactions.h"
#include "log/kafka_error.h"
#include "log/log.h"
#include "log/wire/internal/task_queue.h"

namespace tidemill::wire {

inline constexpr int32_t kNodeId = 1;
inline constexpr int32_t kLeaderEpoch = 0;  // there is one leader, ever

// What the handlers of all connections share. Handlers run on the frame server's threads and must not block: whatever
// writes files goes to `slow`.
struct Broker {
  Broker(Log& the_log, const Clock& clock, uint64_t seed);
  // Opens what is kept of transactions in the log's directory, then lets `timers` and `slow` run.
  Status Start(FileSystem& files, const Clock& clock, const std::string& log_directory);
  ~Broker() { Stop(); }
  void Stop();

  Log& log;
  std::string host;  // where clients are told to go
  int32_t port = 0;
  std::string cluster_id;
  bool auto_create_topics = true;
  TopicConfig topic_defaults;
  TaskQueue timers;  // long polls and time-outs
  TaskQueue slow;    // creating, altering and searching topics
  std::unique_ptr<GroupCoordinator> groups;
  std::shared_ptr<KafkaTransactionCoordinator> transactions;
  int64_t groups_tick_ms = INT64_MAX;  // when the next look at their deadlines is due; of the thread of `timers`
  int64_t transactions_tick_ms = INT64_MAX;

  // The topic's name: `name`, or, where that is empty, that of `id`. Null when there is no topic with this id.
  std::optional<std::string> NameOf(std::string_view name, const TopicId& id) const;
};

KafkaError KafkaErrorOf(const Status& status);
inline int16_t Code(KafkaError error) { return static_cast<int16_t>(error); }

}  // namespace tidemill::wire
