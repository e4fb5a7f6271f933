#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "connect/filesystem/byte_stream.h"

namespace tidemill {

// Where a line starts. Lines count from 1.
struct LinePosition {
  int64_t byte = 0;
  int64_t line = 1;
};

struct Line {
  std::string_view bytes;  // without its line end
  LinePosition start;
};

// Cuts a byte stream into lines (or CSV records, which may hold line ends in quotes). Memory stays within some 4 MiB
// plus one line of `line_bytes_max`: a longer line is given cut off after line_bytes_max + 1 bytes, so that who decodes
// it sees that it is too large. Blank lines and a byte order mark at the start are left out. Not thread-safe.
class LineReader {
 public:
  struct Options {
    int64_t line_bytes_max = int64_t{8} << 20;
    // CSV. A quote opens a field only at its start; 0: line ends always end a line. One that is never closed takes the
    // lines up to the next quote with it.
    char quote = 0;
    char delimiter = ',';
    char escape = 0;
  };
  LineReader(std::unique_ptr<ByteStream> stream, Options options) : stream_(std::move(stream)), options_(options) {}

  // Before the first Read. kCorruption when the file is shorter than that.
  Status Seek(LinePosition position);
  // Up to `lines_max` next lines into `out`; none only at the end. Views live until the next call.
  Status Read(int lines_max, std::vector<Line>& out);
  // Of the next line.
  LinePosition position() const { return next_; }
  // True once nothing but blank lines follows; known after the Read that took the last line.
  bool at_end() const { return at_end_; }

 private:
  Status Fill();
  bool FindEnd(size_t from, size_t& end, int64_t& line_ends);
  Status SkipRestOfLine();

  std::unique_ptr<ByteStream> stream_;
  Options options_;
  std::string buffer_;
  size_t begin_ = 0;  // of the next line in buffer_
  LinePosition next_;
  bool stream_ended_ = false;
  bool at_end_ = false;
  bool started_ = false;
};

}  // namespace tidemill
