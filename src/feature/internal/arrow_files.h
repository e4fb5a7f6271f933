#pragma once

#include <memory>
#include <string>

#include <arrow/io/interfaces.h>

#include "base/file_system.h"
#include "base/status.h"

namespace tidemill {

// A file of a FileSystem as Arrow's readers take it.
Result<std::shared_ptr<arrow::io::RandomAccessFile>> OpenArrowFile(FileSystem& files, const std::string& path);

// A WritableFile as Arrow's writers take it. Gathers small writes; keeps our own error for the caller.
class FeatureOutputFile final : public arrow::io::OutputStream {
 public:
  explicit FeatureOutputFile(std::unique_ptr<WritableFile> file) : file_(std::move(file)) {}
  arrow::Status Close() override;
  bool closed() const override { return closed_; }
  arrow::Result<int64_t> Tell() const override { return position_; }
  arrow::Status Write(const void* data, int64_t bytes) override;
  arrow::Status Flush() override;
  // Flushes, syncs, closes. Returns the size.
  Result<int64_t> Finish();
  const Status& error() const { return error_; }

 private:
  std::unique_ptr<WritableFile> file_;
  std::string buffer_;
  int64_t position_ = 0;
  bool closed_ = false;
  Status error_;
};

}  // namespace tidemill
