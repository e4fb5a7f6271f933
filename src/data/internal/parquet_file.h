#pragma once

#include <memory>

#include <arrow/io/interfaces.h>

#include "base/file_system.h"

namespace tidemill {

// Our files for Arrow's readers and writers. An error of ours goes through Arrow as text; `error()` keeps the original.
class ParquetInputFile final : public arrow::io::RandomAccessFile {
 public:
  explicit ParquetInputFile(std::unique_ptr<ReadableFile> file, int64_t size) : file_(std::move(file)), size_(size) {}

  arrow::Result<int64_t> GetSize() override { return size_; }
  arrow::Result<int64_t> ReadAt(int64_t position, int64_t length, void* out) override;
  arrow::Result<std::shared_ptr<arrow::Buffer>> ReadAt(int64_t position, int64_t length) override;
  arrow::Result<int64_t> Read(int64_t length, void* out) override;
  arrow::Result<std::shared_ptr<arrow::Buffer>> Read(int64_t length) override;
  arrow::Status Seek(int64_t position) override;
  arrow::Result<int64_t> Tell() const override { return position_; }
  arrow::Status Close() override;
  bool closed() const override { return file_ == nullptr; }
  const Status& error() const { return error_; }

 private:
  std::unique_ptr<ReadableFile> file_;
  int64_t size_;
  int64_t position_ = 0;
  Status error_;
};

class ParquetOutputFile final : public arrow::io::OutputStream {
 public:
  explicit ParquetOutputFile(std::unique_ptr<WritableFile> file) : file_(std::move(file)) {}

  arrow::Status Write(const void* data, int64_t length) override;
  arrow::Result<int64_t> Tell() const override { return file_->size(); }
  arrow::Status Close() override { return arrow::Status::OK(); }  // ParquetWriter::Finish syncs and closes
  bool closed() const override { return false; }
  const Status& error() const { return error_; }
  WritableFile& file() { return *file_; }

 private:
  std::unique_ptr<WritableFile> file_;
  Status error_;
};

}  // namespace tidemill
