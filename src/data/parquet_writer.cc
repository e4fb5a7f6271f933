#include "data/parquet_writer.h"

#include <arrow/record_batch.h>
#include <parquet/arrow/writer.h>
#include <parquet/exception.h>
#include <parquet/properties.h>

#include "data/arrow_status.h"
#include "data/internal/parquet_file.h"

namespace tidemill {
namespace {

struct Codec {
  std::string_view name;
  arrow::Compression::type type;
};
constexpr Codec kCodecs[] = {{"none", arrow::Compression::UNCOMPRESSED},
                             {"snappy", arrow::Compression::SNAPPY},
                             {"zstd", arrow::Compression::ZSTD},
                             {"lz4", arrow::Compression::LZ4},
                             {"gzip", arrow::Compression::GZIP}};

Result<arrow::Compression::type> CodecOf(const std::string& name) {
  for (const Codec& codec : kCodecs) {
    if (codec.name == name) return codec.type;
  }
  return Status(kInvalidFormatOption, "compression '" + name + "': expected none, snappy, zstd, lz4 or gzip");
}

class FileParquetWriter final : public ParquetWriter {
 public:
  FileParquetWriter(std::unique_ptr<WritableFile> file, Schema schema)
      : schema_(std::move(schema)), output_(std::make_shared<ParquetOutputFile>(std::move(file))) {}

  Status Start(arrow::Compression::type codec, int64_t row_group_rows) {
    auto properties = parquet::WriterProperties::Builder()
                          .compression(codec)
                          ->max_row_group_length(row_group_rows)
                          ->version(parquet::ParquetVersion::PARQUET_2_6)
                          ->created_by("tidemill")
                          ->build();
    auto arrow_properties = parquet::ArrowWriterProperties::Builder().store_schema()->build();
    return Call([&]() -> arrow::Status {
      ARROW_ASSIGN_OR_RAISE(writer_, parquet::arrow::FileWriter::Open(*schema_.arrow(), arrow::default_memory_pool(),
                                                                      output_, properties, arrow_properties));
      return arrow::Status::OK();
    });
  }

  Status Write(const Batch& batch) override {
    if (batch.num_rows() == 0) return Status::OK();
    num_rows_ += batch.num_rows();
    waiting_rows_ += batch.num_rows();
    waiting_bytes_ += batch.num_bytes();
    waiting_.push_back(batch);
    return waiting_rows_ >= kBatchRowsMax ? EncodeWaiting() : Status::OK();
  }

  int64_t num_rows() const override { return num_rows_; }
  int64_t num_bytes() const override { return output_->file().size() + encoded_bytes_ / 2 + waiting_bytes_; }

  Status Finish() override {
    TM_RETURN_IF_ERROR(EncodeWaiting());
    TM_RETURN_IF_ERROR(Call([this] { return writer_->Close(); }));
    TM_RETURN_IF_ERROR(output_->file().Sync());
    return output_->file().Close();
  }

 private:
  template <typename F>
  Status Call(F call) {
    arrow::Status status;
    try {
      status = call();
    } catch (const std::exception& error) {  // some of Parquet's calls throw
      status = arrow::Status::IOError(error.what());
    }
    if (status.ok()) return Status::OK();
    if (!output_->error().ok()) return output_->error();
    return FromArrowStatus(status, "write Parquet");
  }

  Status EncodeWaiting() {
    if (waiting_.empty()) return Status::OK();
    for (Batch& batch : waiting_) batch.row_kinds = nullptr;
    TM_ASSIGN_OR_RETURN(const Batch all, ConcatBatches(waiting_));
    waiting_.clear();
    const int64_t size_before = output_->file().size();
    encoded_bytes_ += waiting_bytes_;
    waiting_rows_ = waiting_bytes_ = 0;
    // The schema's own field flags count, whatever the batch's say: a NULL in a NOT NULL column is an error here.
    const auto rows = arrow::RecordBatch::Make(schema_.arrow(), all.rows->num_rows(), all.rows->columns());
    TM_RETURN_IF_ERROR(Call([&] { return writer_->WriteRecordBatch(*rows); }));
    if (output_->file().size() != size_before) encoded_bytes_ = 0;  // a row group has been flushed
    return Status::OK();
  }

  Schema schema_;
  std::shared_ptr<ParquetOutputFile> output_;
  std::unique_ptr<parquet::arrow::FileWriter> writer_;
  std::vector<Batch> waiting_;
  int64_t waiting_rows_ = 0;
  int64_t waiting_bytes_ = 0;
  int64_t encoded_bytes_ = 0;  // decoded size of what the open row group holds
  int64_t num_rows_ = 0;
};

}  // namespace

Result<std::unique_ptr<ParquetWriter>> ParquetWriter::Open(std::unique_ptr<WritableFile> file, const Schema& schema,
                                                           const ParquetWriterOptions& options) {
  TM_ASSIGN_OR_RETURN(const arrow::Compression::type codec, CodecOf(options.compression));
  auto writer = std::make_unique<FileParquetWriter>(std::move(file), schema);
  TM_RETURN_IF_ERROR(writer->Start(codec, options.row_group_rows));
  std::unique_ptr<ParquetWriter> out = std::move(writer);
  return out;
}

Status CheckParquetCompression(const std::string& name) { return CodecOf(name).status(); }

}  // namespace tidemill
