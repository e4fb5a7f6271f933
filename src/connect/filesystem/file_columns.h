#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "connect/filesystem/file_options.h"
#include "data/batch.h"
#include "data/schema.h"
#include "sql/logical_plan.h"

namespace tidemill {

// Which columns of a scan come from a file's content, and which are the same for all its rows: metadata and the values
// of partition folders.
struct FileColumns {
  Schema read_schema;             // what the source delivers
  Schema content_schema;          // what is decoded
  std::vector<int> content;       // for each column of read_schema: its place in content_schema, -1 = constant
  std::vector<int> table_column;  // for each column of read_schema: number into TableDefinition::columns
  // All columns that a file's content has, wanted or not, in table order: for CSV without a header.
  std::vector<std::string> content_names;

  static FileColumns Of(const ScanSpec& scan);
};

// Puts the constants of one file beside decoded columns.
class FileRowAssembler {
 public:
  static Result<FileRowAssembler> Make(const FileColumns& columns, const TableDefinition& table,
                                       const FileTableOptions& options, const FileInfo& file);
  Batch Assemble(const std::shared_ptr<arrow::RecordBatch>& content) const;

 private:
  const FileColumns* columns_ = nullptr;
  std::vector<std::shared_ptr<arrow::Array>>
      constants_;  // by column of read_schema, kBatchRowsMax long; null for content
};

}  // namespace tidemill
