#include <cstring>

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/util/bit_util.h>
#include <fmt/format.h>

#include "data/errors.h"
#include "data/internal/decimal_bytes.h"
#include "data/protobuf/protobuf_wire.h"
#include "data/protobuf/protobuf_write_plan.h"
#include "data/time_text.h"

namespace tidemill {
namespace {

void BindValue(const arrow::ArrayData& data, ProtobufWriteStep& step);

void BindChildren(const std::vector<std::shared_ptr<arrow::ArrayData>>& columns, ProtobufWriteStep& step) {
  for (ProtobufWriteStep& child : step.children) {
    if (child.op == ProtobufWriteOp::kOneof) {
      BindChildren(columns, child);
    } else {
      BindValue(*columns[static_cast<size_t>(child.column)], child);
    }
  }
}

void BindValue(const arrow::ArrayData& data, ProtobufWriteStep& step) {
  step.offset = data.offset;
  step.valid = data.buffers[0] != nullptr && data.MayHaveNulls() ? data.buffers[0]->data() : nullptr;
  step.values = data.buffers.size() > 1 && data.buffers[1] != nullptr ? data.buffers[1]->data() : nullptr;
  step.ends = nullptr;
  switch (step.op) {
    case ProtobufWriteOp::kMessage:
      return BindChildren(data.child_data, step);
    case ProtobufWriteOp::kWrapper:
      return BindValue(data, step.children[0]);
    case ProtobufWriteOp::kList:
      step.ends = reinterpret_cast<const int32_t*>(step.values);
      return BindValue(*data.child_data[0], step.children[0]);
    case ProtobufWriteOp::kMap: {
      step.ends = reinterpret_cast<const int32_t*>(step.values);
      const arrow::ArrayData& pairs = *data.child_data[0];
      for (size_t c = 0; c < 2; ++c) {
        BindValue(*pairs.child_data[c], step.children[c]);
        step.children[c].offset += pairs.offset;
      }
      return;
    }
    case ProtobufWriteOp::kBytes:
    case ProtobufWriteOp::kSymbol:
      step.ends = reinterpret_cast<const int32_t*>(step.values);
      step.values = data.buffers[2] == nullptr ? nullptr : data.buffers[2]->data();
      return;
    default:
      return;
  }
}

template <typename T>
T LoadAt(const ProtobufWriteStep& step, int64_t i) {
  T value;
  std::memcpy(&value, step.values + (step.offset + i) * static_cast<int64_t>(sizeof(T)), sizeof(T));
  return value;
}

int64_t IntegerAt(const ProtobufWriteStep& step, int64_t i) {
  switch (step.width) {
    case 1:
      return LoadAt<int8_t>(step, i);
    case 2:
      return LoadAt<int16_t>(step, i);
    case 4:
      return LoadAt<int32_t>(step, i);
    default:
      return LoadAt<int64_t>(step, i);
  }
}

std::string_view TextAt(const ProtobufWriteStep& step, int64_t i) {
  const int32_t* const ends = step.ends + step.offset + i;
  return {reinterpret_cast<const char*>(step.values) + ends[0], static_cast<size_t>(ends[1] - ends[0])};
}

bool IsNullAt(const ProtobufWriteStep& step, int64_t i) {
  return step.valid != nullptr && !arrow::bit_util::GetBit(step.valid, step.offset + i);
}

Status NotWritten(const ProtobufWriteStep& step, const std::string& why) {
  return Status(kUnsupportedType, fmt::format("column '{}': {}", step.path, why));
}

Status WriteMember(const ProtobufWriteStep& step, int64_t i, std::string& out);
Status WriteBare(const ProtobufWriteStep& step, int64_t i, std::string& out);

Status WriteMembers(const ProtobufWriteStep& step, int64_t i, std::string& out) {
  for (const ProtobufWriteStep& child : step.children) TM_RETURN_IF_ERROR(WriteMember(child, i, out));
  return Status::OK();
}

// NULL has no place among the elements of lists and maps.
void WriteNullElement(const ProtobufWriteStep& step, std::string& out) {
  switch (step.op) {
    case ProtobufWriteOp::kBytes:
      AppendProtobufVarint(step.null_text.size(), out);
      out += step.null_text;
      break;
    case ProtobufWriteOp::kSymbol:
      AppendProtobufVarint(static_cast<uint64_t>(int64_t{step.first_symbol}), out);
      break;
    case ProtobufWriteOp::kInteger:
      out.append(step.code == ProtobufIntegerCode::kFixed32   ? 4
                 : step.code == ProtobufIntegerCode::kFixed64 ? 8
                                                              : 1,
                 '\0');
      break;
    case ProtobufWriteOp::kFloat:
      out.append(4, '\0');
      break;
    case ProtobufWriteOp::kDouble:
    case ProtobufWriteOp::kFloatAsDouble:
      out.append(8, '\0');
      break;
    default:
      out += '\0';
  }
}

Status WriteElement(const ProtobufWriteStep& step, int64_t i, std::string& out) {
  if (!IsNullAt(step, i)) return WriteBare(step, i, out);
  WriteNullElement(step, out);
  return Status::OK();
}

Status WriteListMember(const ProtobufWriteStep& step, int64_t i, std::string& out) {
  const int32_t* const ends = step.ends + step.offset + i;
  if (ends[0] == ends[1]) return Status::OK();
  const ProtobufWriteStep& item = step.children[0];
  if (!step.packed) {
    for (int64_t entry = ends[0]; entry < ends[1]; ++entry) {
      out += item.tag;
      TM_RETURN_IF_ERROR(WriteElement(item, entry, out));
    }
    return Status::OK();
  }
  out += step.tag;
  const size_t begin = BeginProtobufLength(out);
  for (int64_t entry = ends[0]; entry < ends[1]; ++entry) TM_RETURN_IF_ERROR(WriteElement(item, entry, out));
  EndProtobufLength(begin, out);
  return Status::OK();
}

Status WriteMapMember(const ProtobufWriteStep& step, int64_t i, std::string& out) {
  const int32_t* const ends = step.ends + step.offset + i;
  for (int64_t entry = ends[0]; entry < ends[1]; ++entry) {
    out += step.tag;
    const size_t begin = BeginProtobufLength(out);
    TM_RETURN_IF_ERROR(WriteMember(step.children[0], entry, out));
    out += step.children[1].tag;
    TM_RETURN_IF_ERROR(WriteElement(step.children[1], entry, out));
    EndProtobufLength(begin, out);
  }
  return Status::OK();
}

// What a field without presence leaves out.
bool IsDefaultAt(const ProtobufWriteStep& step, int64_t i) {
  switch (step.op) {
    case ProtobufWriteOp::kBoolean:
      return !arrow::bit_util::GetBit(step.values, step.offset + i);
    case ProtobufWriteOp::kInteger:
      return IntegerAt(step, i) == 0;
    case ProtobufWriteOp::kFloat:
    case ProtobufWriteOp::kFloatAsDouble:
      return LoadAt<uint32_t>(step, i) == 0;
    case ProtobufWriteOp::kDouble:
      return LoadAt<uint64_t>(step, i) == 0;
    case ProtobufWriteOp::kBytes:
      return TextAt(step, i).empty();
    case ProtobufWriteOp::kSymbol: {
      const auto symbol = step.symbols.find(TextAt(step, i));
      return symbol != step.symbols.end() && symbol->second == 0;
    }
    default:
      return false;
  }
}

Status WriteMember(const ProtobufWriteStep& step, int64_t i, std::string& out) {
  if (step.op == ProtobufWriteOp::kOneof) {
    for (auto member = step.children.rbegin(); member != step.children.rend(); ++member) {
      if (!IsNullAt(*member, i)) return WriteMember(*member, i, out);
    }
    return Status::OK();
  }
  if (IsNullAt(step, i)) return step.required ? NotWritten(step, "NULL where the schema has none") : Status::OK();
  if (step.op == ProtobufWriteOp::kList) return WriteListMember(step, i, out);
  if (step.op == ProtobufWriteOp::kMap) return WriteMapMember(step, i, out);
  if (!step.optional && IsDefaultAt(step, i)) return Status::OK();
  out += step.tag;
  return WriteBare(step, i, out);
}

Status WriteIntegerValue(const ProtobufWriteStep& step, int64_t i, std::string& out) {
  const int64_t value = IntegerAt(step, i);
  if (step.is_unsigned && (value < 0 || (step.precision == 32 && value > UINT32_MAX)))
    return NotWritten(step, fmt::format("{} has no place in the schema's unsigned number", value));
  switch (step.code) {
    case ProtobufIntegerCode::kVarint:
      AppendProtobufVarint(static_cast<uint64_t>(value), out);
      break;
    case ProtobufIntegerCode::kZigZag:
      AppendProtobufVarint(ProtobufZigZag(value), out);
      break;
    case ProtobufIntegerCode::kFixed32:
      AppendProtobufFixed(static_cast<uint32_t>(value), out);
      break;
    case ProtobufIntegerCode::kFixed64:
      AppendProtobufFixed(value, out);
      break;
  }
  return Status::OK();
}

Status WriteSymbolValue(const ProtobufWriteStep& step, int64_t i, std::string& out) {
  const std::string_view text = TextAt(step, i);
  const auto symbol = step.symbols.find(text);
  if (symbol == step.symbols.end())
    return NotWritten(step, fmt::format("'{}' is no value of the schema's enum", text.substr(0, 100)));
  AppendProtobufVarint(static_cast<uint64_t>(int64_t{symbol->second}), out);
  return Status::OK();
}

void WriteNumbered(int number, int64_t value, std::string& out) {
  if (value == 0) return;
  AppendProtobufTag(number, kProtobufVarint, out);
  AppendProtobufVarint(static_cast<uint64_t>(value), out);
}

// Messages of google/ and confluent/ that stand for one value.
void WriteKnownMembers(const ProtobufWriteStep& step, int64_t i, std::string& out) {
  switch (step.op) {
    case ProtobufWriteOp::kTimestamp: {
      const int64_t value = LoadAt<int64_t>(step, i);
      const int64_t below = (value % step.units + step.units) % step.units;
      WriteNumbered(1, (value - below) / step.units, out);
      WriteNumbered(2, below * (1'000'000'000 / step.units), out);
      break;
    }
    case ProtobufWriteOp::kDuration: {
      const int64_t value = LoadAt<int64_t>(step, i);  // both parts have one sign
      WriteNumbered(1, value / step.units, out);
      WriteNumbered(2, value % step.units * (1'000'000'000 / step.units), out);
      break;
    }
    case ProtobufWriteOp::kDate: {
      int64_t year = 0;
      int month = 0;
      int day = 0;
      CivilFromDays(LoadAt<int32_t>(step, i), year, month, day);
      WriteNumbered(1, year, out);
      WriteNumbered(2, month, out);
      WriteNumbered(3, day, out);
      break;
    }
    case ProtobufWriteOp::kTimeOfDay: {
      const int32_t millis = LoadAt<int32_t>(step, i);
      WriteNumbered(1, millis / 3'600'000, out);
      WriteNumbered(2, millis / 60'000 % 60, out);
      WriteNumbered(3, millis / 1'000 % 60, out);
      WriteNumbered(4, int64_t{millis % 1'000} * 1'000'000, out);
      break;
    }
    default: {  // kDecimal
      char store[16];
      const std::string_view bytes = DecimalBytes(step.values + (step.offset + i) * 16, store);
      AppendProtobufTag(1, kProtobufLength, out);
      AppendProtobufVarint(bytes.size(), out);
      out += bytes;
      WriteNumbered(2, step.precision, out);
      WriteNumbered(3, step.scale, out);
    }
  }
}

// The value without its tag.
Status WriteBare(const ProtobufWriteStep& step, int64_t i, std::string& out) {
  switch (step.op) {
    case ProtobufWriteOp::kBoolean:
      out += arrow::bit_util::GetBit(step.values, step.offset + i) ? '\1' : '\0';
      return Status::OK();
    case ProtobufWriteOp::kInteger:
      return WriteIntegerValue(step, i, out);
    case ProtobufWriteOp::kFloat:
      AppendProtobufFixed(LoadAt<float>(step, i), out);
      return Status::OK();
    case ProtobufWriteOp::kDouble:
      AppendProtobufFixed(LoadAt<double>(step, i), out);
      return Status::OK();
    case ProtobufWriteOp::kFloatAsDouble:
      AppendProtobufFixed(static_cast<double>(LoadAt<float>(step, i)), out);
      return Status::OK();
    case ProtobufWriteOp::kBytes: {
      const std::string_view text = TextAt(step, i);
      AppendProtobufVarint(text.size(), out);
      out += text;
      return Status::OK();
    }
    case ProtobufWriteOp::kSymbol:
      return WriteSymbolValue(step, i, out);
    default:
      break;
  }
  const size_t begin = BeginProtobufLength(out);
  if (step.op == ProtobufWriteOp::kMessage) {
    // The fields of a ROW lie beside it, from its own offset on.
    TM_RETURN_IF_ERROR(WriteMembers(step, step.offset + i, out));
  } else if (step.op == ProtobufWriteOp::kWrapper) {
    TM_RETURN_IF_ERROR(WriteMember(step.children[0], i, out));
  } else {
    WriteKnownMembers(step, i, out);
  }
  EndProtobufLength(begin, out);
  return Status::OK();
}

}  // namespace

void BindProtobufWritePlan(const arrow::RecordBatch& rows, ProtobufWriteStep& plan) {
  BindChildren(rows.column_data(), plan);
}

Status WriteProtobufRow(const ProtobufWriteStep& plan, int64_t row, std::string& out) {
  return WriteMembers(plan, row, out);
}

}  // namespace tidemill
