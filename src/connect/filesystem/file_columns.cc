#include "connect/filesystem/file_columns.h"

#include <algorithm>

#include <arrow/array/util.h>
#include <arrow/compute/cast.h>
#include <arrow/compute/initialize.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>

#include "connect/errors.h"
#include "data/arrow_status.h"
#include "data/format.h"
#include "exec/source.h"

namespace tidemill {
namespace {

class LastReject final : public RejectSink {
 public:
  void Reject(RejectedRow row) override { detail = std::move(row.detail); }
  std::string detail;
};

Result<std::shared_ptr<arrow::Array>> MetadataValue(const ColumnDefinition& column, const FileInfo& file) {
  std::shared_ptr<arrow::Scalar> scalar;
  if (column.metadata_key == "file.path") {
    scalar = std::make_shared<arrow::StringScalar>(file.path);
  } else if (column.metadata_key == "file.name") {
    const size_t slash = file.path.rfind('/');
    scalar =
        std::make_shared<arrow::StringScalar>(slash == std::string::npos ? file.path : file.path.substr(slash + 1));
  } else if (column.metadata_key == "file.size") {
    scalar = std::make_shared<arrow::Int64Scalar>(file.size);
  } else {
    scalar = std::make_shared<arrow::TimestampScalar>(file.modified_us / 1000,
                                                      arrow::timestamp(arrow::TimeUnit::MILLI, "UTC"));
  }
  TM_ARROW_ASSIGN_OR_RETURN(auto array, arrow::MakeArrayFromScalar(*scalar, kBatchRowsMax), "metadata column");
  const auto wanted = ToArrow(column.type);
  if (array->type()->Equals(*wanted)) return array;
  TM_ARROW_RETURN_IF_ERROR(arrow::compute::Initialize(), "metadata column");
  TM_ARROW_ASSIGN_OR_RETURN(array, arrow::compute::Cast(*array, wanted), "metadata column '" + column.name + "'");
  return array;
}

Result<std::shared_ptr<arrow::Array>> PartitionValue(const ColumnDefinition& column, const FileTableOptions& options,
                                                     const FileInfo& file) {
  const auto text = PartitionValueOf(file.path, column.name);
  if (!text) {
    return Status(kInvalidOption,
                  "'" + file.path + "' is in no folder '" + column.name + "=...', which PARTITIONED BY asks for");
  }
  if (*text == options.default_partition) {
    TM_ARROW_ASSIGN_OR_RETURN(auto nulls, arrow::MakeArrayOfNull(ToArrow(column.type), kBatchRowsMax),
                              "partition column");
    return nulls;
  }
  TM_ASSIGN_OR_RETURN(auto decoder, MakeCsvDecoder(Schema({{column.name, column.type}}), Config()));
  std::string record = "\"";
  for (const char c : *text) record.append(c == '"' ? 2 : 1, c);
  record += '"';
  LastReject rejects;
  const EncodedRow row{record, 1};
  TM_ASSIGN_OR_RETURN(const RowDecoder::Output decoded, decoder->Decode({&row, 1}, rejects));
  if (decoded.rows->num_rows() != 1) {
    return Status(kInvalidOption, "'" + file.path + "': partition '" + column.name + "': " + rejects.detail);
  }
  TM_ARROW_ASSIGN_OR_RETURN(const auto scalar, decoded.rows->column(0)->GetScalar(0), "partition column");
  TM_ARROW_ASSIGN_OR_RETURN(auto array, arrow::MakeArrayFromScalar(*scalar, kBatchRowsMax), "partition column");
  return array;
}

}  // namespace

FileColumns FileColumns::Of(const ScanSpec& scan) {
  const TableDefinition& table = *scan.table;
  FileColumns out;
  out.read_schema = SourceReadSchema(scan);
  out.table_column = SourceReadColumns(scan);
  const auto is_content = [&table](const ColumnDefinition& column) {
    return column.kind == ColumnDefinition::Kind::kPhysical &&
           std::find(table.partitioned_by.begin(), table.partitioned_by.end(), column.name) ==
               table.partitioned_by.end();
  };
  std::vector<Field> content;
  for (const int number : out.table_column) {
    const ColumnDefinition& column = table.columns[static_cast<size_t>(number)];
    if (!is_content(column)) {
      out.content.push_back(-1);
      continue;
    }
    out.content.push_back(static_cast<int>(content.size()));
    content.push_back({column.name, column.type});
  }
  out.content_schema = Schema(std::move(content));
  for (const ColumnDefinition& column : table.columns) {
    if (is_content(column)) out.content_names.push_back(column.name);
  }
  return out;
}

Result<FileRowAssembler> FileRowAssembler::Make(const FileColumns& columns, const TableDefinition& table,
                                                const FileTableOptions& options, const FileInfo& file) {
  FileRowAssembler out;
  out.columns_ = &columns;
  out.constants_.resize(columns.content.size());
  for (size_t i = 0; i < columns.content.size(); ++i) {
    if (columns.content[i] >= 0) continue;
    const ColumnDefinition& column = table.columns[static_cast<size_t>(columns.table_column[i])];
    if (column.kind == ColumnDefinition::Kind::kMetadata) {
      TM_ASSIGN_OR_RETURN(out.constants_[i], MetadataValue(column, file));
    } else {
      TM_ASSIGN_OR_RETURN(out.constants_[i], PartitionValue(column, options, file));
    }
  }
  return out;
}

Batch FileRowAssembler::Assemble(const std::shared_ptr<arrow::RecordBatch>& content) const {
  arrow::ArrayVector arrays;
  arrays.reserve(constants_.size());
  for (size_t i = 0; i < constants_.size(); ++i) {
    arrays.push_back(constants_[i] ? constants_[i]->Slice(0, content->num_rows())
                                   : content->column(columns_->content[i]));
  }
  return Batch{arrow::RecordBatch::Make(columns_->read_schema.arrow(), content->num_rows(), std::move(arrays)), nullptr,
               0};
}

}  // namespace tidemill
