#pragma once

#include <memory>
#include <string>

#include "base/config.h"
#include "connect/connector.h"
#include "data/registered_schema.h"

namespace tidemill {

// Where a table's format looks its schemas up: nothing when the format keeps none, the file that 'schema-file' of
// 'protobuf' names, else the registry at the format's option
// 'url' (several, separated by commas), else the embedded one. Secrets (`${env:NAME}`) are resolved here.
// kInvalidFormatOption when there is neither.
Result<std::shared_ptr<SchemaSource>> OpenSchemaSource(const std::string& format, const Config& options,
                                                       const ConnectorContext& context);

}  // namespace tidemill
