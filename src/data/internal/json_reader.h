#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "data/internal/column_writer.h"
#include "data/internal/format_options.h"
#include "data/reject.h"
#include "data/schema.h"

namespace tidemill {

inline constexpr size_t kRejectRawBytesMax = 64 << 10;

struct JsonError {
  RejectReason reason = RejectReason::kMalformed;
  std::string field;
  std::string detail;
};

// Walks the structural positions of JSON text (JsonIndex) and writes the wanted fields into columns. Fields are
// expected in the order in which they came last time; when they do, finding the column is one comparison. What is not
// wanted is skipped by structure: brackets must match and a scalar must start like one, but it is not parsed.
class JsonReader {
 public:
  // `writers` are the columns of `schema`; they outlive the reader.
  JsonReader(const Schema& schema, std::vector<ColumnWriter>& writers, const JsonOptions& options);
  ~JsonReader();

  void SetText(std::string_view text, const uint32_t* positions) {
    text_ = text.data();
    readable_end_ = text.data() + text.size();
    positions_ = positions;
  }
  // Structure at or behind `end` belongs to the next message.
  void SetEnd(uint32_t end) { end_ = end; }
  // The structural character number `at`, 0 behind the end of the message.
  char CharAt(size_t at) const { return positions_[at] < end_ ? text_[positions_[at]] : '\0'; }

  bool AtEnd(size_t at) const { return positions_[at] >= end_; }
  // The scalar at `at` as it is written.
  std::string_view TokenAt(size_t at) const;
  // What is left of the message from `at` on.
  std::string_view RestFrom(size_t at) const { return {text_ + positions_[at], end_ - std::min(positions_[at], end_)}; }
  // The value at `at` as it is written; `at` moves behind it.
  bool TextOfValue(size_t& at, std::string_view& text);
  // Moves `at` behind the value there.
  bool SkipValue(size_t& at);
  // Calls found(key as it is written, at of the value) for each member of the object at `at`, which moves behind it.
  template <typename Found>
  bool ForEachMember(size_t& at, Found&& found) {
    if (CharAt(at) != '{') return FailMalformed(at, "an object");
    ++at;
    if (CharAt(at) == '}') return ++at, true;
    for (;;) {
      std::string_view key;
      if (!ReadKey(at, key)) return false;
      found(key, at);
      if (!SkipValue(at)) return false;
      const char separator = CharAt(at);
      if (separator != ',' && separator != '}') return FailMalformed(at, "',' or '}'");
      ++at;
      if (separator == '}') return true;
    }
  }
  // How the values of a column, or of the elements of an ARRAY there, are written; until the next call for it.
  void SetCoding(size_t column, const JsonCoding& coding);

  // Reads the object at `at` into every column at `row`; `at` moves behind it. False: error() says why, and the row is
  // to be given up.
  bool ReadRow(int64_t row, size_t& at);
  const JsonError& error() const { return error_; }
  // Sets error() to "expected <what>, found <what is at `at`>"; always false.
  bool FailMalformed(size_t at, std::string_view expected);
  bool Fail(RejectReason reason, std::string detail);

 private:
  struct Column;
  struct Object;
  struct ExpectedKey;

  static std::unique_ptr<Column> MakeColumn(std::string name, ColumnWriter* writer, const JsonCoding& coding);
  bool ReadKey(size_t& at, std::string_view& key);
  bool ReadFields(Object& object, int64_t row, size_t& at);
  int FindField(Object& object, size_t ordinal, uint32_t key_begin, size_t key_length);
  int FindUnexpectedField(Object& object, size_t ordinal, std::string_view key);
  bool ReadValue(Column& column, int64_t row, size_t& at);
  bool ReadList(Column& column, int64_t row, size_t& at);
  bool ReadMap(Column& column, int64_t row, size_t& at);
  bool ReadScalar(Column& column, int64_t row, size_t at);
  bool ReadNumber(Column& column, int64_t row, std::string_view token);
  bool ReadString(Column& column, int64_t row, std::string_view raw);
  bool ReadLiteral(Column& column, int64_t row, std::string_view token);
  bool ReadTime(Column& column, int64_t row, int64_t value);
  bool ReadDecimalBytes(Column& column, int64_t row, std::string_view base64, int scale);
  bool ReadVariableDecimal(Column& column, int64_t row, size_t& at);
  bool Skip(size_t& at);
  bool SkipNested(size_t& at);

  bool FailConversion(Conversion conversion, const Column& column, std::string_view found);
  bool FailStatus(const Status& status);

  const JsonOptions options_;
  std::unique_ptr<Object> root_;
  const char* text_ = nullptr;
  const char* readable_end_ = nullptr;
  const uint32_t* positions_ = nullptr;
  uint32_t end_ = 0;
  uint64_t serial_ = 0;  // of the object being read: marks which columns it has set
  std::string scratch_;
  JsonError error_;
};

}  // namespace tidemill
