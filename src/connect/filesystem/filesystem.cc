#include "connect/filesystem/filesystem.h"

#include "connect/errors.h"
#include "connect/filesystem/file_options.h"
#include "connect/filesystem/file_sink.h"
#include "connect/filesystem/file_source.h"

namespace tidemill {
namespace {

Status AtOption(Status status, const TableDefinition& table, const std::string& key) {
  const auto place = table.option_positions.find(key);
  return status.At(place != table.option_positions.end() ? place->second : table.position);
}

Status ValidateFilesystem(const TableDefinition& table, bool as_source, bool as_sink, const ConnectorContext& context) {
  TM_ASSIGN_OR_RETURN(const FileTableOptions options, ParseFileTableOptions(table, table.options));
  if (as_sink) TM_RETURN_IF_ERROR(CheckFileSink(table, options));
  if (as_source && context.files != nullptr) {
    const Status status = CheckFileSource(table, options, *context.files);
    if (!status.ok()) return AtOption(status, table, "path");
  }
  return Status::OK();
}

}  // namespace

Connector FilesystemConnector() {
  Connector connector;
  connector.name = "filesystem";
  connector.summary = "Files of JSON lines, CSV, raw lines or Parquet";
  connector.is_source = true;
  connector.is_sink = true;
  connector.takes_format = true;
  connector.options = {
      {"path", true, "",
       "a file, a folder (all files below it) or a glob with * ? [a-z] **; a sink writes into the folder"},
      {"partition.default-name", false, "__DEFAULT_PARTITION__", "the folder of NULL in a column of PARTITIONED BY"},
      {"sink.rolling-policy.file-size", false, "128mb",
       "a file is finished when it is as large; every epoch finishes all"},
      {"sink.rolling-policy.rollover-interval", false, "", "accepted: a file never stays open longer than an epoch"},
      {"sink.rolling-policy.check-interval", false, "", "accepted: sizes are checked with every batch"},
      {"parquet.compression", false, "snappy", "none, snappy, zstd, lz4 or gzip"},
      // For tables without 'format', whose files tell theirs.
      {"json.*", false, "", "options of format json"},
      {"csv.*", false, "", "options of format csv"},
      {"raw.*", false, "", "options of format raw"},
  };
  connector.metadata = {
      {"file.path", DataType(TypeKind::kString, false), false},
      {"file.name", DataType(TypeKind::kString, false), false},
      {"file.size", DataType(TypeKind::kBigInt, false), false},
      {"file.modification-time", DataType::TimestampLtz(3, false), false},
  };
  connector.validate = &ValidateFilesystem;
  connector.is_bounded = [](const TableDefinition&) { return true; };
  connector.make_source = &MakeFileSource;
  connector.make_sink = &MakeFileSink;
  return connector;
}

}  // namespace tidemill
