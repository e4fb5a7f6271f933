#pragma once

#include <memory>

#include "connect/connector.h"
#include "connect/filesystem/file_options.h"

namespace tidemill {

Result<std::unique_ptr<Source>> MakeFileSource(const ScanSpec& scan, const ConnectorContext& context);

// Looks at the first of a table's files, so that a missing file, folder or column is found when the statement is
// planned.
Status CheckFileSource(const TableDefinition& table, const FileTableOptions& options, FileSystem& fs);

}  // namespace tidemill
