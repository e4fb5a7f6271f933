#pragma once

#include <memory>

#include "connect/connector.h"
#include "connect/pubsub/pubsub_options.h"

namespace tidemill {

// One split, the subscription. Positions count messages of this run: what an epoch has read is acknowledged when it is
// committed; after a restart Pub/Sub sends again what was not.
Result<std::unique_ptr<Source>> MakePubsubSource(const ScanSpec& scan, const TableDefinition& table,
                                                 PubsubTableOptions options, const ConnectorContext& context);

}  // namespace tidemill
