#pragma once

#include <memory>

#include "base/status.h"
#include "connect/connector.h"
#include "exec/sink.h"

namespace tidemill {

// See TidemillLogConnector. Exactly-once: one log transaction per subtask and epoch; its handle is the prepared
// transaction.
Result<std::unique_ptr<Sink>> MakeLogSink(const SinkSpec& sink, const ConnectorContext& context);

}  // namespace tidemill
