#include <arrow/array/util.h>
#include <arrow/util/bitmap_ops.h>

#include "data/arrow_status.h"
#include "data/schema.h"
#include "function/errors.h"
#include "function/internal/caster.h"

namespace tidemill {

Result<Validity> ValidityOfArray(const arrow::Array& array) {
  Validity validity;
  if (array.null_count() == 0) return validity;
  TM_ARROW_ASSIGN_OR_RETURN(validity.bits,
                            arrow::internal::CopyBitmap(arrow::default_memory_pool(), array.null_bitmap_data(),
                                                        array.offset(), array.length()),
                            "validity");
  return validity;
}

Result<ZoneOffsets*> Caster::Zone() {
  if (zone_ == nullptr) {
    TM_ASSIGN_OR_RETURN(ZoneOffsets zone, ZoneOffsets::Make(time_zone_));
    zone_ = std::make_unique<ZoneOffsets>(std::move(zone));
  }
  return zone_.get();
}

Result<std::shared_ptr<arrow::Array>> Caster::Cast(const std::shared_ptr<arrow::Array>& array, const DataType& from,
                                                   const DataType& to) {
  if (from.SameAs(to)) return array;
  if (from.kind() == TypeKind::kNull) return MakeNullArray(to, array->length());
  if (!ExplicitlyCastable(from, to)) {
    return Status(kWrongArguments,
                  "no CAST from " + from.WithNullable(true).ToString() + " to " + to.WithNullable(true).ToString());
  }
  if (from.kind() == TypeKind::kString) return CastFromText(*this, *array, to);
  if (to.kind() == TypeKind::kString) return CastToText(*this, *array, from);
  if (from.kind() == TypeKind::kArray || from.kind() == TypeKind::kMap || from.kind() == TypeKind::kMultiset ||
      from.kind() == TypeKind::kRow) {
    return CastNested(*this, *array, from, to);
  }
  if (from.kind() == TypeKind::kDate || from.kind() == TypeKind::kTime || from.IsTimestamp()) {
    return CastTime(*this, *array, from, to);
  }
  return CastNumber(*this, *array, from, to);
}

Result<arrow::Datum> CastDatum(EvalContext& context, const arrow::Datum& value, const DataType& from,
                               const DataType& to, bool try_cast) {
  if (from.SameAs(to)) return value;
  TM_ASSIGN_OR_RETURN(Frame frame, Frame::Make(context, {&value, 1}));
  Caster caster(context.time_zone());
  TM_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Array> array, caster.Cast(frame.column_ptr(0), from, to));
  if (!try_cast) {
    for (const Caster::Failure& failure : caster.failures()) frame.Raise(failure.index, kCastFailed, failure.detail);
  }
  return frame.Finish(std::move(array));
}

}  // namespace tidemill
