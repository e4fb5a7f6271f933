#include "feature/internal/arrow_files.h"

#include <arrow/api.h>

namespace tidemill {
namespace {

constexpr size_t kWriteBufferBytes = 1 << 20;

arrow::Status ToArrowStatus(const Status& status) {
  return status.ok() ? arrow::Status::OK() : arrow::Status::IOError(status.ToString());
}

class InputFile final : public arrow::io::RandomAccessFile {
 public:
  InputFile(std::unique_ptr<ReadableFile> file, int64_t size) : file_(std::move(file)), size_(size) {}
  arrow::Status Close() override {
    closed_ = true;
    return arrow::Status::OK();
  }
  bool closed() const override { return closed_; }
  arrow::Result<int64_t> Tell() const override { return position_; }
  arrow::Status Seek(int64_t position) override {
    position_ = position;
    return arrow::Status::OK();
  }
  arrow::Result<int64_t> GetSize() override { return size_; }
  arrow::Result<int64_t> ReadAt(int64_t position, int64_t bytes, void* out) override {
    Result<int64_t> read = file_->ReadAt(position, bytes, static_cast<char*>(out));
    if (!read.ok()) return ToArrowStatus(read.status());
    return *read;
  }
  arrow::Result<std::shared_ptr<arrow::Buffer>> ReadAt(int64_t position, int64_t bytes) override {
    ARROW_ASSIGN_OR_RAISE(auto buffer, arrow::AllocateResizableBuffer(bytes));
    ARROW_ASSIGN_OR_RAISE(const int64_t read, ReadAt(position, bytes, buffer->mutable_data()));
    ARROW_RETURN_NOT_OK(buffer->Resize(read));
    return std::shared_ptr<arrow::Buffer>(std::move(buffer));
  }
  arrow::Result<int64_t> Read(int64_t bytes, void* out) override {
    ARROW_ASSIGN_OR_RAISE(const int64_t read, ReadAt(position_, bytes, out));
    position_ += read;
    return read;
  }
  arrow::Result<std::shared_ptr<arrow::Buffer>> Read(int64_t bytes) override {
    ARROW_ASSIGN_OR_RAISE(auto buffer, ReadAt(position_, bytes));
    position_ += buffer->size();
    return buffer;
  }

 private:
  std::unique_ptr<ReadableFile> file_;
  int64_t size_;
  int64_t position_ = 0;
  bool closed_ = false;
};

}  // namespace

Result<std::shared_ptr<arrow::io::RandomAccessFile>> OpenArrowFile(FileSystem& files, const std::string& path) {
  TM_ASSIGN_OR_RETURN(std::unique_ptr<ReadableFile> file, files.OpenReadable(path));
  TM_ASSIGN_OR_RETURN(const int64_t size, file->Size());
  return std::shared_ptr<arrow::io::RandomAccessFile>(std::make_shared<InputFile>(std::move(file), size));
}

arrow::Status FeatureOutputFile::Close() {
  closed_ = true;
  return arrow::Status::OK();
}

arrow::Status FeatureOutputFile::Write(const void* data, int64_t bytes) {
  position_ += bytes;
  buffer_.append(static_cast<const char*>(data), static_cast<size_t>(bytes));
  return buffer_.size() < kWriteBufferBytes ? arrow::Status::OK() : Flush();
}

arrow::Status FeatureOutputFile::Flush() {
  if (error_.ok()) error_ = file_->Append(buffer_);
  buffer_.clear();
  return ToArrowStatus(error_);
}

Result<int64_t> FeatureOutputFile::Finish() {
  if (!Flush().ok()) return error_;
  TM_RETURN_IF_ERROR(file_->Sync());
  const int64_t size = file_->size();
  TM_RETURN_IF_ERROR(file_->Close());
  return size;
}

}  // namespace tidemill
