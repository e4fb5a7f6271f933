#include "connect/filesystem/line_reader.h"

#include <algorithm>
#include <cstring>

#include "base/errors.h"

namespace tidemill {
namespace {

constexpr size_t kReadBytes = 1 << 20;
constexpr size_t kBufferBytesMax = 4 << 20;  // read ahead no further for one call

bool IsBlankLine(std::string_view line) { return line.find_first_not_of(" \t\r") == std::string_view::npos; }

}  // namespace

Status LineReader::Seek(LinePosition position) {
  TM_ASSIGN_OR_RETURN(const bool there, stream_->Skip(position.byte));
  if (!there) {
    return Status(kCorruption, "the file is shorter than when it was read before: it has less than " +
                                   std::to_string(position.byte) + " bytes");
  }
  next_ = position;
  started_ = position.byte > 0;
  return Status::OK();
}

Status LineReader::Fill() {
  const size_t size = buffer_.size();
  buffer_.resize(size + kReadBytes);
  TM_ASSIGN_OR_RETURN(const int64_t read, stream_->Read(buffer_.data() + size, static_cast<int64_t>(kReadBytes)));
  buffer_.resize(size + static_cast<size_t>(read));
  stream_ended_ = read == 0;
  if (!started_ && buffer_.size() >= 3) {
    started_ = true;
    if (buffer_.starts_with("\xEF\xBB\xBF")) {
      begin_ = 3;
      next_.byte = 3;
    }
  }
  return Status::OK();
}

// The end of the line that starts at `from`, when it is in the buffer; `line_ends` inside it (quoted ones).
bool LineReader::FindEnd(size_t from, size_t& end, int64_t& line_ends) {
  const char* const begin = buffer_.data() + from;
  const void* const found = std::memchr(begin, '\n', buffer_.size() - from);
  const char* const line_end = found != nullptr ? static_cast<const char*>(found) : buffer_.data() + buffer_.size();
  const auto has = [&](char c) {
    return c != 0 && std::memchr(begin, c, static_cast<size_t>(line_end - begin)) != nullptr;
  };
  if (!has(options_.quote) && !has(options_.escape)) {
    end = static_cast<size_t>(line_end - buffer_.data());
    return found != nullptr;
  }
  bool quoted = false;
  bool field_start = true;
  line_ends = 0;
  for (size_t i = from; i < buffer_.size(); ++i) {
    const char c = buffer_[i];
    if (options_.escape != 0 && c == options_.escape) {
      ++i;
      field_start = false;
    } else if (quoted) {
      if (c == options_.quote) quoted = false;  // a doubled one opens again at once
      line_ends += c == '\n';
      field_start = c == options_.quote;
    } else if (c == options_.quote && field_start) {
      quoted = true;
    } else if (c == '\n') {
      end = i;
      return true;
    } else {
      field_start = c == options_.delimiter;
    }
  }
  return false;
}

// The next line is too long: forgets all of it but its front and finds its end, the next line end whatever the quotes
// say.
Status LineReader::SkipRestOfLine() {
  const size_t kept = begin_ + static_cast<size_t>(options_.line_bytes_max) + 1;
  size_t from = kept;
  for (;;) {
    const void* found =
        from < buffer_.size() ? std::memchr(buffer_.data() + from, '\n', buffer_.size() - from) : nullptr;
    if (found != nullptr) {
      const size_t end = static_cast<size_t>(static_cast<const char*>(found) - buffer_.data());
      next_.byte += static_cast<int64_t>(end - from);
      buffer_.erase(kept, end - kept);
      return Status::OK();
    }
    next_.byte += static_cast<int64_t>(buffer_.size() - from);
    buffer_.resize(kept);
    from = kept;
    if (stream_ended_) return Status::OK();
    TM_RETURN_IF_ERROR(Fill());
  }
}

Status LineReader::Read(int lines_max, std::vector<Line>& out) {
  out.clear();
  buffer_.erase(0, begin_);
  begin_ = 0;
  struct Span {
    size_t begin;
    size_t end;
    LinePosition start;
  };
  std::vector<Span> spans;
  while (static_cast<int>(spans.size()) < lines_max) {
    size_t end = 0;
    int64_t inner = 0;
    const bool found = FindEnd(begin_, end, inner);
    if (!found && !stream_ended_) {
      const size_t unfinished = buffer_.size() - begin_;
      if (unfinished <= static_cast<size_t>(options_.line_bytes_max)) {
        if (!spans.empty() && buffer_.size() >= kBufferBytesMax) break;
        TM_RETURN_IF_ERROR(Fill());
        continue;
      }
      const LinePosition start = next_;
      TM_RETURN_IF_ERROR(SkipRestOfLine());
      end = begin_ + static_cast<size_t>(options_.line_bytes_max) + 1;
      spans.push_back({begin_, end, start});
      next_.byte += static_cast<int64_t>(end - begin_);
      begin_ = end;
      if (begin_ < buffer_.size()) {  // the line end
        ++begin_;
        ++next_.byte;
      }
      ++next_.line;
      break;
    }
    if (!found) {
      end = buffer_.size();
      if (end == begin_) break;
    }
    const std::string_view text(buffer_.data() + begin_, end - begin_);
    if (!IsBlankLine(text)) spans.push_back({begin_, end, next_});
    const size_t after = std::min(end + 1, buffer_.size());
    next_.byte += static_cast<int64_t>(after - begin_);
    next_.line += 1 + inner;
    begin_ = after;
  }
  // Whether anything but blanks follows is known only when the rest of the buffer shows it.
  while (begin_ >= buffer_.size() && !stream_ended_) {
    if (!spans.empty()) {
      // Filling may move the buffer, but spans are offsets.
      TM_RETURN_IF_ERROR(Fill());
    } else {
      buffer_.clear();
      begin_ = 0;
      TM_RETURN_IF_ERROR(Fill());
    }
  }
  at_end_ = stream_ended_ && begin_ >= buffer_.size();
  out.reserve(spans.size());
  for (const Span& span : spans)
    out.push_back({std::string_view(buffer_).substr(span.begin, span.end - span.begin), span.start});
  return Status::OK();
}

}  // namespace tidemill
