#pragma once

#include <memory>

#include "base/status.h"
#include "connect/connector.h"
#include "connect/kinesis/kinesis_options.h"
#include "exec/sink.h"

namespace tidemill {

// See KinesisConnector. Kinesis is asked for the first time in Recover, before any writer opens.
Result<std::unique_ptr<Sink>> MakeKinesisSink(const SinkSpec& sink, KinesisTableOptions options,
                                              const ConnectorContext& context);

}  // namespace tidemill
