#include "function/function_groups.h"
#include "function/internal/bind.h"
#include "function/internal/frame.h"
#include "function/internal/row_kernel.h"

namespace tidemill {
namespace {

void NotValue(Row&, bool value, bool& out) { out = !value; }

template <bool kNull>
Result<arrow::Datum> IsNullKernel(EvalContext& context, std::span<const arrow::Datum> args, const DataType& result) {
  TM_ASSIGN_OR_RETURN(Frame frame, Frame::Make(context, args));
  TM_ASSIGN_OR_RETURN(Validity validity, frame.StrictValidity());
  std::shared_ptr<arrow::Buffer> bits = validity.bits;
  if (bits == nullptr) {
    TM_ASSIGN_OR_RETURN(bits, NewBitmap(frame.rows(), !kNull));
  } else if (kNull) {
    TM_ASSIGN_OR_RETURN(bits, NewBitmap(frame.rows(), false));
    for (int64_t i = 0; i < bits->size(); ++i)
      bits->mutable_data()[i] = static_cast<uint8_t>(~validity.bits->data()[i]);
  }
  return frame.Finish(MakeFixedArray(result, frame.rows(), std::move(bits), Validity{}));
}

// Whether the value is (kIs) or is not `kTruth`; NULL is neither TRUE nor FALSE.
template <bool kTruth, bool kIs>
Result<arrow::Datum> IsTruthKernel(EvalContext& context, std::span<const arrow::Datum> args, const DataType& result) {
  TM_ASSIGN_OR_RETURN(Frame frame, Frame::Make(context, args));
  TM_ASSIGN_OR_RETURN(Validity validity, frame.StrictValidity());
  const Reader<bool> value(frame.column(0), frame.is_constant(0));
  TM_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> bits, NewBitmap(frame.rows(), false));
  FillBits(bits->mutable_data(), frame.rows(),
           [&](int64_t i) { return (validity.IsValid(i) && value(i) == kTruth) == kIs; });
  return frame.Finish(MakeFixedArray(result, frame.rows(), std::move(bits), Validity{}));
}

template <bool kNull>
Result<ResolvedCall> BindIsNull(Args args) {
  if (args.size() != 1) return WrongArguments(kNull ? "IS NULL" : "IS NOT NULL", args, "one value");
  return ResolvedCall{BooleanType().WithNullable(false), {args[0].type}, IsNullKernel<kNull>};
}

template <bool kTruth, bool kIs>
Result<ResolvedCall> BindIsTruth(Args args) {
  return Bind(kIs ? "IS" : "IS NOT", args, {BooleanType()}, BooleanType(), IsTruthKernel<kTruth, kIs>, Nulls::kNever);
}

}  // namespace

std::vector<ScalarFunction> LogicFunctions() {
  return {
      {"NOT", "NOT condition", "TRUE for FALSE and FALSE for TRUE; NULL stays NULL.", "NOT (1 = 2)", "TRUE",
       [](Args args) { return Bind("NOT", args, {BooleanType()}, BooleanType(), RowKernel<NotValue, bool, bool>); }},
      {"IS NULL", "value IS NULL", "Whether the value is NULL.", "1 IS NULL", "FALSE", BindIsNull<true>},
      {"IS NOT NULL", "value IS NOT NULL", "Whether the value is not NULL.", "1 IS NOT NULL", "TRUE",
       BindIsNull<false>},
      {"IS TRUE", "condition IS TRUE", "Whether it is TRUE; FALSE for NULL.", "(1 = 1) IS TRUE", "TRUE",
       BindIsTruth<true, true>},
      {"IS NOT TRUE", "condition IS NOT TRUE", "Whether it is FALSE or NULL.", "(1 = NULL) IS NOT TRUE", "TRUE",
       BindIsTruth<true, false>},
      {"IS FALSE", "condition IS FALSE", "Whether it is FALSE; FALSE for NULL.", "(1 = 2) IS FALSE", "TRUE",
       BindIsTruth<false, true>},
      {"IS NOT FALSE", "condition IS NOT FALSE", "Whether it is TRUE or NULL.", "(1 = 2) IS NOT FALSE", "FALSE",
       BindIsTruth<false, false>},
      {"IS UNKNOWN", "condition IS UNKNOWN", "Whether the condition is NULL.", "(1 = NULL) IS UNKNOWN", "TRUE",
       BindIsNull<true>},
      {"IS NOT UNKNOWN", "condition IS NOT UNKNOWN", "Whether the condition is TRUE or FALSE.",
       "(1 = 1) IS NOT UNKNOWN", "TRUE", BindIsNull<false>},
  };
}

}  // namespace tidemill
