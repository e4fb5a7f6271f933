#pragma once

#include <memory>

#include "connect/kafka/kafka_client.h"
#include "server/console.h"
#include "server/topic_access.h"

namespace tidemill {

// How `--brokers` and the settings `-X properties.*` say that a cluster is reached; names and secrets as in the WITH
// clause of a 'kafka' table.
Result<KafkaConnection> KafkaConnectionOf(const GlobalOptions& options);

// The topics of any Kafka cluster. What a size in bytes would be, the cluster is not asked: -1.
Result<std::unique_ptr<TopicAccess>> MakeKafkaTopicAccess(const KafkaConnection& connection);

}  // namespace tidemill
