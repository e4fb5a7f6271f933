#pragma once

#include <memory>

#include "base/file_system.h"
#include "base/status.h"
#include "connect/filesystem/file_options.h"
#include "data/batch.h"
#include "data/schema.h"

namespace tidemill {

// A file of rows that is being written, in any format. One thread at a time.
class RowFile {
 public:
  static Result<std::unique_ptr<RowFile>> Open(std::unique_ptr<WritableFile> file, const std::string& format,
                                               const Schema& schema, const FileTableOptions& options);
  virtual ~RowFile() = default;
  virtual Status Write(const Batch& batch) = 0;
  virtual int64_t num_bytes() const = 0;
  // Writes what is left, syncs and closes.
  virtual Status Finish() = 0;
};

}  // namespace tidemill
