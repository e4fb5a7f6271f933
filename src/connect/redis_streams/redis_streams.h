#pragma once

#include "connect/connector.h"

namespace tidemill {

// 'connector' = 'redis-streams': streams of Redis 5 or newer, and of what speaks its protocol.
//
// Source: one split a stream, position = the last id that was read, kept in our epochs; no consumer group is needed.
// Each stream is read ahead within a bound on a connection of its own. What was trimmed before it was read stops the
// job, unless 'auto.offset.reset' says otherwise. Sink: XADD, many at a time; at-least-once: a barrier passes when the
// server has answered everything before it. A server that goes away is waited for, both ways.
Connector RedisStreamsConnector();

}  // namespace tidemill
