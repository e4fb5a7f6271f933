#pragma once

#include <memory>

#include "connect/connector.h"
#include "connect/filesystem/file_options.h"

namespace tidemill {

Result<std::unique_ptr<Sink>> MakeFileSink(const SinkSpec& sink, const ConnectorContext& context);

// What can be known when the statement is planned: format, types, partition columns.
Status CheckFileSink(const TableDefinition& table, const FileTableOptions& options);

}  // namespace tidemill
