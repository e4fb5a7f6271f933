#include "data/internal/parquet_file.h"

#include <algorithm>

#include <arrow/buffer.h>
#include <arrow/status.h>

namespace tidemill {

arrow::Result<int64_t> ParquetInputFile::ReadAt(int64_t position, int64_t length, void* out) {
  if (!file_) return arrow::Status::Invalid("file is closed");
  auto read = file_->ReadAt(position, length, static_cast<char*>(out));
  if (read.ok()) return *read;
  error_ = read.status();
  return arrow::Status::IOError(error_.message());
}

arrow::Result<std::shared_ptr<arrow::Buffer>> ParquetInputFile::ReadAt(int64_t position, int64_t length) {
  // A damaged footer can name any length: never more than the file has.
  length = std::clamp<int64_t>(length, 0, std::max<int64_t>(size_ - position, 0));
  ARROW_ASSIGN_OR_RAISE(auto buffer, arrow::AllocateResizableBuffer(length));
  ARROW_ASSIGN_OR_RAISE(const int64_t read, ReadAt(position, length, buffer->mutable_data()));
  ARROW_RETURN_NOT_OK(buffer->Resize(read));
  return buffer;
}

arrow::Result<int64_t> ParquetInputFile::Read(int64_t length, void* out) {
  ARROW_ASSIGN_OR_RAISE(const int64_t read, ReadAt(position_, length, out));
  position_ += read;
  return read;
}

arrow::Result<std::shared_ptr<arrow::Buffer>> ParquetInputFile::Read(int64_t length) {
  ARROW_ASSIGN_OR_RAISE(auto buffer, ReadAt(position_, length));
  position_ += buffer->size();
  return buffer;
}

arrow::Status ParquetInputFile::Seek(int64_t position) {
  position_ = position;
  return arrow::Status::OK();
}

arrow::Status ParquetInputFile::Close() {
  file_.reset();
  return arrow::Status::OK();
}

arrow::Status ParquetOutputFile::Write(const void* data, int64_t length) {
  Status status = file_->Append({static_cast<const char*>(data), static_cast<size_t>(length)});
  if (status.ok()) return arrow::Status::OK();
  error_ = status;
  return arrow::Status::IOError(error_.message());
}

}  // namespace tidemill
