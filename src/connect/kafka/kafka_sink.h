#pragma once

#include <memory>

#include "base/status.h"
#include "connect/connector.h"
#include "connect/kafka/kafka_options.h"
#include "exec/sink.h"

namespace tidemill {

// See KafkaConnector. The cluster is asked for the first time in Recover, before any writer opens.
Result<std::unique_ptr<Sink>> MakeKafkaSink(const SinkSpec& sink, KafkaTableOptions options,
                                            const ConnectorContext& context);

}  // namespace tidemill
