#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "log/access/quotas.h"
#include "log/groups/group_coordinator.h"
#include "log/groups/kafka_transactions.h"
#include "log/kafka_error.h"
#include "log/log.h"
#include "log/wire/internal/fetch_sessions.h"
#include "log/wire/internal/request.h"
#include "log/wire/internal/task_queue.h"
#include "log/wire/kafka_server.h"

namespace tidemill::wire {

inline constexpr int32_t kNodeId = 1;
inline constexpr int32_t kLeaderEpoch = 0;  // there is one leader, ever

// What the handlers of all connections share. Handlers run on the frame server's threads and must not block: whatever
// writes files goes to `slow`.
struct Broker {
  Broker(Log& the_log, const Clock& the_clock, KafkaSecurity the_security, uint64_t seed);
  // Opens what is kept of transactions in the log's directory, then lets `timers` and `slow` run.
  Status Start(FileSystem& files, const Clock& clock, const std::string& log_directory);
  ~Broker() { Stop(); }
  void Stop();

  Log& log;
  const Clock& clock;
  const KafkaSecurity security;
  Quotas quotas;
  FetchSessions fetch_sessions;
  std::vector<ApiMetrics> api_metrics;  // in the order of ServedApis(); empty without metrics
  std::string host;                     // where clients are told to go
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

  int64_t NowMs() const { return clock.NowMicros() / 1000; }
  // Counts bytes of the request's client against its quota; when it was too fast, its connection pauses for the time
  // that this gives, in ms.
  int32_t Charge(const KafkaRequest& request, QuotaKind kind, size_t bytes);

  // Whether the client of this request may do this. A name that is denied is never said to exist or not.
  bool Allows(const KafkaRequest& request, AclOperation operation, AclResource resource, std::string_view name) const {
    return security.access == nullptr || security.access->Allows(request.session->who, operation, resource, name);
  }
  bool AllowsTopic(const KafkaRequest& request, AclOperation operation, std::string_view topic) const {
    return Allows(request, operation, AclResource::kTopic, topic);
  }
  bool AllowsGroup(const KafkaRequest& request, AclOperation operation, std::string_view group) const {
    return Allows(request, operation, AclResource::kGroup, group);
  }
  bool AllowsCluster(const KafkaRequest& request, AclOperation operation) const {
    return Allows(request, operation, AclResource::kCluster, kClusterName);
  }
  bool AllowsTransactionalId(const KafkaRequest& request, AclOperation operation, std::string_view id) const {
    return Allows(request, operation, AclResource::kTransactionalId, id);
  }

  // The topic's name: `name`, or, where that is empty, that of `id`. Null when there is no topic with this id.
  std::optional<std::string> NameOf(std::string_view name, const TopicId& id) const;
};

KafkaError KafkaErrorOf(const Status& status);
inline int16_t Code(KafkaError error) { return static_cast<int16_t>(error); }

}  // namespace tidemill::wire
