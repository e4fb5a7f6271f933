#pragma once

#include <memory>
#include <vector>

#include "base/status.h"
#include "connect/connector.h"
#include "connect/kinesis/kinesis_options.h"
#include "exec/source.h"

namespace tidemill {

std::vector<MetadataColumn> KinesisMetadataColumns();

// See KinesisConnector. Kinesis is asked for the first time in Splits().
Result<std::unique_ptr<Source>> MakeKinesisSource(const ScanSpec& scan, KinesisTableOptions options,
                                                  const ConnectorContext& context);

}  // namespace tidemill
