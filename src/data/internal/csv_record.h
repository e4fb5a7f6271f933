#pragma once

#include <string>
#include <string_view>

#include "data/internal/format_options.h"

namespace tidemill {

// Walks the fields of one CSV record (RFC 4180: quoted fields may hold delimiters, line ends and doubled quotes).
class CsvRecord {
 public:
  CsvRecord(std::string_view record, const CsvOptions& options)
      : at_(record.data()), end_(record.data() + record.size()), options_(options) {}

  enum class Next : uint8_t { kField, kEnd, kBadQuote };
  // The next field; `text` lives until the next call. A record always has at least one field, which may be empty.
  Next Read(std::string_view& text, bool& quoted);

 private:
  Next ReadQuoted(std::string_view& text);

  const char* at_;
  const char* end_;
  const CsvOptions& options_;
  bool done_ = false;
  std::string unescaped_;
};

}  // namespace tidemill
