#include "data/batch.h"

#include <algorithm>

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/record_batch.h>

#include "data/arrow_status.h"
#include "data/internal/take.h"

namespace tidemill {
namespace {

int64_t BytesOf(const arrow::ArrayData& data, int64_t offset, int64_t length) {
  int64_t bytes = data.buffers.empty() || !data.buffers[0] ? 0 : (length + 7) / 8;
  switch (data.type->id()) {
    case arrow::Type::STRING:
    case arrow::Type::BINARY: {
      const auto* offsets = reinterpret_cast<const int32_t*>(data.buffers[1] ? data.buffers[1]->data() : nullptr);
      if (offsets == nullptr || length == 0) return bytes;
      return bytes + length * 4 + offsets[offset + length] - offsets[offset];
    }
    case arrow::Type::LIST:
    case arrow::Type::MAP: {
      const auto* offsets = reinterpret_cast<const int32_t*>(data.buffers[1] ? data.buffers[1]->data() : nullptr);
      if (offsets == nullptr || length == 0) return bytes;
      const arrow::ArrayData& child = *data.child_data[0];
      const int32_t begin = offsets[offset];
      return bytes + length * 4 + BytesOf(child, child.offset + begin, offsets[offset + length] - begin);
    }
    case arrow::Type::STRUCT:
      for (const auto& child : data.child_data) bytes += BytesOf(*child, child->offset + offset, length);
      return bytes;
    default:
      break;
  }
  if (arrow::is_fixed_width(data.type->id())) {
    return bytes + (length * static_cast<const arrow::FixedWidthType&>(*data.type).bit_width() + 7) / 8;
  }
  for (size_t i = 1; i < data.buffers.size(); ++i) {
    if (data.buffers[i]) bytes += data.buffers[i]->size();  // rare layouts: the whole buffer, an upper bound
  }
  return bytes;
}

Result<std::shared_ptr<arrow::Array>> ConcatKinds(const std::vector<Batch>& batches) {
  arrow::ArrayVector parts;
  for (const Batch& batch : batches) {
    if (batch.row_kinds) {
      parts.push_back(batch.row_kinds);
      continue;
    }
    TM_ARROW_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> zeros, arrow::AllocateBuffer(batch.num_rows()),
                              "row kinds");
    std::fill_n(zeros->mutable_data(), batch.num_rows(), static_cast<uint8_t>(RowKind::kInsert));
    parts.push_back(std::make_shared<arrow::Int8Array>(batch.num_rows(), std::move(zeros)));
  }
  TM_ARROW_ASSIGN_OR_RETURN(auto kinds, arrow::Concatenate(parts), "row kinds");
  return kinds;
}

}  // namespace

int64_t Batch::num_rows() const { return rows ? rows->num_rows() : 0; }

int64_t Batch::num_bytes() const {
  if (!rows) return 0;
  int64_t bytes = row_kinds ? row_kinds->length() : 0;
  for (const auto& column : rows->columns()) bytes += BytesOf(*column->data(), column->offset(), column->length());
  return bytes;
}

Batch Batch::Slice(int64_t offset, int64_t length) const {
  return Batch{rows->Slice(offset, length), row_kinds ? row_kinds->Slice(offset, length) : nullptr, ingest_us};
}

Result<Batch> TakeRows(const Batch& batch, const std::vector<int32_t>& indices) {
  arrow::ArrayVector columns;
  columns.reserve(static_cast<size_t>(batch.rows->num_columns()));
  for (const auto& column : batch.rows->columns()) {
    TM_ASSIGN_OR_RETURN(auto taken, TakeArray(column, indices));
    columns.push_back(std::move(taken));
  }
  Batch out;
  out.rows = arrow::RecordBatch::Make(batch.rows->schema(), static_cast<int64_t>(indices.size()), std::move(columns));
  out.ingest_us = batch.ingest_us;
  if (batch.row_kinds) {
    TM_ASSIGN_OR_RETURN(out.row_kinds, TakeArray(batch.row_kinds, indices));
  }
  return out;
}

Result<Batch> ConcatBatches(const std::vector<Batch>& batches) {
  TM_CHECK(!batches.empty());
  if (batches.size() == 1) return batches[0];
  Batch out;
  int64_t num_rows = 0;
  bool any_kinds = false;
  for (const Batch& batch : batches) {
    num_rows += batch.num_rows();
    any_kinds |= batch.row_kinds != nullptr;
    if (batch.ingest_us != 0)
      out.ingest_us = out.ingest_us == 0 ? batch.ingest_us : std::min(out.ingest_us, batch.ingest_us);
  }
  const int num_columns = batches[0].rows->num_columns();
  arrow::ArrayVector columns(static_cast<size_t>(num_columns));
  arrow::ArrayVector parts(batches.size());
  for (int c = 0; c < num_columns; ++c) {
    for (size_t b = 0; b < batches.size(); ++b) parts[b] = batches[b].rows->column(c);
    TM_ARROW_ASSIGN_OR_RETURN(columns[c], arrow::Concatenate(parts), "concatenate batches");
  }
  out.rows = arrow::RecordBatch::Make(batches[0].rows->schema(), num_rows, std::move(columns));
  if (any_kinds) {
    TM_ASSIGN_OR_RETURN(out.row_kinds, ConcatKinds(batches));
  }
  return out;
}

Batch EmptyBatch(const Schema& schema) {
  auto empty = arrow::RecordBatch::MakeEmpty(schema.arrow());
  TM_CHECK(empty.ok());
  return Batch{*std::move(empty), nullptr, 0};
}

}  // namespace tidemill
