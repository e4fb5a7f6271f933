#pragma once

#include "connect/connector.h"

namespace tidemill {

// 'connector' = 'tidemill-log': topics of the embedded log, with Kafka's options and names.
//
// Source: one split a partition (of one topic, or several: 'a;b'), position = next offset. Reads committed records
// only. A live reader wakes its lane when something is appended. Startup: earliest-offset, latest-offset, group-offsets
// (default), timestamp; bounded modes: unbounded (default), latest-offset (what is there when the job starts). Sink:
// JSON or CSV values, key from the PRIMARY KEY or 'key.fields'; delivery exactly-once (default; visible with the epoch)
// or at-least-once (visible at once, durable before the epoch ends). Rows with a key go to murmur2(key) % partitions,
// as Kafka's clients do it.
Connector TidemillLogConnector();

}  // namespace tidemill
