#pragma once

#include <memory>

#include "base/status.h"
#include "connect/connector.h"
#include "connect/redis_streams/redis_options.h"
#include "exec/sink.h"

namespace tidemill {

// See RedisStreamsConnector. The server is asked for the first time in Recover, before any writer opens.
Result<std::unique_ptr<Sink>> MakeRedisSink(const SinkSpec& sink, RedisTableOptions options,
                                            const ConnectorContext& context);

}  // namespace tidemill
