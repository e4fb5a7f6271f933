#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/status.h"
#include "state/state_store.h"

namespace tidemill {

// A file of the state directory, as a manifest names it.
struct StateFile {
  std::string operator_name;
  std::string table;
  bool full = true;
  std::string path;  // relative to the state directory
  int64_t bytes = 0;
  uint64_t checksum = 0;  // xxh3 of the whole file
};

// Writes one table's snapshot as an Arrow IPC file (readable with pandas or DuckDB), synced. Any thread.
Result<StateFile> WriteSnapshotFile(FileSystem& fs, const std::string& directory, const std::string& relative_path,
                                    const TableSnapshot& snapshot);
// Reads it back; a checksum that differs is kCorruption with file name.
Result<TableSnapshot> ReadSnapshotFile(FileSystem& fs, const std::string& directory, const StateFile& file);

}  // namespace tidemill
