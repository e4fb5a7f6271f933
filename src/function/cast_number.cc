#include <cmath>
#include <limits>

#include "function/internal/caster.h"
#include "function/internal/decimal.h"

namespace tidemill {
namespace {

template <typename T>
constexpr bool kIsDecimal = std::is_same_v<T, Int128>;

// Java's conversions: integers are cut to the lower bits; NaN becomes 0 and what is too large the nearest int (or
// long), then cut.
template <typename In, typename Out>
Out FloatingToInteger(In value) {
  using Wide = std::conditional_t<(sizeof(Out) < 8), int32_t, int64_t>;
  if (std::isnan(value)) return 0;
  if (value >= -static_cast<In>(std::numeric_limits<Wide>::min()))
    return static_cast<Out>(std::numeric_limits<Wide>::max());
  if (value <= static_cast<In>(std::numeric_limits<Wide>::min()))
    return static_cast<Out>(std::numeric_limits<Wide>::min());
  return static_cast<Out>(static_cast<Wide>(value));
}

template <typename In, typename Out>
Outcome Convert(In value, const DataType& from, const DataType& to, Out& out) {
  if constexpr (std::is_same_v<Out, bool>) {
    out = value != In{0};
  } else if constexpr (std::is_same_v<In, bool>) {
    if constexpr (kIsDecimal<Out>)
      return Rescale(value ? 1 : 0, 0, to.precision(), to.scale(), out) ? Outcome::kOk : Outcome::kNull;
    else
      out = value ? 1 : 0;
  } else if constexpr (kIsDecimal<In> && kIsDecimal<Out>) {
    return Rescale(value, from.scale(), to.precision(), to.scale(), out) ? Outcome::kOk : Outcome::kNull;
  } else if constexpr (kIsDecimal<In>) {
    if constexpr (std::is_floating_point_v<Out>)
      out = static_cast<Out>(DecimalToDouble(value, from.scale()));
    else
      out = static_cast<Out>(static_cast<int64_t>(value / PowerOfTen(from.scale())));
  } else if constexpr (kIsDecimal<Out>) {
    if constexpr (std::is_floating_point_v<In>)
      return DecimalFromDouble(value, to.precision(), to.scale(), out) ? Outcome::kOk : Outcome::kNull;
    else
      return Rescale(value, 0, to.precision(), to.scale(), out) ? Outcome::kOk : Outcome::kNull;
  } else if constexpr (std::is_floating_point_v<In> && std::is_integral_v<Out>) {
    out = FloatingToInteger<In, Out>(value);
  } else {
    out = static_cast<Out>(value);
  }
  return Outcome::kOk;
}

}  // namespace

Result<std::shared_ptr<arrow::Array>> CastNumber(Caster& caster, const arrow::Array& array, const DataType& from,
                                                 const DataType& to) {
  if (from.kind() == TypeKind::kBytes) return arrow::MakeArray(array.data());
  Result<std::shared_ptr<arrow::Array>> result =
      Status(kWrongArguments, "no CAST from " + from.ToString() + " to " + to.ToString());
  DispatchPhysical(from.kind(), [&](auto in) {
    DispatchPhysical(to.kind(), [&](auto out) {
      using In = typename decltype(in)::Type;
      using Out = typename decltype(out)::Type;
      if constexpr (!std::is_same_v<In, std::string_view> && !std::is_same_v<Out, std::string_view>) {
        result = MapValues<In, Out>(
            caster, array, to, [&](In value, Out& converted) { return Convert<In, Out>(value, from, to, converted); },
            [](In) { return std::string(); });
      }
    });
  });
  return result;
}

}  // namespace tidemill
