#include "data/internal/column_writer.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/util/base64.h>
#include <arrow/util/bit_util.h>

#include "data/arrow_status.h"

namespace tidemill {
namespace {

int WidthOf(TypeKind kind) {
  switch (kind) {
    case TypeKind::kBoolean:
    case TypeKind::kTinyInt:
      return 1;
    case TypeKind::kSmallInt:
      return 2;
    case TypeKind::kInt:
    case TypeKind::kFloat:
    case TypeKind::kDate:
    case TypeKind::kTime:
    case TypeKind::kIntervalMonth:
      return 4;
    case TypeKind::kBigInt:
    case TypeKind::kDouble:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampLtz:
    case TypeKind::kIntervalDay:
      return 8;
    case TypeKind::kDecimal:
      return 16;
    default:
      return 0;
  }
}

bool HasOffsets(TypeKind kind) {
  return kind == TypeKind::kString || kind == TypeKind::kBytes || kind == TypeKind::kArray || kind == TypeKind::kMap ||
         kind == TypeKind::kMultiset;
}

std::shared_ptr<arrow::Buffer> PackBits(const uint8_t* bytes, int64_t n) {
  auto bits = arrow::AllocateBitmap(n);
  TM_CHECK(bits.ok());
  uint8_t* to = (*bits)->mutable_data();
  int64_t i = 0;
  for (; i + 8 <= n; i += 8) {
    uint64_t word = 0;
    std::memcpy(&word, bytes + i, 8);
    // Gathers the lowest bit of each byte.
    to[i >> 3] = static_cast<uint8_t>(((word & 0x0101010101010101ULL) * 0x0102040810204080ULL) >> 56);
  }
  if (i < n) {
    uint8_t last = 0;
    for (int64_t b = i; b < n; ++b) last |= static_cast<uint8_t>((bytes[b] & 1) << (b - i));
    to[i >> 3] = last;
  }
  return *std::move(bits);
}

bool EqualsIgnoringCase(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i] >= 'A' && text[i] <= 'Z' ? static_cast<char>(text[i] + 32) : text[i];
    if (c != lower[i]) return false;
  }
  return true;
}

}  // namespace

ColumnWriter::ColumnWriter(DataType type) : type_(std::move(type)), kind_(type_.kind()), width_(WidthOf(kind_)) {
  for (const Field& child : type_.children()) children_.emplace_back(child.type);
  if (kind_ == TypeKind::kMultiset) children_.emplace_back(DataType(TypeKind::kInt));
}

ColumnWriter::~ColumnWriter() = default;
ColumnWriter::ColumnWriter(ColumnWriter&&) noexcept = default;

Status ColumnWriter::Grow(int64_t rows) {
  const int64_t capacity = std::max<int64_t>({rows, capacity_ * 2, 16});
  if (static_cast<int64_t>(valid_store_.size()) < capacity) valid_store_.resize(static_cast<size_t>(capacity));
  valid_ = valid_store_.data();
  if (width_ > 0) {
    if (!values_buffer_) {
      TM_ARROW_ASSIGN_OR_RETURN(values_buffer_, arrow::AllocateResizableBuffer(capacity * width_), "decode rows");
    } else {
      TM_ARROW_RETURN_IF_ERROR(values_buffer_->Resize(capacity * width_, false), "decode rows");
    }
    values_ = values_buffer_->mutable_data();
  }
  if (HasOffsets(kind_)) {
    const int64_t size = (capacity + 1) * static_cast<int64_t>(sizeof(int32_t));
    if (!offsets_buffer_) {
      TM_ARROW_ASSIGN_OR_RETURN(offsets_buffer_, arrow::AllocateResizableBuffer(size), "decode rows");
    } else {
      TM_ARROW_RETURN_IF_ERROR(offsets_buffer_->Resize(size, false), "decode rows");
    }
    offsets_ = reinterpret_cast<int32_t*>(offsets_buffer_->mutable_data());
    if (capacity_ == 0) offsets_[0] = 0;
  }
  if (kind_ == TypeKind::kRow) {
    for (ColumnWriter& child : children_) TM_RETURN_IF_ERROR(child.Reserve(capacity));
  }
  capacity_ = capacity;
  return Status::OK();
}

Result<char*> ColumnWriter::GrowBytes(int64_t begin, size_t bytes) {
  const int64_t needed = begin + static_cast<int64_t>(bytes) + kSlack;
  if (needed > std::numeric_limits<int32_t>::max()) {
    return Status(kLimitExceeded, "the text of one column of a batch is larger than 2 GiB");
  }
  const int64_t first = bytes_expected_ + bytes_expected_ / 8 + 256;
  const int64_t capacity = std::max(needed, bytes_buffer_ ? bytes_capacity_ * 2 : first);
  if (!bytes_buffer_) {
    TM_ARROW_ASSIGN_OR_RETURN(bytes_buffer_, arrow::AllocateResizableBuffer(capacity), "decode rows");
  } else {
    TM_ARROW_RETURN_IF_ERROR(bytes_buffer_->Resize(capacity, false), "decode rows");
  }
  bytes_ = reinterpret_cast<char*>(bytes_buffer_->mutable_data());
  bytes_capacity_ = capacity;
  return bytes_ + begin;
}

void ColumnWriter::SetNull(int64_t row) {
  any_null_ = true;
  valid_[row] = 0;
  if (width_ > 0) {
    std::memset(values_ + row * width_, 0, static_cast<size_t>(width_));
  } else if (offsets_ != nullptr) {
    offsets_[row + 1] = row == 0 ? 0 : offsets_[row];
  } else {
    for (ColumnWriter& child : children_) child.SetNull(row);
  }
}

Conversion ColumnWriter::SetInteger(int64_t row, int64_t value) {
  switch (width_) {
    case 1:
      if (value != static_cast<int8_t>(value)) return Conversion::kOutOfRange;
      Store(row, static_cast<int8_t>(value));
      return Conversion::kOk;
    case 2:
      if (value != static_cast<int16_t>(value)) return Conversion::kOutOfRange;
      Store(row, static_cast<int16_t>(value));
      return Conversion::kOk;
    case 4:
      if (value != static_cast<int32_t>(value)) return Conversion::kOutOfRange;
      Store(row, static_cast<int32_t>(value));
      return Conversion::kOk;
    default:
      Store(row, value);
      return Conversion::kOk;
  }
}

Conversion ColumnWriter::SetDouble(int64_t row, double value) {
  if (kind_ == TypeKind::kDouble) {
    Store(row, value);
    return Conversion::kOk;
  }
  const float narrow = static_cast<float>(value);
  if (std::isinf(narrow) && !std::isinf(value)) return Conversion::kOutOfRange;
  Store(row, narrow);
  return Conversion::kOk;
}

void ColumnWriter::SetDecimal(int64_t row, const arrow::Decimal128& value) {
  value.ToBytes(values_ + row * 16);
  valid_[row] = 1;
}

Status ColumnWriter::SetBytes(int64_t row, std::string_view bytes) {
  TM_ASSIGN_OR_RETURN(char* to, PrepareBytes(row, bytes.size()));
  if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
  CommitBytes(row, bytes.size());
  return Status::OK();
}

Conversion ColumnWriter::FromText(int64_t row, std::string_view text, TimeSyntax syntax) {
  switch (kind_) {
    case TypeKind::kNull:
      return Conversion::kWrongType;
    case TypeKind::kBoolean: {
      text = TrimAsJava(text);
      const bool is_true = text == "1" || EqualsIgnoringCase(text, "true");
      if (!is_true && text != "0" && !EqualsIgnoringCase(text, "false")) return Conversion::kWrongType;
      SetBoolean(row, is_true);
      return Conversion::kOk;
    }
    case TypeKind::kTinyInt:
    case TypeKind::kSmallInt:
    case TypeKind::kInt:
    case TypeKind::kBigInt: {
      int64_t value = 0;
      const Conversion parsed = ParseJavaInteger(text, value);
      return parsed == Conversion::kOk ? SetInteger(row, value) : parsed;
    }
    case TypeKind::kFloat:
    case TypeKind::kDouble: {
      double value = 0;
      const Conversion parsed = ParseJavaDouble(text, value);
      return parsed == Conversion::kOk ? SetDouble(row, value) : parsed;
    }
    case TypeKind::kDecimal: {
      arrow::Decimal128 value;
      const Conversion parsed = ParseDecimal(text, type_.precision(), type_.scale(), value);
      if (parsed == Conversion::kOk) SetDecimal(row, value);
      return parsed;
    }
    case TypeKind::kString:
      return SetBytes(row, text).ok() ? Conversion::kOk : Conversion::kOutOfRange;
    case TypeKind::kBytes: {
      auto decoded = arrow::util::base64_decode(text);
      if (!decoded.ok()) return Conversion::kWrongType;
      return SetBytes(row, *decoded).ok() ? Conversion::kOk : Conversion::kOutOfRange;
    }
    case TypeKind::kDate: {
      int32_t days = 0;
      if (!ParseDateText(text, syntax, days)) return Conversion::kWrongType;
      SetRaw4(row, days);
      return Conversion::kOk;
    }
    case TypeKind::kTime: {
      int32_t millis = 0;
      if (!ParseTimeText(text, syntax, millis)) return Conversion::kWrongType;
      SetRaw4(row, millis);
      return Conversion::kOk;
    }
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampLtz: {
      int64_t value = 0;
      if (!ParseTimestampValue(text, syntax, type_, value)) return Conversion::kWrongType;
      SetRaw8(row, value);
      return Conversion::kOk;
    }
    case TypeKind::kIntervalDay:
    case TypeKind::kIntervalMonth: {
      int64_t value = 0;
      const Conversion parsed = ParseJavaInteger(text, value);
      return parsed == Conversion::kOk ? SetInteger(row, value) : parsed;
    }
    default:
      return Conversion::kWrongType;  // nested: not from flat text
  }
}

Result<std::shared_ptr<arrow::Array>> ColumnWriter::Finish(int64_t rows) {
  TM_RETURN_IF_ERROR(Reserve(std::max<int64_t>(rows, 1)));
  if (kind_ == TypeKind::kArray || kind_ == TypeKind::kMap || kind_ == TypeKind::kMultiset || kind_ == TypeKind::kRow) {
    return FinishNested(rows);
  }
  auto data = arrow::ArrayData::Make(ToArrow(type_), rows);
  std::shared_ptr<arrow::Buffer> validity;
  if (any_null_ && kind_ != TypeKind::kNull) validity = PackBits(valid_, rows);
  data->null_count = validity ? arrow::kUnknownNullCount : (kind_ == TypeKind::kNull ? rows : 0);
  data->buffers = {std::move(validity)};
  if (kind_ == TypeKind::kBoolean) {
    data->buffers.push_back(PackBits(values_, rows));
  } else if (width_ > 0) {
    TM_ARROW_RETURN_IF_ERROR(values_buffer_->Resize(rows * width_, false), "decode rows");
    data->buffers.push_back(std::move(values_buffer_));
  } else if (offsets_ != nullptr) {
    const int64_t bytes = rows == 0 ? 0 : offsets_[rows];
    bytes_expected_ = bytes;
    if (!bytes_buffer_) {
      TM_ARROW_ASSIGN_OR_RETURN(bytes_buffer_, arrow::AllocateResizableBuffer(0), "decode rows");
    }
    // A buffer half empty is given back: batches may wait long in queues and state.
    TM_ARROW_RETURN_IF_ERROR(bytes_buffer_->Resize(bytes, bytes < bytes_capacity_ / 2), "decode rows");
    TM_ARROW_RETURN_IF_ERROR(offsets_buffer_->Resize((rows + 1) * static_cast<int64_t>(sizeof(int32_t)), false),
                             "decode rows");
    data->buffers.push_back(std::move(offsets_buffer_));
    data->buffers.push_back(std::move(bytes_buffer_));
  }
  values_buffer_.reset();
  offsets_buffer_.reset();
  bytes_buffer_.reset();
  values_ = nullptr;
  offsets_ = nullptr;
  bytes_ = nullptr;
  bytes_capacity_ = 0;
  capacity_ = 0;
  any_null_ = false;
  return arrow::MakeArray(std::move(data));
}

Result<std::shared_ptr<arrow::Array>> ColumnWriter::FinishNested(int64_t rows) {
  auto data = arrow::ArrayData::Make(ToArrow(type_), rows);
  std::shared_ptr<arrow::Buffer> validity;
  if (any_null_) validity = PackBits(valid_, rows);
  data->null_count = validity ? arrow::kUnknownNullCount : 0;
  data->buffers = {std::move(validity)};
  const int64_t entries = kind_ == TypeKind::kRow || rows == 0 ? rows : offsets_[rows];
  if (kind_ != TypeKind::kRow) {
    TM_ARROW_RETURN_IF_ERROR(offsets_buffer_->Resize((rows + 1) * static_cast<int64_t>(sizeof(int32_t)), false),
                             "decode rows");
    data->buffers.push_back(std::move(offsets_buffer_));
  }
  std::vector<std::shared_ptr<arrow::ArrayData>> children;
  for (ColumnWriter& child : children_) {
    TM_ASSIGN_OR_RETURN(auto column, child.Finish(entries));
    children.push_back(column->data());
  }
  if (kind_ == TypeKind::kMap || kind_ == TypeKind::kMultiset) {
    // Arrow keeps a map's keys and values in one struct.
    auto pairs = arrow::ArrayData::Make(data->type->field(0)->type(), entries, {nullptr}, std::move(children), 0);
    data->child_data = {std::move(pairs)};
  } else {
    data->child_data = std::move(children);
  }
  offsets_buffer_.reset();
  offsets_ = nullptr;
  capacity_ = 0;
  any_null_ = false;
  return arrow::MakeArray(std::move(data));
}

}  // namespace tidemill
