#include "data/parquet_reader.h"

#include <algorithm>

#include <arrow/compute/initialize.h>
#include <arrow/record_batch.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>

#include "base/config.h"
#include "data/arrow_status.h"
#include "data/internal/parquet_cast.h"
#include "data/internal/parquet_file.h"
#include "data/internal/take.h"

namespace tidemill {
namespace {

struct OpenedFile {
  std::shared_ptr<ParquetInputFile> input;
  std::unique_ptr<parquet::arrow::FileReader> reader;
  std::shared_ptr<arrow::Schema> schema;
};

Status ParquetError(const ParquetInputFile& input, const std::string& path, const std::string& message) {
  if (!input.error().ok()) return input.error();
  return Status(kCorruption, "'" + path + "' can't be read as Parquet: " + message);
}

Result<OpenedFile> OpenParquet(FileSystem& fs, const std::string& path) {
  TM_ASSIGN_OR_RETURN(auto file, fs.OpenReadable(path));
  TM_ASSIGN_OR_RETURN(const int64_t size, file->Size());
  OpenedFile opened;
  opened.input = std::make_shared<ParquetInputFile>(std::move(file), size);
  const auto open = [&opened]() -> arrow::Status {
    parquet::arrow::FileReaderBuilder builder;
    ARROW_RETURN_NOT_OK(arrow::compute::Initialize());
    ARROW_RETURN_NOT_OK(builder.Open(opened.input));
    auto properties = parquet::default_arrow_reader_properties();
    properties.set_use_threads(false);  // a lane is one thread
    properties.set_pre_buffer(false);
    properties.set_batch_size(kBatchRowsMax);
    builder.properties(properties);
    ARROW_ASSIGN_OR_RAISE(opened.reader, builder.Build());
    return opened.reader->GetSchema(&opened.schema);
  };
  arrow::Status status;
  try {
    status = open();
  } catch (const std::exception& error) {  // some of Parquet's calls throw
    status = arrow::Status::IOError(error.what());
  }
  if (!status.ok()) return ParquetError(*opened.input, path, status.message());
  return opened;
}

void AddLeaves(const parquet::arrow::SchemaField& field, std::vector<int>& leaves) {
  if (field.is_leaf()) leaves.push_back(field.column_index);
  for (const auto& child : field.children) AddLeaves(child, leaves);
}

class FileParquetReader final : public ParquetReader {
 public:
  FileParquetReader(std::string path, Schema schema, OpenedFile file)
      : path_(std::move(path)), schema_(std::move(schema)), file_(std::move(file)) {
    const auto metadata = file_.reader->parquet_reader()->metadata();
    for (int g = 0; g < metadata->num_row_groups(); ++g) {
      group_starts_.push_back(num_rows_);
      num_rows_ += metadata->RowGroup(g)->num_rows();
    }
    group_starts_.push_back(num_rows_);
  }

  // Finds the wanted columns and checks that their types fit.
  Status Bind() {
    const auto& fields = file_.reader->manifest().schema_fields;
    for (const Field& wanted : schema_.fields()) {
      const auto found = std::find_if(fields.begin(), fields.end(),
                                      [&wanted](const auto& field) { return field.field->name() == wanted.name; });
      if (found == fields.end()) {
        Status status(kMissingColumn, "'" + path_ + "' has no column '" + wanted.name + "'");
        std::vector<std::string> names;
        std::string list;
        for (const auto& field : fields) {
          names.push_back(field.field->name());
          list += (list.empty() ? "" : ", ") + names.back();
        }
        const std::string nearest = NearestName(wanted.name, names);
        if (!nearest.empty()) status = status.WithHint("did you mean '" + nearest + "'?");
        return status.WithNote("columns: " + list);
      }
      const Status fits = CheckFileColumn(*found->field->type(), wanted.type);
      if (!fits.ok()) return fits.WithContext("'" + path_ + "', column '" + wanted.name + "'");
      AddLeaves(*found, leaves_);
    }
    return Status::OK();
  }

  Result<std::optional<Batch>> Read(int rows_max, RejectSink& rejects) override {
    TM_ASSIGN_OR_RETURN(const bool more, Load());
    if (!more) return std::optional<Batch>();
    const int64_t n = std::min<int64_t>({rows_max, kBatchRowsMax, rows_left_});
    const int64_t first = rows_before();
    std::shared_ptr<arrow::RecordBatch> rows =
        arrow::RecordBatch::Make(arrow::schema(arrow::FieldVector{}), n, arrow::ArrayVector{});
    if (current_) rows = current_->Slice(current_->num_rows() - rows_left_, n);
    position_.row += n;
    rows_left_ -= n;
    if (position_.row == GroupRows(position_.row_group) && rows_left_ == 0) {
      position_ = {position_.row_group + 1, 0};
      stream_.reset();
      current_.reset();
    }
    TM_ASSIGN_OR_RETURN(auto converted, Convert(*rows, first, rejects));
    return std::optional<Batch>(Batch{std::move(converted), nullptr, 0});
  }

  ParquetPosition position() const override { return position_; }
  int64_t num_rows() const override { return num_rows_; }
  int64_t rows_before() const override {
    return position_.row_group < NumGroups() ? group_starts_[static_cast<size_t>(position_.row_group)] + position_.row
                                             : num_rows_;
  }

  Status Seek(ParquetPosition position) override {
    const bool at_end = position.row_group == NumGroups() && position.row == 0;
    if (position.row_group < 0 || position.row < 0 ||
        (!at_end && (position.row_group >= NumGroups() || position.row > GroupRows(position.row_group)))) {
      return Status(kCorruption, "'" + path_ + "' has no row " + std::to_string(position.row) + " in row group " +
                                     std::to_string(position.row_group) +
                                     ": the file is not the one that was read before");
    }
    position_ = position;
    stream_.reset();
    current_.reset();
    rows_left_ = 0;
    return Status::OK();
  }

 private:
  int NumGroups() const { return static_cast<int>(group_starts_.size()) - 1; }
  int64_t GroupRows(int group) const {
    return group_starts_[static_cast<size_t>(group) + 1] - group_starts_[static_cast<size_t>(group)];
  }

  // Makes at least one row ready; false at the end of the file.
  Result<bool> Load() {
    while (rows_left_ == 0) {
      while (position_.row_group < NumGroups() && position_.row >= GroupRows(position_.row_group)) {
        position_ = {position_.row_group + 1, 0};
        stream_.reset();
      }
      if (position_.row_group >= NumGroups()) return false;
      if (leaves_.empty()) {  // nothing but the number of rows is asked for
        rows_left_ = GroupRows(position_.row_group) - position_.row;
        return true;
      }
      arrow::Status status;
      try {
        status = NextDecoded();
      } catch (const std::exception& error) {
        status = arrow::Status::IOError(error.what());
      }
      if (!status.ok()) return ParquetError(*file_.input, path_, status.message());
    }
    return true;
  }

  arrow::Status NextDecoded() {
    int64_t skip = 0;
    if (!stream_) {
      ARROW_ASSIGN_OR_RAISE(stream_, file_.reader->GetRecordBatchReader({position_.row_group}, leaves_));
      skip = position_.row;
    }
    for (;;) {
      ARROW_RETURN_NOT_OK(stream_->ReadNext(&current_));
      if (!current_) return arrow::Status::IOError("row group ", position_.row_group, " ends too early");
      if (skip < current_->num_rows()) break;
      skip -= current_->num_rows();
    }
    rows_left_ = current_->num_rows() - skip;
    return arrow::Status::OK();
  }

  std::shared_ptr<arrow::Array> FileColumn(const arrow::RecordBatch& rows, int c) const {
    return rows.GetColumnByName(schema_.field(c).name);
  }

  Result<std::shared_ptr<arrow::RecordBatch>> Convert(const arrow::RecordBatch& rows, int64_t first,
                                                      RejectSink& rejects) {
    arrow::ArrayVector columns;
    std::vector<uint8_t> bad;
    for (int c = 0; c < schema_.num_fields(); ++c) {
      const auto column = FileColumn(rows, c);
      auto cast = CastFileColumn(column, schema_.field(c).type);
      const bool has_bad_nulls = !schema_.field(c).type.nullable() && column->null_count() > 0;
      if (!cast.ok() || has_bad_nulls) FindBadRows(*column, c, first, bad, rejects);
      columns.push_back(cast.ok() ? *cast : nullptr);
    }
    if (bad.empty()) return arrow::RecordBatch::Make(schema_.arrow(), rows.num_rows(), std::move(columns));
    std::vector<int32_t> good;
    for (size_t i = 0; i < bad.size(); ++i) {
      if (bad[i] == 0) good.push_back(static_cast<int32_t>(i));
    }
    for (int c = 0; c < schema_.num_fields(); ++c) {
      TM_ASSIGN_OR_RETURN(auto taken, TakeArray(FileColumn(rows, c), good));
      TM_ASSIGN_OR_RETURN(columns[static_cast<size_t>(c)], CastFileColumn(taken, schema_.field(c).type));
    }
    return arrow::RecordBatch::Make(schema_.arrow(), static_cast<int64_t>(good.size()), std::move(columns));
  }

  // Marks and rejects the rows of a column that did not convert as a whole; a row is rejected once.
  void FindBadRows(const arrow::Array& column, int c, int64_t first, std::vector<uint8_t>& bad, RejectSink& rejects) {
    const Field& field = schema_.field(c);
    bad.resize(static_cast<size_t>(column.length()));
    for (int64_t i = 0; i < column.length(); ++i) {
      if (bad[static_cast<size_t>(i)] != 0) continue;
      RejectedRow rejected{
          .reason = RejectReason::kOutOfRange, .source = path_, .offset = first + i, .field = field.name};
      if (column.IsNull(i)) {
        if (field.type.nullable()) continue;
        rejected.reason = RejectReason::kNotNull;
        rejected.detail = "NULL in a NOT NULL column";
      } else {
        if (CastFileColumn(column.Slice(i, 1), field.type).ok()) continue;
        const auto scalar = column.GetScalar(i);
        rejected.raw = scalar.ok() ? (*scalar)->ToString() : "";
        rejected.detail = rejected.raw + " does not fit " + field.type.WithNullable(true).ToString();
      }
      bad[static_cast<size_t>(i)] = 1;
      rejects.Reject(std::move(rejected));
    }
  }

  std::string path_;
  Schema schema_;
  OpenedFile file_;
  std::vector<int> leaves_;
  std::vector<int64_t> group_starts_;  // one more than there are groups
  int64_t num_rows_ = 0;
  ParquetPosition position_;
  std::unique_ptr<arrow::RecordBatchReader> stream_;  // over position_.row_group
  std::shared_ptr<arrow::RecordBatch> current_;
  int64_t rows_left_ = 0;  // of current_, or of the group when no column is read
};

}  // namespace

Result<std::unique_ptr<ParquetReader>> ParquetReader::Open(FileSystem& fs, const std::string& path,
                                                           const Schema& schema) {
  TM_ASSIGN_OR_RETURN(OpenedFile opened, OpenParquet(fs, path));
  auto reader = std::make_unique<FileParquetReader>(path, schema, std::move(opened));
  TM_RETURN_IF_ERROR(reader->Bind());
  std::unique_ptr<ParquetReader> out = std::move(reader);
  return out;
}

Result<Schema> ReadParquetSchema(FileSystem& fs, const std::string& path) {
  TM_ASSIGN_OR_RETURN(const OpenedFile opened, OpenParquet(fs, path));
  std::vector<Field> fields;
  for (const auto& field : opened.schema->fields()) {
    auto type = FromArrow(*field->type(), field->nullable());
    if (!type.ok()) return type.status().WithContext("'" + path + "', column '" + field->name() + "'");
    fields.push_back({field->name(), *std::move(type)});
  }
  return Schema(std::move(fields));
}

}  // namespace tidemill
