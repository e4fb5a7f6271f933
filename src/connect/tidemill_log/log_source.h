#pragma once

#include <memory>

#include "base/status.h"
#include "connect/connector.h"
#include "exec/source.h"

namespace tidemill {

// See TidemillLogConnector.
Result<std::unique_ptr<Source>> MakeLogSource(const ScanSpec& scan, const ConnectorContext& context);

}  // namespace tidemill
