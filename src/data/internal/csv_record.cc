#include "data/internal/csv_record.h"

#include <cstring>

namespace tidemill {

CsvRecord::Next CsvRecord::Read(std::string_view& text, bool& quoted) {
  if (done_) return Next::kEnd;
  quoted = options_.quoting && at_ < end_ && *at_ == options_.quote;
  if (quoted) return ReadQuoted(text);
  const void* const found =
      at_ < end_ ? std::memchr(at_, options_.field_delimiter, static_cast<size_t>(end_ - at_)) : nullptr;
  const char* stop = found != nullptr ? static_cast<const char*>(found) : end_;
  text = {at_, static_cast<size_t>(stop - at_)};
  if (options_.escape != 0 && text.find(options_.escape) != std::string_view::npos) {
    unescaped_.clear();
    const char* p = at_;
    for (; p < end_ && *p != options_.field_delimiter; ++p) {
      if (*p == options_.escape && p + 1 < end_) ++p;
      unescaped_ += *p;
    }
    stop = p;
    text = unescaped_;
  }
  done_ = stop == end_;
  at_ = done_ ? end_ : stop + 1;
  return Next::kField;
}

CsvRecord::Next CsvRecord::ReadQuoted(std::string_view& text) {
  const char* p = at_ + 1;
  const char* const begin = p;
  bool copied = false;
  for (;; ++p) {
    if (p >= end_) return Next::kBadQuote;
    if (*p == options_.quote) {
      if (p + 1 >= end_ || p[1] != options_.quote) break;
    } else if (options_.escape == 0 || *p != options_.escape || p + 1 >= end_) {
      if (copied) unescaped_ += *p;
      continue;
    }
    if (!copied) {
      unescaped_.assign(begin, p);
      copied = true;
    }
    unescaped_ += *++p;
  }
  text = copied ? std::string_view(unescaped_) : std::string_view(begin, static_cast<size_t>(p - begin));
  ++p;
  if (p < end_ && *p != options_.field_delimiter) return Next::kBadQuote;
  done_ = p >= end_;
  at_ = done_ ? end_ : p + 1;
  return Next::kField;
}

}  // namespace tidemill
