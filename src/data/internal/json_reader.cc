#include "data/internal/json_reader.h"

#include <algorithm>
#include <array>
#include <unordered_map>
#include <unordered_set>

#include "base/base64.h"
#include "data/internal/decimal_bytes.h"
#include "data/internal/json_text.h"

namespace tidemill {
namespace {

constexpr size_t kDepthMax = 512;
constexpr size_t kExpectedKeysMax = 1024;

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// What a value's first character makes of it.
enum class Start : uint8_t { kBad, kString, kScalar, kOpen };

constexpr std::array<Start, 256> MakeStarts() {
  std::array<Start, 256> table{};
  table['"'] = Start::kString;
  for (const char c : {'-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 't', 'f', 'n'})
    table[static_cast<size_t>(c)] = Start::kScalar;
  table['{'] = table['['] = Start::kOpen;
  return table;
}
constexpr std::array<Start, 256> kStarts = MakeStarts();

Start StartOf(char c) { return kStarts[static_cast<unsigned char>(c)]; }

std::string Shortened(std::string_view text) {
  constexpr size_t kShown = 64;
  if (text.size() <= kShown) return std::string(text);
  return std::string(text.substr(0, kShown)) + "...";
}

}  // namespace

struct JsonReader::Column {
  std::string name;
  ColumnWriter* writer = nullptr;
  JsonCoding coding;
  uint64_t stamp = 0;                          // serial of the last object that set it
  std::unique_ptr<Object> fields;              // ROW
  std::vector<std::unique_ptr<Column>> parts;  // ARRAY: element; MAP and MULTISET: key, value
};

// The key seen at one place of the last object, for comparison 16 bytes at a time.
struct JsonReader::ExpectedKey {
  uint64_t words[2] = {0, 0};
  uint64_t masks[2] = {0, 0};
  size_t length = SIZE_MAX;
  int column = -1;
  std::string rest;  // from byte 16 on
};

struct JsonReader::Object {
  std::vector<std::unique_ptr<Column>> columns;
  std::unordered_map<std::string_view, int> by_name;  // names of `columns`
  std::vector<ExpectedKey> expected;
};

std::unique_ptr<JsonReader::Column> JsonReader::MakeColumn(std::string name, ColumnWriter* writer,
                                                           const JsonCoding& coding) {
  auto column = std::make_unique<Column>();
  column->name = std::move(name);
  column->writer = writer;
  column->coding = coding;
  auto& children = writer->children();
  if (writer->kind() == TypeKind::kRow) {
    column->fields = std::make_unique<Object>();
    for (size_t i = 0; i < children.size(); ++i) {
      const std::string& child = writer->type().children()[i].name;
      column->fields->columns.push_back(MakeColumn(child, &children[i], coding));
      column->fields->by_name.emplace(column->fields->columns.back()->name, static_cast<int>(i));
    }
  } else {
    for (ColumnWriter& child : children) column->parts.push_back(MakeColumn("", &child, coding));
  }
  return column;
}

JsonReader::JsonReader(const Schema& schema, std::vector<ColumnWriter>& writers, const JsonOptions& options)
    : options_(options), root_(std::make_unique<Object>()) {
  for (int i = 0; i < schema.num_fields(); ++i) {
    root_->columns.push_back(MakeColumn(schema.field(i).name, &writers[i], options.coding));
    root_->by_name.emplace(root_->columns.back()->name, i);
  }
}

JsonReader::~JsonReader() = default;

bool JsonReader::ReadRow(int64_t row, size_t& at) {
  if (CharAt(at) != '{') return FailMalformed(at, "an object");
  return ReadFields(*root_, row, at);
}

void JsonReader::SetCoding(size_t column, const JsonCoding& coding) {
  Column* at = root_->columns[column].get();
  at->coding = coding;
  while (at->writer->kind() == TypeKind::kArray) {
    at = at->parts[0].get();
    at->coding = coding;
  }
}

bool JsonReader::TextOfValue(size_t& at, std::string_view& text) {
  const size_t first = at;
  if (!SkipValue(at)) return false;
  text = StartOf(CharAt(first)) == Start::kOpen
             ? std::string_view(text_ + positions_[first], positions_[at - 1] + 1 - positions_[first])
             : TokenAt(first);
  return true;
}

// Moves from a key to the value behind it.
bool JsonReader::ReadKey(size_t& at, std::string_view& key) {
  if (positions_[at + 3] >= end_) return FailMalformed(at + 3, "a field");
  if (text_[positions_[at]] != '"') return FailMalformed(at, "a key");
  if (text_[positions_[at + 1]] != ':') return FailMalformed(at + 1, "':'");
  const std::string_view token = TokenAt(at);
  key = token.size() < 2 ? std::string_view() : token.substr(1, token.size() - 2);
  at += 2;
  return true;
}

inline bool JsonReader::Skip(size_t& at) {
  const Start start = StartOf(CharAt(at));
  if (start == Start::kString || start == Start::kScalar) [[likely]] {
    ++at;
    return true;
  }
  return start == Start::kOpen ? SkipNested(at) : FailMalformed(at, "a value");
}

bool JsonReader::SkipValue(size_t& at) { return Skip(at); }

inline int JsonReader::FindField(Object& object, size_t ordinal, uint32_t key_begin, size_t key_length) {
  const char* const key = text_ + key_begin;
  if (ordinal < object.expected.size() && object.expected[ordinal].length == key_length && key + 16 <= readable_end_)
      [[likely]] {
    const ExpectedKey& expected = object.expected[ordinal];
    uint64_t words[2];
    std::memcpy(words, key, 16);
    const uint64_t differs =
        ((words[0] ^ expected.words[0]) & expected.masks[0]) | ((words[1] ^ expected.words[1]) & expected.masks[1]);
    if (differs == 0 && (key_length <= 16 || std::memcmp(key + 16, expected.rest.data(), key_length - 16) == 0))
      return expected.column;
  }
  return FindUnexpectedField(object, ordinal, {key, key_length});
}

bool JsonReader::ReadFields(Object& object, int64_t row, size_t& at) {
  const uint64_t serial = ++serial_;
  size_t set = 0;
  ++at;
  if (CharAt(at) == '}') {
    ++at;
  } else {
    for (size_t ordinal = 0;; ++ordinal) {
      // Key, colon, value and what follows it: positions ascend, so when the last is inside the message all are.
      if (positions_[at + 3] >= end_) [[unlikely]]
        return FailMalformed(at + 3, "a field");
      const uint32_t key_begin = positions_[at] + 1;
      const uint32_t colon = positions_[at + 1];
      if (text_[key_begin - 1] != '"' || text_[colon] != ':') [[unlikely]] {
        return FailMalformed(text_[key_begin - 1] != '"' ? at : at + 1, text_[key_begin - 1] != '"' ? "a key" : "':'");
      }
      uint32_t key_end = colon - 1;
      while (text_[key_end] != '"' && key_end > key_begin) --key_end;
      const int index = FindField(object, ordinal, key_begin, key_end - key_begin);
      at += 2;
      if (index < 0) {
        if (!Skip(at)) return false;
      } else {
        Column& column = *object.columns[static_cast<size_t>(index)];
        const size_t value_at = at;
        if (!ReadValue(column, row, at)) [[unlikely]] {
          if (!options_.ignore_parse_errors || error_.reason == RejectReason::kMalformed ||
              !column.writer->type().nullable()) {
            error_.field.insert(0, error_.field.empty() || error_.field[0] == '[' ? column.name : column.name + ".");
            return false;
          }
          column.writer->SetNull(row);
          at = value_at;
          if (!Skip(at)) return false;
        }
        set += column.stamp != serial;
        column.stamp = serial;
      }
      const char separator = CharAt(at);
      ++at;
      if (separator == ',') continue;
      if (separator == '}') break;
      return FailMalformed(at - 1, "',' or '}'");
    }
  }
  if (set == object.columns.size()) return true;
  // Nested objects have moved serial_ on; the stamps of this one's columns are still its own.
  for (const auto& column : object.columns) {
    if (column->stamp == serial) continue;
    if (options_.fail_on_missing_field || !column->writer->type().nullable()) {
      error_.field = column->name;
      return Fail(RejectReason::kMissingField, "the field is missing");
    }
    column->writer->SetNull(row);
  }
  return true;
}

int JsonReader::FindUnexpectedField(Object& object, size_t ordinal, std::string_view key) {
  std::string_view name = key;
  if (key.find('\\') != std::string_view::npos) {
    scratch_.resize(key.size());
    size_t length = 0;
    if (UnescapeJson(key, scratch_.data(), length)) name = std::string_view(scratch_).substr(0, length);
  }
  const auto found = object.by_name.find(name);
  const int column = found == object.by_name.end() ? -1 : found->second;
  if (ordinal < kExpectedKeysMax && key.size() < 1024) {
    if (object.expected.size() <= ordinal) object.expected.resize(ordinal + 1);
    ExpectedKey& expected = object.expected[ordinal];
    expected = {};
    expected.length = key.size();
    expected.column = column;
    const size_t front = std::min<size_t>(key.size(), 16);
    std::memcpy(expected.words, key.data(), front);
    std::memset(expected.masks, 0xFF, front);
    if (key.size() > 16) expected.rest = key.substr(16);
  }
  return column;
}

bool JsonReader::ReadValue(Column& column, int64_t row, size_t& at) {
  switch (StartOf(text_[positions_[at]])) {
    case Start::kString:
    case Start::kScalar:
      if (!ReadScalar(column, row, at)) return false;
      ++at;
      return true;
    case Start::kOpen:
      break;
    case Start::kBad:
      return FailMalformed(at, "a value");
  }
  const bool is_object = text_[positions_[at]] == '{';
  switch (column.writer->kind()) {
    case TypeKind::kRow:
      if (!is_object) break;
      column.writer->MarkRow(row);
      return ReadFields(*column.fields, row, at);
    case TypeKind::kArray:
      if (is_object) break;
      return ReadList(column, row, at);
    case TypeKind::kMap:
    case TypeKind::kMultiset:
      if (!is_object) break;
      return ReadMap(column, row, at);
    case TypeKind::kString: {  // nested JSON in a STRING column stays text
      const uint32_t begin = positions_[at];
      if (!Skip(at)) return false;
      const Status status = column.writer->SetBytes(row, {text_ + begin, positions_[at - 1] + 1 - begin});
      return status.ok() || FailStatus(status);
    }
    case TypeKind::kDecimal:
      if (!is_object || !column.coding.variable_decimal) break;
      return ReadVariableDecimal(column, row, at);
    default:
      break;
  }
  return FailConversion(Conversion::kWrongType, column, is_object ? "an object" : "an array");
}

bool JsonReader::ReadList(Column& column, int64_t row, size_t& at) {
  Column& element = *column.parts[0];
  const int64_t start = column.writer->ListStart(row);
  int64_t count = 0;
  ++at;
  if (CharAt(at) == ']') {
    ++at;
  } else {
    for (bool more = true; more; ++count) {
      if (CharAt(at) == 0) return FailMalformed(at, "a value");
      if (const Status status = element.writer->Reserve(start + count + 1); !status.ok()) return FailStatus(status);
      if (!ReadValue(element, start + count, at)) {
        error_.field.insert(
            0, "[" + std::to_string(count) + "]" + (error_.field.empty() || error_.field[0] == '[' ? "" : "."));
        return false;
      }
      const char separator = CharAt(at);
      if (separator != ',' && separator != ']') return FailMalformed(at, "',' or ']'");
      more = separator == ',';
      ++at;
    }
  }
  if (const Status status = element.writer->Reserve(start + count); !status.ok()) return FailStatus(status);
  column.writer->EndList(row, count);
  return true;
}

bool JsonReader::ReadMap(Column& column, int64_t row, size_t& at) {
  Column& key = *column.parts[0];
  Column& value = *column.parts[1];
  const int64_t start = column.writer->ListStart(row);
  int64_t count = 0;
  ++at;
  if (CharAt(at) == '}') {
    ++at;
  } else {
    std::unordered_set<std::string_view> seen;
    for (bool more = true; more; ++count) {
      if (positions_[at + 3] >= end_) return FailMalformed(at + 3, "a field");
      if (text_[positions_[at]] != '"' || text_[positions_[at + 1]] != ':') return FailMalformed(at, "a key and ':'");
      const std::string_view token = TokenAt(at);
      const std::string_view name = token.substr(1, token.size() - 2);
      if (!seen.insert(name).second) {
        return Fail(RejectReason::kWrongType, "the key \"" + Shortened(name) + "\" comes twice in a MAP");
      }
      for (Column* part : {&key, &value}) {
        if (const Status status = part->writer->Reserve(start + count + 1); !status.ok()) return FailStatus(status);
      }
      if (!ReadString(key, start + count, name)) return false;
      at += 2;
      if (!ReadValue(value, start + count, at)) {
        error_.field.insert(
            0, "['" + Shortened(name) + "']" + (error_.field.empty() || error_.field[0] == '[' ? "" : "."));
        return false;
      }
      const char separator = CharAt(at);
      if (separator != ',' && separator != '}') return FailMalformed(at, "',' or '}'");
      more = separator == ',';
      ++at;
    }
  }
  for (Column* part : {&key, &value}) {
    if (const Status status = part->writer->Reserve(start + count); !status.ok()) return FailStatus(status);
  }
  column.writer->EndList(row, count);
  return true;
}

// The text of the scalar at `at`, up to the next structure, without the blanks behind it.
std::string_view JsonReader::TokenAt(size_t at) const {
  const uint32_t begin = positions_[at];
  uint32_t end = std::min(positions_[at + 1], end_);
  while (end > begin + 1 && IsBlank(text_[end - 1])) --end;
  return {text_ + begin, end - begin};
}

bool JsonReader::ReadScalar(Column& column, int64_t row, size_t at) {
  const std::string_view token = TokenAt(at);
  switch (token[0]) {
    case '"':
      if (token.size() < 2 || token.back() != '"') return FailMalformed(at, "a string");
      return ReadString(column, row, token.substr(1, token.size() - 2));
    case 't':
    case 'f':
    case 'n':
      return ReadLiteral(column, row, token);
    default:
      return ReadNumber(column, row, token);
  }
}

bool JsonReader::ReadLiteral(Column& column, int64_t row, std::string_view token) {
  if (token == "null") {
    if (!column.writer->type().nullable()) return Fail(RejectReason::kNotNull, "null in a NOT NULL column");
    column.writer->SetNull(row);
    return true;
  }
  const bool is_true = token == "true";
  if (!is_true && token != "false")
    return Fail(RejectReason::kMalformed, "expected a value, found " + Shortened(token));
  if (column.writer->kind() == TypeKind::kBoolean) {
    column.writer->SetBoolean(row, is_true);
    return true;
  }
  if (column.writer->kind() == TypeKind::kString) {
    const Status status = column.writer->SetBytes(row, token);
    return status.ok() || FailStatus(status);
  }
  return FailConversion(Conversion::kWrongType, column, token);
}

bool JsonReader::ReadNumber(Column& column, int64_t row, std::string_view token) {
  ColumnWriter& writer = *column.writer;
  Conversion outcome = Conversion::kWrongType;
  switch (writer.kind()) {
    case TypeKind::kBoolean:  // flags are often written as numbers
      if (token != "0" && token != "1") break;
      writer.SetBoolean(row, token == "1");
      return true;
    case TypeKind::kTinyInt:
    case TypeKind::kSmallInt:
    case TypeKind::kInt:
    case TypeKind::kBigInt:
    case TypeKind::kIntervalDay:
    case TypeKind::kIntervalMonth: {
      int64_t value = 0;
      outcome = ParseJsonInteger(token, value);
      if (outcome == Conversion::kOk) outcome = writer.SetInteger(row, value);
      break;
    }
    case TypeKind::kFloat:
    case TypeKind::kDouble: {
      double value = 0;
      outcome = ParseJsonDouble(token, value);
      if (outcome == Conversion::kOk) outcome = writer.SetDouble(row, value);
      break;
    }
    case TypeKind::kDecimal: {
      arrow::Decimal128 value;
      outcome = IsJsonNumber(token) ? ParseDecimal(token, writer.type().precision(), writer.type().scale(), value)
                                    : Conversion::kMalformed;
      if (outcome == Conversion::kOk) writer.SetDecimal(row, value);
      break;
    }
    case TypeKind::kString: {
      if (!IsJsonNumber(token)) {
        outcome = Conversion::kMalformed;
        break;
      }
      const Status status = writer.SetBytes(row, token);
      return status.ok() || FailStatus(status);
    }
    case TypeKind::kDate:
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampLtz: {
      const bool taken = writer.kind() == TypeKind::kDate   ? column.coding.days
                         : writer.kind() == TypeKind::kTime ? column.coding.time != EpochUnit::kRefused
                                                            : column.coding.timestamp != EpochUnit::kRefused;
      if (!taken) break;
      int64_t value = 0;
      outcome = ParseJsonInteger(token, value);
      if (outcome == Conversion::kOk) return ReadTime(column, row, value);
      break;
    }
    default:
      break;
  }
  if (outcome == Conversion::kOk) return true;
  if (outcome == Conversion::kWrongType && !IsJsonNumber(token)) outcome = Conversion::kMalformed;
  return FailConversion(outcome, column, token);
}

bool JsonReader::ReadString(Column& column, int64_t row, std::string_view raw) {
  ColumnWriter& writer = *column.writer;
  if (writer.kind() == TypeKind::kString) {
    auto room = writer.PrepareBytes(row, raw.size());
    if (!room.ok()) return FailStatus(room.status());
    size_t length = raw.size();
    if (!CopyUnescaped(raw.data(), raw.size(), readable_end_, *room) && !UnescapeJson(raw, *room, length)) {
      return Fail(RejectReason::kMalformed, "a string has an unknown escape or half a surrogate pair");
    }
    writer.CommitBytes(row, length);
    return true;
  }
  if (raw.find('\\') != std::string_view::npos) {
    scratch_.resize(raw.size());
    size_t length = 0;
    if (!UnescapeJson(raw, scratch_.data(), length)) {
      return Fail(RejectReason::kMalformed, "a string has an unknown escape or half a surrogate pair");
    }
    raw = std::string_view(scratch_).substr(0, length);
  }
  if (writer.type().IsTimestamp() && column.coding.timestamp != EpochUnit::kRefused) {
    int64_t value = 0;
    if (ParseJavaInteger(raw, value) == Conversion::kOk) return ReadTime(column, row, value);
  }
  if (writer.kind() == TypeKind::kDecimal && column.coding.base64_decimal) {
    const int scale = column.coding.decimal_scale;
    return ReadDecimalBytes(column, row, raw, scale < 0 ? writer.type().scale() : scale);
  }
  const Conversion outcome = writer.FromText(row, raw, options_.time_syntax);
  return outcome == Conversion::kOk || FailConversion(outcome, column, "string \"" + Shortened(raw) + "\"");
}

bool JsonReader::ReadTime(Column& column, int64_t row, int64_t value) {
  const auto refuse = [&] { return FailConversion(Conversion::kOutOfRange, column, std::to_string(value)); };
  const TypeKind kind = column.writer->kind();
  if (kind == TypeKind::kDate) {
    if (value != static_cast<int32_t>(value)) return refuse();
    column.writer->SetRaw4(row, static_cast<int32_t>(value));
    return true;
  }
  const EpochUnit unit = kind == TypeKind::kTime ? column.coding.time : column.coding.timestamp;
  const int64_t per_second = unit == EpochUnit::kNanos    ? 1'000'000'000
                             : unit == EpochUnit::kMicros ? 1'000'000
                             : unit == EpochUnit::kMillis ? 1000
                                                          : 1;
  int64_t seconds = value / per_second;
  int64_t rest = value % per_second;
  if (rest < 0) {
    rest += per_second;
    --seconds;
  }
  const auto nanos = static_cast<int32_t>(rest * (1'000'000'000 / per_second));
  if (kind == TypeKind::kTime) {
    if (seconds < 0 || seconds >= 86'400) return refuse();
    column.writer->SetRaw4(row, static_cast<int32_t>(seconds * 1000 + nanos / 1'000'000));
    return true;
  }
  int64_t stored = 0;
  if (!TimestampValue(seconds, nanos, column.writer->type().precision(), stored)) return refuse();
  column.writer->SetRaw8(row, stored);
  return true;
}

bool JsonReader::ReadDecimalBytes(Column& column, int64_t row, std::string_view base64, int scale) {
  const auto bytes = DecodeBase64(base64);
  if (!bytes || bytes->empty())
    return FailConversion(Conversion::kWrongType, column, "string \"" + Shortened(base64) + "\", which is not base64");
  const DataType& type = column.writer->type();
  arrow::Decimal128 value;
  if (!DecimalOfBytes(*bytes, value) || !RescaleDecimal(scale, type, value))
    return FailConversion(Conversion::kOutOfRange, column, "\"" + Shortened(base64) + "\"");
  column.writer->SetDecimal(row, value);
  return true;
}

bool JsonReader::ReadVariableDecimal(Column& column, int64_t row, size_t& at) {
  std::string_view scale_text, value;
  if (!ForEachMember(at, [&](std::string_view key, size_t value_at) {
        if (key == "scale") scale_text = TokenAt(value_at);
        if (key == "value") value = TokenAt(value_at);
      }))
    return false;
  int64_t scale = 0;
  if (value.size() < 2 || value[0] != '"' || ParseJsonInteger(scale_text, scale) != Conversion::kOk || scale < -1000 ||
      scale > 1000)
    return FailConversion(Conversion::kWrongType, column, "an object without 'scale' and 'value'");
  return ReadDecimalBytes(column, row, value.substr(1, value.size() - 2), static_cast<int>(scale));
}

bool JsonReader::SkipNested(size_t& at) {
  std::array<char, kDepthMax> open;
  size_t depth = 0;
  do {
    const char c = CharAt(at);
    if (c == 0) return FailMalformed(at, "a closing bracket");
    if (c == '{' || c == '[') {
      if (depth == kDepthMax) return Fail(RejectReason::kTooLarge, "nested deeper than " + std::to_string(kDepthMax));
      open[depth++] = c;
    } else if (c == '}' || c == ']') {
      if (open[--depth] != (c == '}' ? '{' : '[')) return FailMalformed(at, open[depth] == '{' ? "'}'" : "']'");
    }
    ++at;
  } while (depth > 0);
  return true;
}

bool JsonReader::Fail(RejectReason reason, std::string detail) {
  error_.reason = reason;
  error_.detail = std::move(detail);
  if (reason != RejectReason::kMissingField) error_.field.clear();
  return false;
}

bool JsonReader::FailMalformed(size_t at, std::string_view expected) {
  std::string found = "the end";
  if (CharAt(at) != 0) found = Shortened(TokenAt(at));
  return Fail(RejectReason::kMalformed, "expected " + std::string(expected) + ", found " + found);
}

bool JsonReader::FailConversion(Conversion conversion, const Column& column, std::string_view found) {
  const std::string type = column.writer->type().WithNullable(true).ToString();
  const std::string text = Shortened(found);
  switch (conversion) {
    case Conversion::kOutOfRange:
      return Fail(RejectReason::kOutOfRange, text + " is out of range for " + type);
    case Conversion::kMalformed:
      return Fail(RejectReason::kMalformed, "expected a value, found " + text);
    case Conversion::kInvalidUtf8:
      return Fail(RejectReason::kInvalidUtf8, "a string is not valid UTF-8");
    default:
      return Fail(RejectReason::kWrongType, "expected " + type + ", found " + text);
  }
}

bool JsonReader::FailStatus(const Status& status) { return Fail(RejectReason::kTooLarge, status.message()); }

}  // namespace tidemill
