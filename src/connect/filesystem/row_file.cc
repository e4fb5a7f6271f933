#include "connect/filesystem/row_file.h"

#include "data/format.h"
#include "data/parquet_writer.h"

namespace tidemill {
namespace {

constexpr size_t kWriteBytes = 256 << 10;

class ParquetRowFile final : public RowFile {
 public:
  explicit ParquetRowFile(std::unique_ptr<ParquetWriter> writer) : writer_(std::move(writer)) {}
  Status Write(const Batch& batch) override { return writer_->Write(batch); }
  int64_t num_bytes() const override { return writer_->num_bytes(); }
  Status Finish() override { return writer_->Finish(); }

 private:
  std::unique_ptr<ParquetWriter> writer_;
};

class TextRowFile final : public RowFile {
 public:
  TextRowFile(std::unique_ptr<WritableFile> file, std::unique_ptr<RowEncoder> encoder, std::string header)
      : file_(std::move(file)), encoder_(std::move(encoder)), buffer_(std::move(header)) {}

  Status Write(const Batch& batch) override {
    encoded_.clear();
    TM_RETURN_IF_ERROR(encoder_->Encode(batch, encoded_, ends_));
    size_t begin = 0;
    for (const size_t end : ends_) {
      buffer_.append(encoded_, begin, end - begin);
      buffer_ += '\n';
      begin = end;
    }
    return buffer_.size() >= kWriteBytes ? Flush() : Status::OK();
  }
  int64_t num_bytes() const override { return file_->size() + static_cast<int64_t>(buffer_.size()); }
  Status Finish() override {
    TM_RETURN_IF_ERROR(Flush());
    TM_RETURN_IF_ERROR(file_->Sync());
    return file_->Close();
  }

 private:
  Status Flush() {
    TM_RETURN_IF_ERROR(file_->Append(buffer_));
    buffer_.clear();
    return Status::OK();
  }

  std::unique_ptr<WritableFile> file_;
  std::unique_ptr<RowEncoder> encoder_;
  std::string buffer_;
  std::string encoded_;
  std::vector<size_t> ends_;
};

}  // namespace

Result<std::unique_ptr<RowFile>> RowFile::Open(std::unique_ptr<WritableFile> file, const std::string& format,
                                               const Schema& schema, const FileTableOptions& options) {
  std::unique_ptr<RowFile> out;
  if (format == "parquet") {
    TM_ASSIGN_OR_RETURN(auto writer, ParquetWriter::Open(std::move(file), schema, options.parquet));
    out = std::make_unique<ParquetRowFile>(std::move(writer));
    return out;
  }
  const Config format_options = options.FormatOptions(format);
  TM_ASSIGN_OR_RETURN(auto encoder, MakeRowEncoder(format, schema, format_options));
  std::string header;
  if (format == "csv" && format_options.GetString("header", "auto") == "true") {
    TM_RETURN_IF_ERROR(AppendCsvHeader(schema, format_options, header));
    header += '\n';
  }
  out = std::make_unique<TextRowFile>(std::move(file), std::move(encoder), std::move(header));
  return out;
}

}  // namespace tidemill
