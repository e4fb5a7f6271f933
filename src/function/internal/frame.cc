#include "function/internal/frame.h"

#include <arrow/array/util.h>
#include <arrow/scalar.h>
#include <arrow/util/bitmap_ops.h>

#include "data/arrow_status.h"

namespace tidemill {

Result<Frame> Frame::Make(EvalContext& context, std::span<const arrow::Datum> args) {
  Frame frame;
  frame.context_ = &context;
  for (const arrow::Datum& arg : args) {
    if (arg.is_array()) {
      frame.columns_.push_back(arg.make_array());
      frame.constant_.push_back(false);
      frame.all_constant_ = false;
      TM_CHECK(frame.columns_.back()->length() == context.num_rows());
    } else {
      TM_CHECK(arg.is_scalar());
      TM_ARROW_ASSIGN_OR_RETURN(auto array, arrow::MakeArrayFromScalar(*arg.scalar(), 1), "constant argument");
      frame.columns_.push_back(std::move(array));
      frame.constant_.push_back(true);
    }
  }
  frame.rows_ = frame.all_constant_ ? 1 : context.num_rows();
  return frame;
}

Result<Validity> Frame::StrictValidity() const {
  std::vector<int> all(columns_.size());
  for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<int>(i);
  return ValidityOf(all);
}

Result<Validity> Frame::ValidityOf(std::span<const int> columns) const {
  Validity validity;
  for (int i : columns) {
    const arrow::Array& array = column(i);
    if (array.null_count() == 0) continue;
    if (is_constant(i) || array.type_id() == arrow::Type::NA) {
      TM_ASSIGN_OR_RETURN(validity.bits, NewBitmap(rows_, false));
      return validity;
    }
    const uint8_t* bits = array.null_bitmap_data();
    if (validity.bits == nullptr) {
      TM_ARROW_ASSIGN_OR_RETURN(validity.bits,
                                arrow::internal::CopyBitmap(arrow::default_memory_pool(), bits, array.offset(), rows_),
                                "validity");
    } else {
      TM_ARROW_ASSIGN_OR_RETURN(validity.bits,
                                arrow::internal::BitmapAnd(arrow::default_memory_pool(), validity.bits->data(), 0, bits,
                                                           array.offset(), rows_, 0),
                                "validity");
    }
  }
  return validity;
}

void Frame::Raise(int64_t row, const ErrorCode& code, std::string detail) const {
  if (!all_constant_) return context_->RaiseRow(row, code, std::move(detail));
  for (int64_t i = 0; i < context_->num_rows(); ++i) context_->RaiseRow(i, code, detail);
}

Result<arrow::Datum> Frame::Finish(std::shared_ptr<arrow::Array> array) const {
  if (!all_constant_) return arrow::Datum(std::move(array));
  TM_ARROW_ASSIGN_OR_RETURN(auto scalar, array->GetScalar(0), "constant result");
  return arrow::Datum(std::move(scalar));
}

Result<std::shared_ptr<arrow::Buffer>> NewBuffer(int64_t bytes) {
  TM_ARROW_ASSIGN_OR_RETURN(std::unique_ptr<arrow::Buffer> buffer, arrow::AllocateBuffer(bytes), "result column");
  return std::shared_ptr<arrow::Buffer>(std::move(buffer));
}

Result<std::shared_ptr<arrow::Buffer>> NewBitmap(int64_t bits, bool value) {
  TM_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> buffer, NewBuffer(arrow::bit_util::BytesForBits(bits)));
  std::memset(buffer->mutable_data(), value ? 0xff : 0, static_cast<size_t>(buffer->size()));
  return buffer;
}

std::shared_ptr<arrow::Array> MakeFixedArray(const DataType& type, int64_t rows, std::shared_ptr<arrow::Buffer> values,
                                             const Validity& validity) {
  return arrow::MakeArray(arrow::ArrayData::Make(ToArrow(type), rows, {validity.bits, std::move(values)},
                                                 validity.all() ? 0 : arrow::kUnknownNullCount));
}

std::shared_ptr<arrow::ArrayData> WithoutNulls(const std::shared_ptr<arrow::ArrayData>& data) {
  if (data->GetNullCount() == 0) return data;
  std::shared_ptr<arrow::ArrayData> whole = data->Copy();
  whole->buffers[0] = nullptr;
  whole->null_count = 0;
  return whole;
}

Result<std::shared_ptr<arrow::Array>> MakeNullArray(const DataType& type, int64_t rows) {
  TM_ARROW_ASSIGN_OR_RETURN(auto array, arrow::MakeArrayOfNull(ToArrow(type), rows), "NULL column");
  return array;
}

}  // namespace tidemill
