#include "feature/internal/parquet_file.h"

#include <arrow/api.h>
#include <arrow/util/key_value_metadata.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/writer.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>
#include <parquet/properties.h>
#include <parquet/statistics.h>

#include "data/arrow_status.h"
#include "feature/errors.h"
#include "feature/internal/arrow_files.h"

namespace tidemill {
namespace {

parquet::Compression::type CompressionOf(const std::string& name) {
  if (name == "snappy") return parquet::Compression::SNAPPY;
  if (name == "lz4") return parquet::Compression::LZ4;
  if (name == "zstd") return parquet::Compression::ZSTD;
  return parquet::Compression::UNCOMPRESSED;
}

class Writer final : public ParquetFileWriter {
 public:
  Writer(std::string path, std::shared_ptr<arrow::Schema> schema, std::shared_ptr<FeatureOutputFile> output,
         std::unique_ptr<parquet::arrow::FileWriter> writer)
      : path_(std::move(path)), schema_(std::move(schema)), output_(std::move(output)), writer_(std::move(writer)) {}
  ~Writer() override {
    // An abandoned file: its footer goes nowhere that is read.
    if (!finished_) (void)writer_->Close();
  }

  Status Write(const std::vector<std::shared_ptr<arrow::RecordBatch>>& batches) override {
    auto table = arrow::Table::FromRecordBatches(schema_, batches);
    if (!table.ok()) return Failed(table.status());
    return Failed(writer_->WriteTable(**table, std::max<int64_t>(1, (*table)->num_rows())));
  }

  Result<int64_t> Finish(const std::map<std::string, std::string>& metadata) override {
    finished_ = true;
    if (!metadata.empty()) {
      std::vector<std::string> keys, values;
      for (const auto& [key, value] : metadata) {
        keys.push_back(key);
        values.push_back(value);
      }
      TM_RETURN_IF_ERROR(Failed(writer_->AddKeyValueMetadata(arrow::key_value_metadata(keys, values))));
    }
    TM_RETURN_IF_ERROR(Failed(writer_->Close()));
    return output_->Finish();
  }

 private:
  Status Failed(const arrow::Status& status) const {
    if (!output_->error().ok()) return output_->error();
    return FromArrowStatus(status, "writing " + path_);
  }

  std::string path_;
  std::shared_ptr<arrow::Schema> schema_;
  std::shared_ptr<FeatureOutputFile> output_;
  std::unique_ptr<parquet::arrow::FileWriter> writer_;
  bool finished_ = false;
};

class Reader final : public ParquetFileReader {
 public:
  Reader(std::string path, std::unique_ptr<parquet::arrow::FileReader> reader, std::shared_ptr<arrow::Schema> schema)
      : path_(std::move(path)),
        reader_(std::move(reader)),
        schema_(std::move(schema)),
        file_(reader_->parquet_reader()->metadata()) {}

  const std::shared_ptr<arrow::Schema>& schema() const override { return schema_; }
  int64_t num_rows() const override { return file_->num_rows(); }
  int num_row_groups() const override { return file_->num_row_groups(); }

  std::optional<std::string> metadata(const std::string& key) const override {
    const auto& metadata = file_->key_value_metadata();
    if (metadata == nullptr) return std::nullopt;
    auto value = metadata->Get(key);
    return value.ok() ? std::optional<std::string>(*value) : std::nullopt;
  }

  std::optional<std::pair<int64_t, int64_t>> Range(int row_group, const std::string& column) const override {
    try {
      const int leaf = file_->schema()->ColumnIndex(column);
      if (leaf < 0) return std::nullopt;
      const auto statistics = file_->RowGroup(row_group)->ColumnChunk(leaf)->statistics();
      if (statistics == nullptr || !statistics->HasMinMax() || statistics->physical_type() != parquet::Type::INT64)
        return std::nullopt;
      const auto& typed = static_cast<const parquet::Int64Statistics&>(*statistics);
      return std::make_pair(typed.min(), typed.max());
    } catch (const std::exception&) {
      return std::nullopt;
    }
  }

  Result<std::shared_ptr<arrow::Table>> Read(int row_group, const std::vector<std::string>& columns) override {
    // Leaves of the wanted top-level fields, nested ones included.
    std::vector<int> leaves;
    try {
      for (int leaf = 0; leaf < file_->num_columns(); ++leaf) {
        const std::string& root = file_->schema()->GetColumnRoot(leaf)->name();
        if (std::find(columns.begin(), columns.end(), root) != columns.end()) leaves.push_back(leaf);
      }
      auto table = reader_->ReadRowGroup(row_group, leaves);
      if (!table.ok()) return Status(kOfflineFile, path_ + ": " + table.status().message());
      return *std::move(table);
    } catch (const std::exception& error) {
      return Status(kOfflineFile, path_ + ": " + error.what());
    }
  }

 private:
  std::string path_;
  std::unique_ptr<parquet::arrow::FileReader> reader_;
  std::shared_ptr<arrow::Schema> schema_;
  std::shared_ptr<parquet::FileMetaData> file_;
};

}  // namespace

bool IsParquetCompression(const std::string& name) {
  return name == "none" || name == "snappy" || name == "lz4" || name == "zstd";
}

Result<std::unique_ptr<ParquetFileWriter>> ParquetFileWriter::Create(FileSystem& files, const std::string& path,
                                                                     const std::shared_ptr<arrow::Schema>& schema,
                                                                     const ParquetWriteOptions& options) {
  TM_ASSIGN_OR_RETURN(std::unique_ptr<WritableFile> file, files.OpenWritable(path, FileSystem::OpenMode::kTruncate));
  const auto output = std::make_shared<FeatureOutputFile>(std::move(file));
  parquet::WriterProperties::Builder properties;
  properties.disable_dictionary()
      ->disable_statistics()
      ->compression(CompressionOf(options.compression))
      ->created_by("tidemill");
  // Numbers of features hardly repeat; texts do.
  for (const auto& field : schema->fields()) {
    if (arrow::is_base_binary_like(field->type()->id())) properties.enable_dictionary(field->name());
  }
  if (!options.statistics_column.empty()) properties.enable_statistics(options.statistics_column);
  auto writer = parquet::arrow::FileWriter::Open(*schema, arrow::default_memory_pool(), output, properties.build(),
                                                 parquet::ArrowWriterProperties::Builder().store_schema()->build());
  if (!writer.ok()) return FromArrowStatus(writer.status(), "writing " + path);
  return std::unique_ptr<ParquetFileWriter>(std::make_unique<Writer>(path, schema, output, *std::move(writer)));
}

Result<std::unique_ptr<ParquetFileReader>> ParquetFileReader::Open(FileSystem& files, const std::string& path) {
  TM_ASSIGN_OR_RETURN(std::shared_ptr<arrow::io::RandomAccessFile> file, OpenArrowFile(files, path));
  try {
    parquet::arrow::FileReaderBuilder builder;
    arrow::Status opened = builder.Open(std::move(file));
    if (!opened.ok()) return Status(kOfflineFile, path + ": " + opened.message());
    parquet::ArrowReaderProperties properties;
    properties.set_pre_buffer(false);
    properties.set_use_threads(false);
    builder.properties(properties);
    std::unique_ptr<parquet::arrow::FileReader> reader;
    auto built = builder.Build();
    if (!built.ok()) return Status(kOfflineFile, path + ": " + built.status().message());
    reader = *std::move(built);
    std::shared_ptr<arrow::Schema> schema;
    const arrow::Status read = reader->GetSchema(&schema);
    if (!read.ok()) return Status(kOfflineFile, path + ": " + read.message());
    return std::unique_ptr<ParquetFileReader>(std::make_unique<Reader>(path, std::move(reader), std::move(schema)));
  } catch (const std::exception& error) {
    return Status(kOfflineFile, path + ": " + error.what());
  }
}

}  // namespace tidemill
