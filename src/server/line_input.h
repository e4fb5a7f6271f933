#pragma once

#include <string>

#include "base/status.h"

namespace tidemill {

// Lines of standard input or a file, read in large pieces. Knows whether reading on would wait for whoever writes.
class LineInput {
 public:
  // "-" is standard input. kFileNotFound, kPermissionDenied.
  static Result<LineInput> Open(const std::string& path);
  ~LineInput();
  LineInput(LineInput&& other) noexcept;
  LineInput(const LineInput&) = delete;
  LineInput& operator=(const LineInput&) = delete;

  // The next line without its line break; false at the end, or when reading failed (`error`). The last line needs no
  // line break.
  bool Next(std::string* line);
  // True when no further line has come and none is there to read at once.
  bool WouldWait();
  const Status& error() const { return error_; }

 private:
  LineInput(int fd, bool owned) : fd_(fd), owned_(owned) {}
  bool Fill();

  int fd_;
  bool owned_;
  bool ended_ = false;
  std::string buffer_;
  size_t at_ = 0;
  Status error_;
};

}  // namespace tidemill
