#pragma once

#include <string>
#include <type_traits>
#include <utility>

#include <arrow/array/builder_binary.h>

#include "data/arrow_status.h"
#include "function/errors.h"
#include "function/internal/frame.h"

namespace tidemill {

// The row that a row function computes.
struct Row {
  const Frame& frame;
  int64_t index;
  void Raise(const ErrorCode& code, std::string detail) const { frame.Raise(index, code, std::move(detail)); }
};

// A result column under construction, filled from row 0 on.
template <typename T>
class OutColumn {
 public:
  static Result<OutColumn> Make(int64_t rows) {
    OutColumn out;
    TM_ASSIGN_OR_RETURN(out.values_, NewBuffer(rows * static_cast<int64_t>(sizeof(T))));
    out.data_ = reinterpret_cast<T*>(out.values_->mutable_data());
    return out;
  }
  Status Append(int64_t row, const T& value) {
    data_[row] = value;
    return Status::OK();
  }
  Status AppendNull(int64_t row) {
    data_[row] = T{};
    return Status::OK();
  }
  Result<std::shared_ptr<arrow::Array>> Finish(const DataType& type, int64_t rows, const Validity& validity) {
    return MakeFixedArray(type, rows, values_, validity);
  }

 private:
  std::shared_ptr<arrow::Buffer> values_;
  T* data_ = nullptr;
};

template <>
class OutColumn<bool> {
 public:
  static Result<OutColumn> Make(int64_t rows) {
    OutColumn out;
    TM_ASSIGN_OR_RETURN(out.bits_, NewBitmap(rows, false));
    return out;
  }
  Status Append(int64_t row, bool value) {
    if (value) arrow::bit_util::SetBit(bits_->mutable_data(), row);
    return Status::OK();
  }
  Status AppendNull(int64_t) { return Status::OK(); }
  Result<std::shared_ptr<arrow::Array>> Finish(const DataType& type, int64_t rows, const Validity& validity) {
    return MakeFixedArray(type, rows, bits_, validity);
  }

 private:
  std::shared_ptr<arrow::Buffer> bits_;
};

template <>
class OutColumn<std::string> {
 public:
  static Result<OutColumn> Make(int64_t rows) {
    OutColumn out;
    out.builder_ = std::make_unique<arrow::BinaryBuilder>();
    TM_ARROW_RETURN_IF_ERROR(out.builder_->Reserve(rows), "result column");
    return out;
  }
  Status Append(int64_t, std::string_view value) {
    TM_ARROW_RETURN_IF_ERROR(builder_->Append(value), "result column");
    return Status::OK();
  }
  Status AppendNull(int64_t) {
    TM_ARROW_RETURN_IF_ERROR(builder_->AppendEmptyValue(), "result column");
    return Status::OK();
  }
  Result<std::shared_ptr<arrow::Array>> Finish(const DataType& type, int64_t rows, const Validity& validity) {
    std::shared_ptr<arrow::ArrayData> data;
    TM_ARROW_RETURN_IF_ERROR(builder_->FinishInternal(&data), "result column");
    return arrow::MakeArray(arrow::ArrayData::Make(ToArrow(type), rows,
                                                   {validity.bits, data->buffers[1], data->buffers[2]},
                                                   validity.all() ? 0 : arrow::kUnknownNullCount));
  }

 private:
  std::unique_ptr<arrow::BinaryBuilder> builder_;
};

// Turns rows of a validity into NULL, copying it at the first one.
inline Status AddNull(Validity& validity, bool& owned, int64_t row, int64_t rows) {
  if (!owned) {
    TM_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> bits, NewBitmap(rows, true));
    if (!validity.all()) std::memcpy(bits->mutable_data(), validity.bits->data(), static_cast<size_t>(bits->size()));
    validity.bits = std::move(bits);
    owned = true;
  }
  arrow::bit_util::ClearBit(validity.bits->mutable_data(), row);
  return Status::OK();
}

// A column of texts holds at most 512 MiB, well below what its 32-bit offsets reach: rows beyond are refused, whatever
// REPEAT is told.
inline constexpr int64_t kColumnBytesMax = 512 << 20;

template <typename Out, typename F>
Result<arrow::Datum> RunRows(const Frame& frame, Validity validity, const DataType& result, F&& compute) {
  const int64_t rows = frame.rows();
  TM_ASSIGN_OR_RETURN(OutColumn<Out> out, OutColumn<Out>::Make(rows));
  bool owned = false;
  Out value{};
  [[maybe_unused]] int64_t bytes = 0;
  for (int64_t i = 0; i < rows; ++i) {
    if (validity.IsValid(i)) {
      if constexpr (std::is_same_v<Out, std::string>) value.clear();
      Row row{frame, i};
      bool computed = compute(row, value);
      if constexpr (std::is_same_v<Out, std::string>) {
        bytes += static_cast<int64_t>(value.size());
        if (bytes > kColumnBytesMax) [[unlikely]] {
          row.Raise(kInvalidArgument, "the texts made for one batch are larger than 512 MiB");
          bytes -= static_cast<int64_t>(value.size());
          computed = false;
        }
      }
      if (computed) [[likely]] {
        TM_RETURN_IF_ERROR(out.Append(i, value));
        continue;
      }
      TM_RETURN_IF_ERROR(AddNull(validity, owned, i, rows));
    }
    TM_RETURN_IF_ERROR(out.AppendNull(i));
  }
  TM_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Array> array, out.Finish(result, rows, validity));
  return frame.Finish(std::move(array));
}

// A kernel from a function over one row: `bool Fn(Row&, In..., Out&)` or void; false = NULL. NULL in any argument gives
// NULL. In and Out: bool, intN_t, float, double, __int128, std::string_view in and std::string (cleared, storage
// reused) out.
template <auto Fn, typename Out, typename... In>
Result<arrow::Datum> RowKernel(EvalContext& context, std::span<const arrow::Datum> args, const DataType& result) {
  TM_CHECK(args.size() == sizeof...(In));
  TM_ASSIGN_OR_RETURN(Frame frame, Frame::Make(context, args));
  TM_ASSIGN_OR_RETURN(Validity validity, frame.StrictValidity());
  return [&]<size_t... I>(std::index_sequence<I...>)->Result<arrow::Datum> {
    std::tuple<Reader<In>...> readers{Reader<In>(frame.column(I), frame.is_constant(I))...};
    return RunRows<Out>(frame, std::move(validity), result, [&](Row& row, Out& out) {
      if constexpr (std::is_void_v<decltype(Fn(row, std::get<I>(readers)(row.index)..., out))>) {
        Fn(row, std::get<I>(readers)(row.index)..., out);
        return true;
      } else {
        return Fn(row, std::get<I>(readers)(row.index)..., out);
      }
    });
  }
  (std::index_sequence_for<In...>{});
}

}  // namespace tidemill
