#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/config.h"
#include "base/file_system.h"
#include "base/status.h"
#include "data/parquet_writer.h"
#include "sql/catalog.h"

namespace tidemill {

struct FileTableOptions {
  std::string path;    // local, without file://
  std::string format;  // "json", "csv", "raw", "parquet"; empty: by each file's extension
  Config table_options;
  std::string default_partition = "__DEFAULT_PARTITION__";
  int64_t rolling_file_bytes = int64_t{128} << 20;
  ParquetWriterOptions parquet;

  // The options of `format`, their prefix cut off.
  Config FormatOptions(std::string_view format_name) const;
};

// Errors carry the option's position.
Result<FileTableOptions> ParseFileTableOptions(const TableDefinition& table, const Config& options);

// "json" for a.jsonl and a.ndjson.gz, ...; nullopt for an unknown extension.
std::optional<std::string> FormatOfPath(std::string_view path);
bool IsGzipPath(std::string_view path);
// With the leading dot: ".parquet".
std::string_view ExtensionOf(std::string_view format);

// The files that a table's path means, sorted: the file itself, all below a folder, or what a glob (* ? [a-z] **)
// matches. Hidden ones (a part of the name below the folder starts with '.' or '_') are left out. kNoFilesFound when
// there is none.
Result<std::vector<FileInfo>> FindFiles(FileSystem& fs, const std::string& path);

// Hive's way of writing a value into a path, "a%2Fb", and back.
std::string EscapePathValue(std::string_view value);
std::string UnescapePathValue(std::string_view text);
// The value of `name=value` among the folders of `path`, unescaped.
std::optional<std::string> PartitionValueOf(std::string_view path, std::string_view name);

}  // namespace tidemill
