#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/file_system.h"
#include "base/status.h"

namespace tidemill {

// A file's content from front to back, decompressed. Not thread-safe.
class ByteStream {
 public:
  virtual ~ByteStream() = default;
  // Up to `length` bytes; 0 only at the end.
  virtual Result<int64_t> Read(char* out, int64_t length) = 0;
  // Moves on without giving bytes; false when the content ends before that.
  virtual Result<bool> Skip(int64_t bytes) = 0;
};

// Gzip (several members in a row too) when the name ends in .gz. kCorruption for a damaged one.
Result<std::unique_ptr<ByteStream>> OpenByteStream(FileSystem& fs, const std::string& path);

}  // namespace tidemill
