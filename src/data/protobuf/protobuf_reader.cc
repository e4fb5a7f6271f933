#include "data/protobuf/protobuf_reader.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include <arrow/util/decimal.h>
#include <fmt/format.h>

#include "data/internal/column_writer.h"
#include "data/internal/decimal_bytes.h"
#include "data/internal/utf8.h"
#include "data/protobuf/protobuf_wire.h"

namespace tidemill {
namespace {

template <typename T>
bool ReadFixed(const uint8_t*& at, const uint8_t* end, T& value) {
  if (end - at < static_cast<ptrdiff_t>(sizeof value)) return false;
  std::memcpy(&value, at, sizeof value);
  at += sizeof value;
  return true;
}

uint32_t FieldAt(const ProtobufReadMessage& message, uint32_t number) {
  if (number < message.by_number.size()) [[likely]]
    return message.by_number[number];
  const auto found = std::lower_bound(message.far_numbers.begin(), message.far_numbers.end(), std::pair(number, 0U));
  return found != message.far_numbers.end() && found->first == number ? found->second : 0;
}

}  // namespace

Result<bool> ProtobufReader::ReadRow(const ProtobufReadPlan& plan, std::string_view bytes, int64_t row) {
  plan_ = &plan;
  at_ = reinterpret_cast<const uint8_t*>(bytes.data());
  entries_ = 0;
  if (came_.size() < plan.fields.size()) came_.resize(plan.fields.size());
  const ProtobufReadMessage& top = plan.messages[0];
  ResetFields(top);
  const bool good = ReadFields(top, at_ + bytes.size(), row) && FinishFields(top, row);
  if (!fatal_.ok()) return std::exchange(fatal_, Status::OK());
  return good;
}

void ProtobufReader::ResetFields(const ProtobufReadMessage& message) {
  std::fill(came_.begin() + message.begin, came_.begin() + message.end, 0);
}

bool ProtobufReader::ReadFields(const ProtobufReadMessage& message, const uint8_t* end, int64_t row) {
  while (at_ < end) {
    uint64_t tag = 0;
    if (!ReadProtobufVarint(at_, end, tag) || tag > UINT32_MAX || tag < 8) return Malformed();
    const uint32_t field = FieldAt(message, static_cast<uint32_t>(tag >> 3));
    const bool good =
        field == 0 ? Skip(static_cast<uint32_t>(tag), end) : ReadField(field - 1, static_cast<uint32_t>(tag), end, row);
    if (!good) return false;
  }
  return true;
}

bool ProtobufReader::ReadField(uint32_t number, uint32_t tag, const uint8_t* end, int64_t row) {
  const ProtobufReadField& field = plan_->fields[number];
  const uint32_t wire = tag & 7;
  if (field.op == ProtobufReadOp::kRefuse) {
    came_[number] = 1;
    if (!Skip(tag, end)) return false;
    if (!ignore_parse_errors_ || !field.nullable) return Fail(field, RejectReason::kWrongType, field.detail);
    field.target->SetNull(row);
    return true;
  }
  if (wire == field.wire) [[likely]] {
    if (field.repeated) return ReadEntry(number, end, row);
    for (uint32_t other : field.clears) came_[other] = 0;
    if (field.op == ProtobufReadOp::kSkip) return Skip(tag, end);
    if (field.op == ProtobufReadOp::kRow) return ReadRowValue(field, number, end, row);
    came_[number] = 1;
    return ReadValue(number, end, row);
  }
  if (wire == kProtobufLength && field.packable) return ReadPacked(number, end, row);
  return Skip(tag, end);  // of another type it is none that is known
}

bool ProtobufReader::ReadPacked(uint32_t number, const uint8_t* end, int64_t row) {
  std::string_view bytes;
  if (!ReadBytes(end, bytes)) return Malformed();
  const uint8_t* const after = at_;
  at_ = reinterpret_cast<const uint8_t*>(bytes.data());
  while (at_ < after) {
    if (!ReadEntry(number, after, row)) return false;
  }
  return true;
}

bool ProtobufReader::ReadEntry(uint32_t number, const uint8_t* end, int64_t row) {
  const ProtobufReadField& field = plan_->fields[number];
  if (++entries_ > kEntriesMax)
    return Fail(field, RejectReason::kTooLarge, fmt::format("more than {} entries in lists and maps", kEntriesMax));
  const int64_t next = field.list->ListStart(row) + came_[number];
  for (ColumnWriter& column : field.list->children()) {
    if (fatal_ = column.Reserve(next + 1); !fatal_.ok()) return false;
  }
  ++came_[number];
  if (field.op != ProtobufReadOp::kRow && field.op != ProtobufReadOp::kMap) return ReadValue(number, end, next);
  std::string_view bytes;
  if (!ReadBytes(end, bytes)) return Malformed();
  const uint8_t* const after = at_;
  at_ = reinterpret_cast<const uint8_t*>(bytes.data());
  const ProtobufReadMessage& message = plan_->messages[field.child];
  ResetFields(message);
  if (!ReadFields(message, after, next) || !FinishFields(message, next)) return false;
  if (field.op == ProtobufReadOp::kRow) field.target->MarkRow(next);
  return true;
}

bool ProtobufReader::ReadRowValue(const ProtobufReadField& field, uint32_t number, const uint8_t* end, int64_t row) {
  std::string_view bytes;
  if (!ReadBytes(end, bytes)) return Malformed();
  const uint8_t* const after = at_;
  at_ = reinterpret_cast<const uint8_t*>(bytes.data());
  const ProtobufReadMessage& message = plan_->messages[field.child];
  // Parts of one message add up.
  if (std::exchange(came_[number], 1) == 0) ResetFields(message);
  return ReadFields(message, after, row);
}

bool ProtobufReader::FinishFields(const ProtobufReadMessage& message, int64_t row) {
  for (uint32_t number = message.begin; number < message.end; ++number) {
    const ProtobufReadField& field = plan_->fields[number];
    if (came_[number] == 0) {
      if (!FinishAbsent(field, row)) return false;
    } else if (field.repeated) {
      field.list->EndList(row, came_[number]);
    } else if (field.op == ProtobufReadOp::kRow) {
      if (!FinishFields(plan_->messages[field.child], row)) return false;
      field.target->MarkRow(row);
    }
  }
  return true;
}

bool ProtobufReader::FinishAbsent(const ProtobufReadField& field, int64_t row) {
  if (field.op == ProtobufReadOp::kSkip && field.target == nullptr) return true;
  switch (field.absent) {
    case ProtobufAbsent::kNull:
      (field.list != nullptr ? field.list : field.target)->SetNull(row);
      return true;
    case ProtobufAbsent::kRefuse:
      return Fail(field, RejectReason::kMissingField, "the field is missing");
    case ProtobufAbsent::kDefault:
      break;
  }
  if (field.repeated) {
    field.list->EndList(row, 0);
    return true;
  }
  if (field.op == ProtobufReadOp::kRow) {
    const ProtobufReadMessage& message = plan_->messages[field.child];
    ResetFields(message);
    if (!FinishFields(message, row)) return false;
    field.target->MarkRow(row);
    return true;
  }
  const uint8_t* const at = std::exchange(at_, reinterpret_cast<const uint8_t*>(field.constant.data()));
  const bool good = ReadValue(static_cast<uint32_t>(&field - plan_->fields.data()), at_ + field.constant.size(), row);
  at_ = at;
  return good;
}

bool ProtobufReader::ReadValue(uint32_t number, const uint8_t* end, int64_t row) {
  const ProtobufReadField& field = plan_->fields[number];
  bool good = false;
  if (field.wire == kProtobufLength) {
    std::string_view bytes;
    if (!ReadBytes(end, bytes)) return Malformed();
    const uint8_t* const after = at_;
    if (field.op == ProtobufReadOp::kString) {
      good = StoreText(field, bytes, row);
    } else if (field.op == ProtobufReadOp::kBytes) {
      fatal_ = field.target->SetBytes(row, bytes);
      good = fatal_.ok();
    } else {
      good = field.op == ProtobufReadOp::kWrapper ? ReadWrapper(field, bytes, row) : ReadKnown(field, bytes, row);
    }
    at_ = after;
  } else if (field.op == ProtobufReadOp::kEnum) {
    uint64_t bits = 0;
    if (!ReadProtobufVarint(at_, end, bits)) return Malformed();
    good = StoreSymbol(field, number, static_cast<int32_t>(bits), row);
  } else {
    good = ReadNumber(field, end, row);
  }
  if (good || !fatal_.ok() || refusal_.reason == RejectReason::kMalformed) return good;
  if (!ignore_parse_errors_ || !field.nullable) return false;
  field.target->SetNull(row);
  return true;
}

bool ProtobufReader::ReadNumber(const ProtobufReadField& field, const uint8_t* end, int64_t row) {
  if (field.wire == kProtobufVarint) {
    uint64_t bits = 0;
    if (!ReadProtobufVarint(at_, end, bits)) return Malformed();
    switch (field.op) {
      case ProtobufReadOp::kBoolean:
        field.target->SetBoolean(row, bits != 0);
        return true;
      case ProtobufReadOp::kInt32:
        return StoreInteger(field, static_cast<int32_t>(bits), false, row);
      case ProtobufReadOp::kUint32:
        return StoreInteger(field, static_cast<uint32_t>(bits), false, row);
      case ProtobufReadOp::kSint:
        return StoreInteger(field, ProtobufUnZigZag(bits), false, row);
      default:
        return StoreInteger(field, static_cast<int64_t>(bits), field.op == ProtobufReadOp::kUint64, row);
    }
  }
  if (field.wire == kProtobufFixed64) {
    uint64_t bits = 0;
    if (!ReadFixed(at_, end, bits)) return Malformed();
    if (field.op != ProtobufReadOp::kDouble)
      return StoreInteger(field, static_cast<int64_t>(bits), field.op == ProtobufReadOp::kFixed64, row);
    double value = 0;
    std::memcpy(&value, &bits, sizeof value);
    field.target->SetDouble(row, value);
    return true;
  }
  uint32_t bits = 0;
  if (!ReadFixed(at_, end, bits)) return Malformed();
  if (field.op == ProtobufReadOp::kFixed32) return StoreInteger(field, bits, false, row);
  if (field.op == ProtobufReadOp::kSfixed32) return StoreInteger(field, static_cast<int32_t>(bits), false, row);
  float value = 0;
  std::memcpy(&value, &bits, sizeof value);
  field.target->SetDouble(row, value);
  return true;
}

bool ProtobufReader::StoreInteger(const ProtobufReadField& field, int64_t value, bool is_unsigned, int64_t row) {
  const bool large = is_unsigned && value < 0;
  switch (field.integer_target) {
    case ProtobufIntegerTarget::kInteger:
      if (!large && field.target->SetInteger(row, value) == Conversion::kOk) return true;
      break;
    case ProtobufIntegerTarget::kDouble:
      field.target->SetDouble(row,
                              large ? static_cast<double>(static_cast<uint64_t>(value)) : static_cast<double>(value));
      return true;
    case ProtobufIntegerTarget::kDecimal: {
      arrow::Decimal128 decimal = large ? arrow::Decimal128(0, static_cast<uint64_t>(value)) : arrow::Decimal128(value);
      if (RescaleDecimal(0, field.target->type(), decimal)) {
        field.target->SetDecimal(row, decimal);
        return true;
      }
      break;
    }
  }
  return OutOfRange(field, large ? std::to_string(static_cast<uint64_t>(value)) : std::to_string(value));
}

bool ProtobufReader::StoreText(const ProtobufReadField& field, std::string_view text, int64_t row) {
  if (!IsUtf8(text)) return Fail(field, RejectReason::kInvalidUtf8, "the string is not valid UTF-8");
  fatal_ = field.target->SetBytes(row, text);
  return fatal_.ok();
}

bool ProtobufReader::StoreSymbol(const ProtobufReadField& field, uint32_t number, int32_t symbol, int64_t row) {
  std::string_view text;
  if (symbol >= 0 && static_cast<size_t>(symbol) < field.symbols.size()) {
    text = field.symbols[static_cast<size_t>(symbol)];
  } else if (const auto found = field.far_symbols.find(symbol); found != field.far_symbols.end()) {
    text = found->second;
  }
  if (!text.empty()) {
    fatal_ = field.target->SetBytes(row, text);
    return fatal_.ok();
  }
  if (!field.closed_enum) {
    fatal_ = field.target->SetBytes(row, std::to_string(symbol));
    return fatal_.ok();
  }
  --came_[number];
  return true;
}

bool ProtobufReader::ReadWrapper(const ProtobufReadField& field, std::string_view bytes, int64_t row) {
  const ProtobufReadField& value = plan_->fields[field.child];
  const uint8_t* const end = reinterpret_cast<const uint8_t*>(bytes.data()) + bytes.size();
  const uint8_t* last = nullptr;
  at_ = reinterpret_cast<const uint8_t*>(bytes.data());
  while (at_ < end) {
    uint64_t tag = 0;
    if (!ReadProtobufVarint(at_, end, tag) || tag > UINT32_MAX || tag < 8) return Malformed();
    if (tag == (uint32_t{1} << 3 | value.wire)) last = at_;
    if (!Skip(static_cast<uint32_t>(tag), end)) return false;
  }
  const auto* const constant = reinterpret_cast<const uint8_t*>(value.constant.data());
  at_ = last == nullptr ? constant : last;
  return ReadValue(field.child, last == nullptr ? constant + value.constant.size() : end, row);
}

bool ProtobufReader::ReadKnown(const ProtobufReadField& field, std::string_view bytes, int64_t row) {
  int64_t parts[5] = {};
  std::string_view text;
  const uint8_t* const end = reinterpret_cast<const uint8_t*>(bytes.data()) + bytes.size();
  at_ = reinterpret_cast<const uint8_t*>(bytes.data());
  while (at_ < end) {
    uint64_t tag = 0;
    if (!ReadProtobufVarint(at_, end, tag) || tag > UINT32_MAX || tag < 8) return Malformed();
    const uint64_t number = tag >> 3;
    if ((tag & 7) == kProtobufVarint && number < std::size(parts)) {
      uint64_t bits = 0;
      if (!ReadProtobufVarint(at_, end, bits)) return Malformed();
      parts[number] = static_cast<int64_t>(bits);
    } else if (tag == (uint32_t{1} << 3 | kProtobufLength)) {
      if (!ReadBytes(end, text)) return Malformed();
    } else if (!Skip(static_cast<uint32_t>(tag), end)) {
      return false;
    }
  }
  if (field.op == ProtobufReadOp::kDecimal) return StoreDecimal(field, text, parts[3], row);
  if (field.op != ProtobufReadOp::kDecimalText) return StoreTime(field, parts, row);
  if (text.size() <= 100 && field.target->FromText(row, text.empty() ? "0" : text, TimeSyntax::kAny) == Conversion::kOk)
    return true;
  return OutOfRange(field, "'" + std::string(text.substr(0, 100)) + "'");
}

bool ProtobufReader::StoreDecimal(const ProtobufReadField& field, std::string_view bytes, int64_t scale, int64_t row) {
  arrow::Decimal128 value;
  const bool fits = DecimalOfBytes(bytes, value) && scale == static_cast<int32_t>(scale) &&
                    RescaleDecimal(static_cast<int>(scale), field.target->type(), value);
  if (!fits) return OutOfRange(field, "the number");
  field.target->SetDecimal(row, value);
  return true;
}

bool ProtobufReader::StoreTime(const ProtobufReadField& field, const int64_t (&parts)[5], int64_t row) {
  const auto within = [](int64_t value, int64_t low, int64_t high) { return value >= low && value <= high; };
  constexpr int64_t kNanosMax = 999'999'999;
  // 10,000 years and some, on either side.
  constexpr int64_t kSecondsMax = 400'000'000'000;
  switch (field.op) {
    case ProtobufReadOp::kTimestamp: {
      int64_t value = 0;
      if (!within(parts[1], -kSecondsMax, kSecondsMax) || !within(parts[2], 0, kNanosMax) ||
          !TimestampValue(parts[1], static_cast<int32_t>(parts[2]), field.target->type().precision(), value))
        return OutOfRange(field, fmt::format("{} s and {} ns", parts[1], parts[2]));
      field.target->SetRaw8(row, value);
      return true;
    }
    case ProtobufReadOp::kDuration:
      if (!within(parts[1], -kSecondsMax, kSecondsMax) || !within(parts[2], -kNanosMax, kNanosMax))
        return OutOfRange(field, fmt::format("{} s and {} ns", parts[1], parts[2]));
      field.target->SetRaw8(row, parts[1] * 1000 + parts[2] / 1'000'000);
      return true;
    case ProtobufReadOp::kDate: {
      const bool range = within(parts[1], 1, 9999) && within(parts[2], 1, 12) && within(parts[3], 1, 31);
      const int64_t days = range ? DaysFromCivil(parts[1], static_cast<int>(parts[2]), static_cast<int>(parts[3])) : 0;
      int64_t year = 0;
      int month = 0;
      int day = 0;
      CivilFromDays(days, year, month, day);
      if (!range || day != parts[3]) return OutOfRange(field, fmt::format("{}-{}-{}", parts[1], parts[2], parts[3]));
      field.target->SetRaw4(row, static_cast<int32_t>(days));
      return true;
    }
    default:  // kTimeOfDay
      if (!within(parts[1], 0, 23) || !within(parts[2], 0, 59) || !within(parts[3], 0, 59) ||
          !within(parts[4], 0, kNanosMax))
        return OutOfRange(field, fmt::format("{}:{}:{} and {} ns", parts[1], parts[2], parts[3], parts[4]));
      field.target->SetRaw4(
          row, static_cast<int32_t>(((parts[1] * 60 + parts[2]) * 60 + parts[3]) * 1000 + parts[4] / 1'000'000));
      return true;
  }
}

bool ProtobufReader::Skip(uint32_t tag, const uint8_t* end) {
  uint32_t open[kGroupsMax];
  int depth = 0;
  for (;;) {
    uint64_t number = 0;
    std::string_view bytes;
    bool good = true;
    switch (tag & 7) {
      case kProtobufVarint:
        good = ReadProtobufVarint(at_, end, number);
        break;
      case kProtobufFixed64:
        good = ReadFixed(at_, end, number);
        break;
      case kProtobufLength:
        good = ReadBytes(end, bytes);
        break;
      case kProtobufFixed32: {
        uint32_t word = 0;
        good = ReadFixed(at_, end, word);
        break;
      }
      case kProtobufGroup:
        good = depth < kGroupsMax;
        if (good) open[depth++] = tag >> 3;
        break;
      case kProtobufEndGroup:
        good = depth > 0 && open[--depth] == tag >> 3;
        break;
      default:
        good = false;
    }
    if (!good) return Malformed();
    if (depth == 0) return true;
    if (!ReadProtobufVarint(at_, end, number) || number > UINT32_MAX || number < 8) return Malformed();
    tag = static_cast<uint32_t>(number);
  }
}

bool ProtobufReader::ReadBytes(const uint8_t* end, std::string_view& bytes) {
  uint64_t size = 0;
  if (!ReadProtobufVarint(at_, end, size) || size > static_cast<uint64_t>(end - at_)) return false;
  bytes = {reinterpret_cast<const char*>(at_), static_cast<size_t>(size)};
  at_ += size;
  return true;
}

bool ProtobufReader::Fail(const ProtobufReadField& field, RejectReason reason, std::string detail) {
  refusal_ = {reason, field.path, std::move(detail)};
  return false;
}

bool ProtobufReader::OutOfRange(const ProtobufReadField& field, const std::string& value) {
  return Fail(field, RejectReason::kOutOfRange, fmt::format("{} is no {}", value, field.target->type().ToString()));
}

bool ProtobufReader::Malformed() {
  refusal_ = {RejectReason::kMalformed, "", "the message ends too soon, or a length, number or type in it is wrong"};
  return false;
}

}  // namespace tidemill
