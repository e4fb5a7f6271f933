#include "function/internal/caster.h"
#include "function/internal/civil.h"

namespace tidemill {
namespace {

int64_t UnitsPerMs(int precision) { return precision <= 3 ? 1 : precision <= 6 ? 1'000 : 1'000'000; }

// A point of time as milliseconds and the nanoseconds within one, as Flink's TimestampData.
struct Point {
  int64_t ms;
  int64_t nanos;
};

Point ReadPoint(int64_t value, const DataType& from) {
  switch (from.kind()) {
    case TypeKind::kDate:
      return {value * kDayMs, 0};
    case TypeKind::kTime:
      return {value, 0};
    default: {
      const int64_t per_ms = UnitsPerMs(from.precision());
      const int64_t ms = FloorDiv(value, per_ms);
      return {ms, (value - ms * per_ms) * (1'000'000 / per_ms)};
    }
  }
}

// Digits beyond the precision are cut off. False when nanoseconds can't reach that far (years 1677 to 2262).
bool WritePoint(Point point, const DataType& to, int64_t& out) {
  switch (to.kind()) {
    case TypeKind::kDate:
      out = FloorDiv(point.ms, kDayMs);
      return true;
    case TypeKind::kTime:
      out = FloorMod(point.ms, kDayMs);
      return true;
    default:
      break;
  }
  static constexpr int64_t kMsStep[] = {1000, 100, 10, 1};
  if (to.precision() < 3) {
    out = FloorDiv(point.ms, kMsStep[to.precision()]) * kMsStep[to.precision()];
    return true;
  }
  static constexpr int64_t kNanoStep[] = {1'000'000, 100'000, 10'000, 1'000, 100, 10, 1};
  const int64_t nanos = point.nanos / kNanoStep[to.precision() - 3] * kNanoStep[to.precision() - 3];
  const int64_t per_ms = UnitsPerMs(to.precision());
  return !__builtin_mul_overflow(point.ms, per_ms, &out) &&
         !__builtin_add_overflow(out, nanos / (1'000'000 / per_ms), &out);
}

template <typename In, typename Out>
Result<std::shared_ptr<arrow::Array>> Map(Caster& caster, const arrow::Array& array, const DataType& from,
                                          const DataType& to) {
  const bool from_instant = from.kind() == TypeKind::kTimestampLtz;
  const bool to_instant = to.kind() == TypeKind::kTimestampLtz;
  ZoneOffsets* zone = nullptr;
  if (from_instant != to_instant) {
    TM_ASSIGN_OR_RETURN(zone, caster.Zone());
    if (zone->is_utc()) zone = nullptr;
  }
  return MapValues<In, Out>(
      caster, array, to,
      [&](In value, Out& out) {
        Point point = ReadPoint(value, from);
        if (zone != nullptr) point.ms = to_instant ? zone->ToUtcMs(point.ms) : zone->ToLocalMs(point.ms);
        int64_t wide = 0;
        if (!WritePoint(point, to, wide)) return Outcome::kFailed;
        out = static_cast<Out>(wide);
        return Outcome::kOk;
      },
      [&](In) { return "time outside of the years that " + to.WithNullable(true).ToString() + " can hold"; });
}

}  // namespace

Result<std::shared_ptr<arrow::Array>> CastTime(Caster& caster, const arrow::Array& array, const DataType& from,
                                               const DataType& to) {
  const bool in32 = !from.IsTimestamp(), out32 = !to.IsTimestamp();
  if (in32 && out32) return Map<int32_t, int32_t>(caster, array, from, to);
  if (in32) return Map<int32_t, int64_t>(caster, array, from, to);
  if (out32) return Map<int64_t, int32_t>(caster, array, from, to);
  return Map<int64_t, int64_t>(caster, array, from, to);
}

}  // namespace tidemill
