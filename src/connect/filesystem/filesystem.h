#pragma once

#include "connect/connector.h"

namespace tidemill {

// 'connector' = 'filesystem': files of JSON lines, CSV, raw lines or Parquet, in a folder, by a glob or one alone.
//
// As a source it is bounded: one split a file, in the order of paths; a split's position is a byte and line of a text
// file or a row of a Parquet file. Names that start with '.' or '_' are not read.
//
// As a sink it is exactly-once: rows go to files under `<path>/.tidemill/<job>.<sink>/`, which are finished and synced
// at the barrier and renamed into the folder when the epoch's manifest is durable. So every epoch with rows makes one
// file per subtask (and partition), which appears whole; what an aborted epoch left is removed when the sink is opened
// again.
Connector FilesystemConnector();

}  // namespace tidemill
