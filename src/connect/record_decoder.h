#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "data/format.h"
#include "sql/catalog.h"

namespace tidemill {

// A decoder of some columns of records: `wanted` has those that are read, `all` those that the bytes have, in order.
// CSV and plain Avro go by position, so they have to know both.
Result<std::unique_ptr<RowDecoder>> MakeRecordDecoder(const std::string& format, const Schema& wanted,
                                                      const Schema& all, const Config& options,
                                                      FormatContext context = {});

// The format's metadata that a column METADATA FROM 'value.<key>' is; none for a key of the connector's own.
std::optional<FormatMetadata> FormatMetadataOf(const std::string& format, std::string_view column_key);
// Metadata in the type that its column was declared with.
Result<std::shared_ptr<arrow::Array>> CastMetadata(std::shared_ptr<arrow::Array> array, const DataType& type);
// The kinds of rows as a batch has them; null when there are none.
std::shared_ptr<arrow::Array> RowKindsOf(std::vector<int8_t> kinds);

}  // namespace tidemill
