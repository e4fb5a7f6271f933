#include "data/avro/avro_reader.h"

#include <algorithm>
#include <cstring>

#include <arrow/util/decimal.h>
#include <fmt/format.h>

#include "data/avro/avro_binary.h"
#include "data/internal/column_writer.h"
#include "data/internal/decimal_bytes.h"
#include "data/internal/utf8.h"

namespace tidemill {
namespace {

std::string UuidText(std::string_view bytes) {
  std::string out;
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out += '-';
    static constexpr char kDigits[] = "0123456789abcdef";
    out += kDigits[static_cast<uint8_t>(bytes[i]) >> 4];
    out += kDigits[static_cast<uint8_t>(bytes[i]) & 15];
  }
  return out;
}

int64_t FloorDivide(int64_t value, int64_t by) {
  const int64_t quotient = value / by;
  return quotient * by > value ? quotient - 1 : quotient;
}

}  // namespace

Result<bool> AvroReader::ReadRow(const AvroReadPlan& plan, std::string_view bytes, int64_t row) {
  plan_ = &plan;
  begin_ = at_ = reinterpret_cast<const uint8_t*>(bytes.data());
  end_ = at_ + bytes.size();
  entries_ = 0;
  empty_entries_ = 0;
  nesting_ = 0;
  bool good = Run(plan.steps[0], row);
  if (!fatal_.ok()) return std::exchange(fatal_, Status::OK());
  if (good && at_ != end_) {
    good = Fail(plan.steps[0], RejectReason::kMalformed,
                fmt::format("{} bytes are left after the last field", end_ - at_));
  }
  return good;
}

bool AvroReader::Run(const AvroReadStep& step, int64_t row) {
  switch (step.op) {
    case AvroReadOp::kSkipNothing:
      return true;
    case AvroReadOp::kSkipLong: {
      int64_t value = 0;
      return ReadLong(step, value);
    }
    case AvroReadOp::kSkipBytes: {
      std::string_view bytes;
      return ReadBytes(step, bytes);
    }
    case AvroReadOp::kSkipFixed: {
      std::string_view bytes;
      return Take(step, step.size, bytes);
    }
    case AvroReadOp::kSkipArray:
    case AvroReadOp::kSkipMap:
    case AvroReadOp::kRecord:
    case AvroReadOp::kUnion:
    case AvroReadOp::kDefault:
    case AvroReadOp::kRow:
    case AvroReadOp::kArray:
    case AvroReadOp::kMap: {
      if (++nesting_ > kNestingMax)
        return Fail(step, RejectReason::kTooLarge, fmt::format("more than {} values in each other", kNestingMax));
      const bool good = RunNested(step, row);
      --nesting_;
      return good;
    }
    case AvroReadOp::kNull:
      step.target->SetNull(row);
      return true;
    case AvroReadOp::kRefuse:
      return Fail(step, step.reason, step.detail);
    case AvroReadOp::kBoolean:
    case AvroReadOp::kInteger:
    case AvroReadOp::kFloatOfInteger:
    case AvroReadOp::kFloat:
    case AvroReadOp::kDouble:
      return RunNumber(step, row);
    case AvroReadOp::kDecimalOfInteger:
    case AvroReadOp::kDecimalOfBytes:
    case AvroReadOp::kDecimalOfFixed:
      return RunDecimal(step, row);
    case AvroReadOp::kString:
    case AvroReadOp::kBytes:
    case AvroReadOp::kStringOfFixed:
    case AvroReadOp::kBytesOfFixed:
    case AvroReadOp::kUuidOfFixed:
    case AvroReadOp::kSymbol:
      return RunText(step, row);
    case AvroReadOp::kDate:
    case AvroReadOp::kTime:
    case AvroReadOp::kTimestamp:
      return RunTime(step, row);
  }
  return false;
}

bool AvroReader::RunNested(const AvroReadStep& step, int64_t row) {
  switch (step.op) {
    case AvroReadOp::kSkipArray:
    case AvroReadOp::kSkipMap:
      return SkipBlocks(step, step.op == AvroReadOp::kSkipMap);
    case AvroReadOp::kUnion: {
      int64_t branch = 0;
      if (!ReadLong(step, branch)) return false;
      if (branch < 0 || branch >= static_cast<int64_t>(step.children.size())) {
        return Fail(step, RejectReason::kMalformed,
                    fmt::format("branch {} of a union of {}", branch, step.children.size()));
      }
      return Run(plan_->steps[step.children[static_cast<size_t>(branch)]], row);
    }
    case AvroReadOp::kDefault: {
      const uint8_t* const at = at_;
      const uint8_t* const end = end_;
      at_ = reinterpret_cast<const uint8_t*>(step.constant.data());
      end_ = at_ + step.constant.size();
      const bool good = Run(plan_->steps[step.children[0]], row);
      at_ = at;
      end_ = end;
      return good;
    }
    case AvroReadOp::kArray:
    case AvroReadOp::kMap:
      return ReadBlocks(step, row);
    default:  // kRecord, kRow
      for (uint32_t child : step.children) {
        if (!Run(plan_->steps[child], row)) return false;
      }
      if (step.op == AvroReadOp::kRow) step.target->MarkRow(row);
      return true;
  }
}

bool AvroReader::ReadBlockCount(int64_t& count, int64_t& bytes) {
  bytes = -1;
  if (!ReadAvroLong(at_, end_, count)) return false;
  if (count >= 0) return true;
  if (count == INT64_MIN || !ReadAvroLong(at_, end_, bytes)) return false;
  count = -count;
  return bytes >= 0 && bytes <= end_ - at_;
}

bool AvroReader::CountEntries(const AvroReadStep& step, int64_t count) {
  entries_ = count > kEntriesMax ? kEntriesMax + 1 : entries_ + count;
  return entries_ <= kEntriesMax ||
         Fail(step, RejectReason::kTooLarge, fmt::format("more than {} entries in arrays and maps", kEntriesMax));
}

bool AvroReader::CountEmptyEntry(const AvroReadStep& step, const uint8_t* begin) {
  return at_ != begin || ++empty_entries_ <= kEmptyEntriesMax ||
         Fail(step, RejectReason::kTooLarge, fmt::format("more than {} entries without bytes", kEmptyEntriesMax));
}

bool AvroReader::SkipBlocks(const AvroReadStep& step, bool keys) {
  for (;;) {
    int64_t count = 0;
    int64_t bytes = 0;
    if (!ReadBlockCount(count, bytes)) return TooShort(step);
    if (count == 0) return true;
    if (bytes >= 0) {
      at_ += bytes;
      continue;
    }
    if (!CountEntries(step, count)) return false;
    for (int64_t i = 0; i < count; ++i) {
      const uint8_t* const begin = at_;
      std::string_view key;
      if (keys && !ReadBytes(step, key)) return false;
      if (!Run(plan_->steps[step.children[0]], 0) || !CountEmptyEntry(step, begin)) return false;
    }
  }
}

bool AvroReader::ReadBlocks(const AvroReadStep& step, int64_t row) {
  std::vector<ColumnWriter>& targets = step.target->children();
  const int64_t first = step.target->ListStart(row);
  int64_t next = first;
  for (;;) {
    int64_t count = 0;
    int64_t bytes = 0;
    if (!ReadBlockCount(count, bytes)) return TooShort(step);
    if (count == 0) break;
    if (!CountEntries(step, count)) return false;
    for (int64_t i = 0; i < count; ++i, ++next) {
      const uint8_t* const begin = at_;
      for (size_t c = 0; c < targets.size(); ++c) {
        // Room comes with the entries that are there, never with a count alone.
        if (fatal_ = targets[c].Reserve(next + 1); !fatal_.ok()) return false;
        if (!Run(plan_->steps[step.children[c]], next)) return false;
      }
      if (!CountEmptyEntry(step, begin)) return false;
    }
  }
  step.target->EndList(row, next - first);
  return true;
}

bool AvroReader::RunNumber(const AvroReadStep& step, int64_t row) {
  std::string_view bytes;
  if (step.op == AvroReadOp::kBoolean) {
    if (!Take(step, 1, bytes)) return false;
    if (static_cast<uint8_t>(bytes[0]) > 1) return Fail(step, RejectReason::kMalformed, "a boolean that is no 0 or 1");
    step.target->SetBoolean(row, bytes[0] == 1);
    return true;
  }
  if (step.op == AvroReadOp::kFloat) {
    float value = 0;
    if (!Take(step, sizeof value, bytes)) return false;
    std::memcpy(&value, bytes.data(), sizeof value);
    step.target->SetDouble(row, value);
    return true;
  }
  if (step.op == AvroReadOp::kDouble) {
    double value = 0;
    if (!Take(step, sizeof value, bytes)) return false;
    std::memcpy(&value, bytes.data(), sizeof value);
    step.target->SetDouble(row, value);
    return true;
  }
  int64_t value = 0;
  if (!ReadLong(step, value)) return false;
  if (step.op == AvroReadOp::kFloatOfInteger) {
    step.target->SetDouble(row, static_cast<double>(value));
    return true;
  }
  if (step.target->SetInteger(row, value) == Conversion::kOk) return true;
  return Fail(step, RejectReason::kOutOfRange, fmt::format("{} is no {}", value, step.target->type().ToString()));
}

bool AvroReader::RunDecimal(const AvroReadStep& step, int64_t row) {
  arrow::Decimal128 value;
  bool fits = true;
  if (step.op == AvroReadOp::kDecimalOfInteger) {
    int64_t integer = 0;
    if (!ReadLong(step, integer)) return false;
    value = arrow::Decimal128(integer);
  } else {
    std::string_view bytes;
    if (!(step.op == AvroReadOp::kDecimalOfFixed ? Take(step, step.size, bytes) : ReadBytes(step, bytes))) return false;
    fits = DecimalOfBytes(bytes, value);
  }
  const DataType& type = step.target->type();
  if (!fits || !RescaleDecimal(step.scale, type, value))
    return Fail(step, RejectReason::kOutOfRange, fmt::format("the number is no {}", type.ToString()));
  step.target->SetDecimal(row, value);
  return true;
}

bool AvroReader::RunText(const AvroReadStep& step, int64_t row) {
  std::string_view bytes;
  switch (step.op) {
    case AvroReadOp::kString:
      return ReadBytes(step, bytes) && StoreText(step, row, bytes);
    case AvroReadOp::kBytes:
      return ReadBytes(step, bytes) && StoreBytes(step, row, bytes);
    case AvroReadOp::kStringOfFixed:
      return Take(step, step.size, bytes) && StoreText(step, row, bytes);
    case AvroReadOp::kBytesOfFixed:
      return Take(step, step.size, bytes) && StoreBytes(step, row, bytes);
    case AvroReadOp::kUuidOfFixed:
      return Take(step, step.size, bytes) && StoreBytes(step, row, UuidText(bytes));
    default: {  // kSymbol
      int64_t index = 0;
      if (!ReadLong(step, index)) return false;
      if (index < 0 || index >= static_cast<int64_t>(step.texts.size()))
        return Fail(step, RejectReason::kMalformed, fmt::format("symbol {} of {}", index, step.texts.size()));
      return StoreBytes(step, row, step.texts[static_cast<size_t>(index)]);
    }
  }
}

bool AvroReader::RunTime(const AvroReadStep& step, int64_t row) {
  int64_t value = 0;
  if (!ReadLong(step, value)) return false;
  if (step.op == AvroReadOp::kTimestamp) {
    int64_t scaled = FloorDivide(value, step.divisor);
    if (!__builtin_mul_overflow(scaled, step.factor, &scaled)) {
      int64_t cut = FloorDivide(scaled, step.granule);
      if (!__builtin_mul_overflow(cut, step.granule, &cut)) {
        step.target->SetRaw8(row, cut);
        return true;
      }
    }
  } else {
    const int64_t scaled = step.op == AvroReadOp::kTime ? FloorDivide(value, step.divisor) : value;
    const bool is_time = step.op == AvroReadOp::kTime;
    if (is_time ? scaled >= 0 && scaled < 86'400'000 : scaled == static_cast<int32_t>(scaled)) {
      step.target->SetRaw4(row, static_cast<int32_t>(scaled));
      return true;
    }
  }
  return Fail(step, RejectReason::kOutOfRange, fmt::format("{} is no {}", value, step.target->type().ToString()));
}

bool AvroReader::ReadLong(const AvroReadStep& step, int64_t& value) {
  if (at_ < end_ && *at_ < 0x80) [[likely]] {
    const uint8_t bits = *at_++;
    value = static_cast<int64_t>(bits >> 1) ^ -static_cast<int64_t>(bits & 1);
    return true;
  }
  return ReadAvroLong(at_, end_, value) || TooShort(step);
}

bool AvroReader::ReadBytes(const AvroReadStep& step, std::string_view& bytes) {
  int64_t size = 0;
  return ReadLong(step, size) && Take(step, size, bytes);
}

bool AvroReader::Take(const AvroReadStep& step, int64_t size, std::string_view& bytes) {
  if (size < 0 || size > end_ - at_) return TooShort(step);
  bytes = {reinterpret_cast<const char*>(at_), static_cast<size_t>(size)};
  at_ += size;
  return true;
}

bool AvroReader::StoreBytes(const AvroReadStep& step, int64_t row, std::string_view bytes) {
  fatal_ = step.target->SetBytes(row, bytes);
  return fatal_.ok();
}

bool AvroReader::StoreText(const AvroReadStep& step, int64_t row, std::string_view text) {
  if (!IsUtf8(text)) return Fail(step, RejectReason::kInvalidUtf8, "the string is not valid UTF-8");
  return StoreBytes(step, row, text);
}

bool AvroReader::Fail(const AvroReadStep& step, RejectReason reason, std::string detail) {
  refusal_ = {reason, step.field, std::move(detail)};
  return false;
}

bool AvroReader::TooShort(const AvroReadStep& step) {
  return Fail(step, RejectReason::kMalformed, "the message ends too soon, or a length or number in it is wrong");
}

}  // namespace tidemill
