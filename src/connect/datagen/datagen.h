#pragma once

#include "connect/connector.h"

namespace tidemill {

// 'connector' = 'datagen': rows made up at a given rate, with the options of Flink's. Every value is a function of the
// seed, the column's name and the row's number, so a run with 'seed' can be repeated, and after a crash the same rows
// come again. Columns of time are the moment at which the row is due (start + row / rate), less a random part of
// 'max-past'.
Connector DatagenConnector();

}  // namespace tidemill
