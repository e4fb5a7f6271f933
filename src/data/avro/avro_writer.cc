#include <cstring>

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/util/bit_util.h>
#include <arrow/util/decimal.h>
#include <fmt/format.h>

#include "data/avro/avro_binary.h"
#include "data/avro/avro_write_plan.h"
#include "data/errors.h"
#include "data/internal/decimal_bytes.h"

namespace tidemill {
namespace {

void BindStep(const arrow::ArrayData& data, AvroWriteStep& step) {
  if (step.op == AvroWriteOp::kConstant) return;
  step.offset = data.offset;
  step.valid = data.buffers[0] != nullptr && data.MayHaveNulls() ? data.buffers[0]->data() : nullptr;
  step.values = nullptr;
  step.ends = nullptr;
  switch (step.op) {
    case AvroWriteOp::kRecord:
      for (AvroWriteStep& child : step.children) {
        if (child.column >= 0) BindStep(*data.child_data[static_cast<size_t>(child.column)], child);
      }
      return;
    case AvroWriteOp::kArray:
      step.ends = reinterpret_cast<const int32_t*>(data.buffers[1]->data());
      BindStep(*data.child_data[0], step.children[0]);
      return;
    case AvroWriteOp::kMap: {
      step.ends = reinterpret_cast<const int32_t*>(data.buffers[1]->data());
      const arrow::ArrayData& pairs = *data.child_data[0];
      for (size_t c = 0; c < 2; ++c) {
        BindStep(*pairs.child_data[c], step.children[c]);
        step.children[c].offset += pairs.offset;
      }
      return;
    }
    case AvroWriteOp::kBytes:
    case AvroWriteOp::kBytesFixed:
    case AvroWriteOp::kSymbol:
      step.ends = reinterpret_cast<const int32_t*>(data.buffers[1]->data());
      step.values = data.buffers[2] == nullptr ? nullptr : data.buffers[2]->data();
      return;
    default:
      step.values = data.buffers.size() > 1 && data.buffers[1] != nullptr ? data.buffers[1]->data() : nullptr;
  }
}

template <typename T>
T ValueAt(const AvroWriteStep& step, int64_t i) {
  T value;
  std::memcpy(&value, step.values + (step.offset + i) * static_cast<int64_t>(sizeof(T)), sizeof(T));
  return value;
}

std::string_view BytesAt(const AvroWriteStep& step, int64_t i) {
  const int32_t* const ends = step.ends + step.offset + i;
  return {reinterpret_cast<const char*>(step.values) + ends[0], static_cast<size_t>(ends[1] - ends[0])};
}

Status CanNotWrite(const AvroWriteStep& step, const std::string& why) {
  return Status(kUnsupportedType, fmt::format("column '{}': {}", step.field, why));
}

Status WriteValue(const AvroWriteStep& step, int64_t i, std::string& out);

Status WriteBlocks(const AvroWriteStep& step, int64_t i, std::string& out) {
  const int32_t* const ends = step.ends + step.offset + i;
  if (ends[1] > ends[0]) {
    AppendAvroLong(ends[1] - ends[0], out);
    for (int64_t entry = ends[0]; entry < ends[1]; ++entry) {
      for (const AvroWriteStep& child : step.children) TM_RETURN_IF_ERROR(WriteValue(child, entry, out));
    }
  }
  out += '\0';
  return Status::OK();
}

Status WriteDecimal(const AvroWriteStep& step, int64_t i, std::string& out) {
  char store[16];
  const std::string_view bytes = DecimalBytes(step.values + (step.offset + i) * 16, store);
  if (step.op == AvroWriteOp::kDecimal) {
    AppendAvroBytes(bytes, out);
    return Status::OK();
  }
  if (static_cast<int64_t>(bytes.size()) > step.size)
    return CanNotWrite(step, fmt::format("the number has more than {} bytes", step.size));
  out.append(static_cast<size_t>(step.size) - bytes.size(), (bytes[0] & 0x80) != 0 ? '\xff' : '\0');
  out += bytes;
  return Status::OK();
}

Status WriteText(const AvroWriteStep& step, int64_t i, std::string& out) {
  const std::string_view bytes = BytesAt(step, i);
  if (step.op == AvroWriteOp::kBytes) {
    AppendAvroBytes(bytes, out);
    return Status::OK();
  }
  if (step.op == AvroWriteOp::kBytesFixed) {
    if (static_cast<int64_t>(bytes.size()) != step.size)
      return CanNotWrite(step, fmt::format("{} bytes where the schema has {}", bytes.size(), step.size));
    out += bytes;
    return Status::OK();
  }
  const auto symbol = step.symbols.find(bytes);
  if (symbol == step.symbols.end())
    return CanNotWrite(step, fmt::format("'{}' is no symbol of the schema's enum", bytes.substr(0, 100)));
  AppendAvroLong(symbol->second, out);
  return Status::OK();
}

Status WriteTime(const AvroWriteStep& step, int64_t i, std::string& out) {
  if (step.op == AvroWriteOp::kTimeMicros) {
    AppendAvroLong(int64_t{ValueAt<int32_t>(step, i)} * 1000, out);
    return Status::OK();
  }
  int64_t value = ValueAt<int64_t>(step, i);
  if (step.divisor > 1) value = (value - (value % step.divisor + step.divisor) % step.divisor) / step.divisor;
  if (__builtin_mul_overflow(value, step.factor, &value)) return CanNotWrite(step, "the time is too far away");
  AppendAvroLong(value, out);
  return Status::OK();
}

Status WriteValue(const AvroWriteStep& step, int64_t i, std::string& out) {
  if (step.op == AvroWriteOp::kConstant) {
    out += step.constant;
    return Status::OK();
  }
  if (step.valid != nullptr && !arrow::bit_util::GetBit(step.valid, step.offset + i)) {
    if (step.not_null) return CanNotWrite(step, "NULL where the schema has none");
    out += step.null_branch;
    return Status::OK();
  }
  if (step.in_union) out += step.value_branch;
  switch (step.op) {
    case AvroWriteOp::kConstant:
      break;
    case AvroWriteOp::kRecord:
      // The fields of a ROW lie beside it, from its own offset on.
      for (const AvroWriteStep& child : step.children) TM_RETURN_IF_ERROR(WriteValue(child, step.offset + i, out));
      break;
    case AvroWriteOp::kArray:
    case AvroWriteOp::kMap:
      return WriteBlocks(step, i, out);
    case AvroWriteOp::kBoolean:
      out += arrow::bit_util::GetBit(step.values, step.offset + i) ? '\1' : '\0';
      break;
    case AvroWriteOp::kInt8:
      AppendAvroLong(ValueAt<int8_t>(step, i), out);
      break;
    case AvroWriteOp::kInt16:
      AppendAvroLong(ValueAt<int16_t>(step, i), out);
      break;
    case AvroWriteOp::kInt32:
      AppendAvroLong(ValueAt<int32_t>(step, i), out);
      break;
    case AvroWriteOp::kInt64:
      AppendAvroLong(ValueAt<int64_t>(step, i), out);
      break;
    case AvroWriteOp::kFloat:
      AppendAvroFloat(ValueAt<float>(step, i), out);
      break;
    case AvroWriteOp::kDouble:
      AppendAvroDouble(ValueAt<double>(step, i), out);
      break;
    case AvroWriteOp::kFloatAsDouble:
      AppendAvroDouble(ValueAt<float>(step, i), out);
      break;
    case AvroWriteOp::kDecimal:
    case AvroWriteOp::kDecimalFixed:
      return WriteDecimal(step, i, out);
    case AvroWriteOp::kBytes:
    case AvroWriteOp::kBytesFixed:
    case AvroWriteOp::kSymbol:
      return WriteText(step, i, out);
    case AvroWriteOp::kTimeMicros:
    case AvroWriteOp::kTimestamp:
      return WriteTime(step, i, out);
  }
  return Status::OK();
}

}  // namespace

void BindAvroWritePlan(const arrow::RecordBatch& rows, AvroWriteStep& plan) {
  for (AvroWriteStep& step : plan.children) {
    if (step.column >= 0) BindStep(*rows.column_data(step.column), step);
  }
}

Status WriteAvroRow(const AvroWriteStep& plan, int64_t row, std::string& out) {
  for (const AvroWriteStep& step : plan.children) TM_RETURN_IF_ERROR(WriteValue(step, row, out));
  return Status::OK();
}

}  // namespace tidemill
