#include <limits>

#include <arrow/util/utf8.h>
#include <cctz/time_zone.h>

#include "data/time_text.h"
#include "function/internal/caster.h"
#include "function/internal/civil.h"
#include "function/internal/decimal.h"
#include "function/internal/number_text.h"

namespace tidemill {
namespace {

std::string NoSuchValue(std::string_view text, const DataType& to) {
  constexpr size_t kShown = 64;
  std::string shown(text.substr(0, kShown));
  if (text.size() > kShown) shown += "...";
  return "'" + shown + "' is no " + to.WithNullable(true).ToString();
}

template <typename Out>
Outcome ConvertText(std::string_view text, const DataType& to, Out& out) {
  bool ok = false;
  if constexpr (std::is_same_v<Out, bool>) {
    ok = ParseBoolean(text, out);
  } else if constexpr (std::is_same_v<Out, Int128>) {
    const DecimalParse parsed = ParseDecimal(text, to.precision(), to.scale(), out);
    if (parsed == DecimalParse::kTooLarge) return Outcome::kNull;
    ok = parsed == DecimalParse::kOk;
  } else if constexpr (std::is_floating_point_v<Out>) {
    ok = ParseFloating(text, out);
  } else if constexpr (std::is_integral_v<Out>) {
    int64_t value = 0;
    ok = ParseInteger(text, std::numeric_limits<Out>::min(), std::numeric_limits<Out>::max(), value);
    out = static_cast<Out>(value);
  }
  return ok ? Outcome::kOk : Outcome::kFailed;
}

Outcome TimeText(std::string_view text, const DataType& to, int32_t& out) {
  const bool ok = to.kind() == TypeKind::kDate ? ParseDateText(text, TimeSyntax::kCast, out)
                                               : ParseTimeText(text, TimeSyntax::kCast, out);
  return ok ? Outcome::kOk : Outcome::kFailed;
}

Outcome TimestampText64(std::string_view text, const DataType& to, ZoneOffsets* zone, int64_t& out) {
  if (zone == nullptr) return ParseTimestampValue(text, TimeSyntax::kCast, to, out) ? Outcome::kOk : Outcome::kFailed;
  TimestampText parsed;
  if (!ParseTimestampText(text, TimeSyntax::kCast, parsed)) return Outcome::kFailed;
  const int64_t seconds =
      parsed.has_zone ? parsed.seconds - parsed.zone_seconds : FloorDiv(zone->ToUtcMs(parsed.seconds * 1000), 1000);
  return TimestampValue(seconds, parsed.nanos, to.precision(), out) ? Outcome::kOk : Outcome::kFailed;
}

// Bytes that are no UTF-8 become U+FFFD, one for each.
void AppendUtf8(std::string_view bytes, std::string& out) {
  const auto* data = reinterpret_cast<const uint8_t*>(bytes.data());
  if (arrow::util::ValidateUTF8(data, static_cast<int64_t>(bytes.size()))) {
    out.append(bytes);
    return;
  }
  for (size_t i = 0; i < bytes.size();) {
    size_t length = 1;
    while (length < 4 && i + length < bytes.size() && (data[i + length] & 0xc0) == 0x80) ++length;
    if (arrow::util::ValidateUTF8(data + i, static_cast<int64_t>(length))) {
      out.append(bytes.substr(i, length));
      i += length;
    } else {
      out.append("\xef\xbf\xbd");
      ++i;
    }
  }
}

void AppendPadded(int64_t value, int digits, std::string& out) {
  const std::string text = std::to_string(value);
  out.append(text.size() < static_cast<size_t>(digits) ? static_cast<size_t>(digits) - text.size() : 0, '0');
  out += text;
}

// "+1-02" and "+1 02:03:04.500".
void AppendInterval(int64_t value, TypeKind kind, std::string& out) {
  out += value < 0 ? '-' : '+';
  const uint64_t size = value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
  if (kind == TypeKind::kIntervalMonth) {
    out += std::to_string(size / 12) + "-";
    AppendPadded(static_cast<int64_t>(size % 12), 2, out);
    return;
  }
  out += std::to_string(size / kDayMs) + " ";
  AppendPadded(static_cast<int64_t>(size / 3'600'000 % 24), 2, out);
  out += ':';
  AppendPadded(static_cast<int64_t>(size / 60'000 % 60), 2, out);
  out += ':';
  AppendPadded(static_cast<int64_t>(size / 1000 % 60), 2, out);
  out += '.';
  AppendPadded(static_cast<int64_t>(size % 1000), 3, out);
}

int64_t UnitsPerSecond(int precision) { return precision <= 3 ? 1'000 : precision <= 6 ? 1'000'000 : 1'000'000'000; }

template <typename In>
void AppendText(In value, const DataType& from, ZoneOffsets* zone, std::string& out) {
  if constexpr (std::is_same_v<In, bool>) {
    out += value ? "TRUE" : "FALSE";
  } else if constexpr (std::is_same_v<In, Int128>) {
    AppendDecimal(value, from.scale(), out);
  } else if constexpr (std::is_floating_point_v<In>) {
    AppendFloating(value, out);
  } else if constexpr (std::is_same_v<In, std::string_view>) {
    AppendUtf8(value, out);
  } else {
    switch (from.kind()) {
      case TypeKind::kDate:
        return AppendDateText(static_cast<int32_t>(value), out);
      case TypeKind::kTime:
        return AppendTimeText(static_cast<int32_t>(value), FractionDigits::kMinimal, out);
      case TypeKind::kIntervalDay:
      case TypeKind::kIntervalMonth:
        return AppendInterval(value, from.kind(), out);
      case TypeKind::kTimestampLtz: {
        const int64_t per_ms = UnitsPerSecond(from.precision()) / 1000;
        const int64_t ms = FloorDiv(value, per_ms);
        const int64_t local = zone->ToLocalMs(ms) * per_ms + (value - ms * per_ms);
        return AppendTimestampText(local, from.precision(), ' ', FractionDigits::kAsPrecision, out);
      }
      case TypeKind::kTimestamp:
        return AppendTimestampText(static_cast<int64_t>(value), from.precision(), ' ', FractionDigits::kAsPrecision,
                                   out);
      default:
        AppendInteger(value, out);
    }
  }
}

}  // namespace

Result<std::shared_ptr<arrow::Array>> CastFromText(Caster& caster, const arrow::Array& array, const DataType& to) {
  const auto describe = [&to](std::string_view text) { return NoSuchValue(text, to); };
  switch (to.kind()) {
    case TypeKind::kBytes: {
      std::shared_ptr<arrow::ArrayData> data = array.data()->Copy();
      data->type = ToArrow(to);
      return arrow::MakeArray(data);
    }
    case TypeKind::kDate:
    case TypeKind::kTime:
      return MapValues<std::string_view, int32_t>(
          caster, array, to, [&to](std::string_view text, int32_t& out) { return TimeText(text, to, out); }, describe);
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampLtz: {
      ZoneOffsets* zone = nullptr;
      if (to.kind() == TypeKind::kTimestampLtz) {
        TM_ASSIGN_OR_RETURN(zone, caster.Zone());
      }
      return MapValues<std::string_view, int64_t>(
          caster, array, to, [&](std::string_view text, int64_t& out) { return TimestampText64(text, to, zone, out); },
          describe);
    }
    default:
      break;
  }
  Result<std::shared_ptr<arrow::Array>> result = Status(kWrongArguments, "no CAST from STRING to " + to.ToString());
  DispatchPhysical(to.kind(), [&](auto tag) {
    using Out = typename decltype(tag)::Type;
    if constexpr (!std::is_same_v<Out, std::string_view>) {
      result = MapValues<std::string_view, Out>(
          caster, array, to, [&to](std::string_view text, Out& out) { return ConvertText<Out>(text, to, out); },
          describe);
    }
  });
  return result;
}

Result<std::shared_ptr<arrow::Array>> CastToText(Caster& caster, const arrow::Array& array, const DataType& from) {
  ZoneOffsets* zone = nullptr;
  if (from.kind() == TypeKind::kTimestampLtz) {
    TM_ASSIGN_OR_RETURN(zone, caster.Zone());
  }
  Result<std::shared_ptr<arrow::Array>> result = MakeNullArray(DataType(TypeKind::kString), 0);
  if (from.kind() == TypeKind::kBytes) arrow::util::InitializeUTF8();
  const bool plain = DispatchPhysical(from.kind(), [&](auto tag) {
    using In = typename decltype(tag)::Type;
    result = MapValues<In, std::string>(
        caster, array, DataType(TypeKind::kString),
        [&](In value, std::string& out) {
          AppendText<In>(value, from, zone, out);
          return Outcome::kOk;
        },
        [](In) { return std::string(); });
  });
  return plain ? result : NestedToText(caster, array, from);
}

}  // namespace tidemill
