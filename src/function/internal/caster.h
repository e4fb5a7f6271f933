#pragma once

#include <memory>
#include <string>
#include <vector>

#include <arrow/array.h>

#include "function/errors.h"
#include "function/internal/row_kernel.h"
#include "function/internal/zone.h"

namespace tidemill {

// One CAST over one column and, for nested types, its children. A value that can't be cast becomes NULL and is listed.
class Caster {
 public:
  struct Failure {
    int64_t index;
    std::string detail;
  };

  explicit Caster(std::string time_zone) : time_zone_(std::move(time_zone)) {}
  Result<std::shared_ptr<arrow::Array>> Cast(const std::shared_ptr<arrow::Array>& array, const DataType& from,
                                             const DataType& to);
  const std::vector<Failure>& failures() const { return failures_; }
  std::vector<Failure> TakeFailures() { return std::exchange(failures_, {}); }
  void Fail(int64_t index, std::string detail) { failures_.push_back(Failure{index, std::move(detail)}); }
  Result<ZoneOffsets*> Zone();
  const std::string& time_zone() const { return time_zone_; }

 private:
  std::string time_zone_;
  std::unique_ptr<ZoneOffsets> zone_;
  std::vector<Failure> failures_;
};

// What became of one value.
enum class Outcome : uint8_t { kOk, kNull, kFailed };

// The groups of casts; each handles the pairs that cast.cc sends it.
Result<std::shared_ptr<arrow::Array>> CastNumber(Caster& caster, const arrow::Array& array, const DataType& from,
                                                 const DataType& to);
Result<std::shared_ptr<arrow::Array>> CastFromText(Caster& caster, const arrow::Array& array, const DataType& to);
Result<std::shared_ptr<arrow::Array>> CastToText(Caster& caster, const arrow::Array& array, const DataType& from);
Result<std::shared_ptr<arrow::Array>> CastTime(Caster& caster, const arrow::Array& array, const DataType& from,
                                               const DataType& to);
Result<std::shared_ptr<arrow::Array>> CastNested(Caster& caster, const arrow::Array& array, const DataType& from,
                                                 const DataType& to);
Result<std::shared_ptr<arrow::Array>> NestedToText(Caster& caster, const arrow::Array& array, const DataType& from);

Result<Validity> ValidityOfArray(const arrow::Array& array);

// Value by value: `convert(In, Out&) -> Outcome`; `describe(In)` makes the detail of a failure.
template <typename In, typename Out, typename Convert, typename Describe>
Result<std::shared_ptr<arrow::Array>> MapValues(Caster& caster, const arrow::Array& array, const DataType& to,
                                                Convert&& convert, Describe&& describe) {
  const int64_t rows = array.length();
  TM_ASSIGN_OR_RETURN(OutColumn<Out> out, OutColumn<Out>::Make(rows));
  TM_ASSIGN_OR_RETURN(Validity validity, ValidityOfArray(array));
  const Reader<In> in(array, false);
  bool owned = false;
  Out value{};
  for (int64_t i = 0; i < rows; ++i) {
    Outcome outcome = Outcome::kNull;
    if (validity.IsValid(i)) {
      if constexpr (std::is_same_v<Out, std::string>) value.clear();
      outcome = convert(in(i), value);
      if (outcome == Outcome::kOk) [[likely]] {
        TM_RETURN_IF_ERROR(out.Append(i, value));
        continue;
      }
      if (outcome == Outcome::kFailed) caster.Fail(i, describe(in(i)));
      TM_RETURN_IF_ERROR(AddNull(validity, owned, i, rows));
    }
    TM_RETURN_IF_ERROR(out.AppendNull(i));
  }
  return out.Finish(to, rows, validity);
}

}  // namespace tidemill
