#pragma once

#include "connect/connector.h"

namespace tidemill {

// 'connector' = 'kafka': topics of Apache Kafka, or of anything that speaks its protocol, with Flink's options.
//
// Source: one split a partition, position = next offset, kept in our epochs; the group's offsets are committed with
// each epoch, for 'group-offsets' and for whoever watches the group. New partitions and topics are found while running.
// Each partition has a queue that librdkafka fills ahead within a bound; its wake-up is the lane's, nothing polls.
// Sink: at-least-once. A barrier passes when Kafka has acknowledged everything before it; in between the producer
// numbers its records (idempotence), so that a retry of its own makes no duplicate. A broker that goes away is waited
// for, both ways, and logged at most every ten seconds.
Connector KafkaConnector();

// 'connector' = 'upsert-kafka': the topic as a table by PRIMARY KEY. Read, a record is +U of its key, or -D when it has
// no value; written, -D becomes a record without value, -U nothing.
Connector UpsertKafkaConnector();

}  // namespace tidemill
