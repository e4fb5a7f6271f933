#pragma once

#include <memory>

#include "base/status.h"
#include "connect/connector.h"
#include "connect/kafka/kafka_options.h"
#include "exec/source.h"

namespace tidemill {

// See KafkaConnector. The cluster is asked for the first time in Splits().
Result<std::unique_ptr<Source>> MakeKafkaSource(const ScanSpec& scan, KafkaTableOptions options,
                                                const ConnectorContext& context);

}  // namespace tidemill
