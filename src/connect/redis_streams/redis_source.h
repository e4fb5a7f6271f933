#pragma once

#include <memory>

#include "base/status.h"
#include "connect/connector.h"
#include "connect/redis_streams/redis_options.h"
#include "exec/source.h"

namespace tidemill {

// See RedisStreamsConnector. The server is asked for the first time in Splits().
Result<std::unique_ptr<Source>> MakeRedisSource(const ScanSpec& scan, RedisTableOptions options,
                                                const ConnectorContext& context);

}  // namespace tidemill
