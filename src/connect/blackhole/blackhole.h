#pragma once

#include "connect/connector.h"

namespace tidemill {

// 'connector' = 'blackhole': a sink that takes everything and keeps nothing, for measuring what is before it.
Connector BlackholeConnector();

}  // namespace tidemill
