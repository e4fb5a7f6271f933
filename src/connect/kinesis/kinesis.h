#pragma once

#include "connect/connector.h"

namespace tidemill {

// 'connector' = 'kinesis': a stream of Amazon Kinesis Data Streams, with Flink's options.
//
// Source: one split a shard, position = the last sequence number that was read, kept in our epochs. What a split or a
// merge has made is read when what it was made of has ended. Records of the Kinesis Producer Library are taken apart.
// Sink: PutRecords; at-least-once: a barrier passes when Kinesis has taken everything before it. Throttling and a
// service that is away are waited for, both ways.
Connector KinesisConnector();

}  // namespace tidemill
