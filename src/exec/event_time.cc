#include "exec/event_time.h"

#include <arrow/api.h>

#include "base/status.h"

namespace tidemill {
namespace {

int64_t UnitsPerMilli(const arrow::DataType& type) {
  if (type.id() != arrow::Type::TIMESTAMP) return 1;
  switch (static_cast<const arrow::TimestampType&>(type).unit()) {
    case arrow::TimeUnit::MICRO:
      return 1'000;
    case arrow::TimeUnit::NANO:
      return 1'000'000;
    default:
      return 1;
  }
}

}  // namespace

void EventTimesOf(const arrow::Array& column, std::vector<EventTime>& times) {
  const int64_t n = column.length();
  times.resize(static_cast<size_t>(n));
  if (n == 0) return;
  const int64_t* values = column.data()->GetValues<int64_t>(1);
  const int64_t units = UnitsPerMilli(*column.type());
  if (units == 1) {
    std::copy_n(values, n, times.data());
  } else {
    for (int64_t i = 0; i < n; ++i) {
      const int64_t value = values[i];
      times[static_cast<size_t>(i)] = value / units - (value % units < 0);
    }
  }
  if (column.null_count() == 0) return;
  for (int64_t i = 0; i < n; ++i) {
    if (column.IsNull(i)) times[static_cast<size_t>(i)] = kMinEventTime;
  }
}

std::shared_ptr<arrow::Array> TimestampColumn(const DataType& type, const std::vector<EventTime>& times) {
  const auto arrow_type = ToArrow(type);
  const int64_t n = static_cast<int64_t>(times.size());
  const int64_t units = UnitsPerMilli(*arrow_type);
  auto buffer = arrow::AllocateBuffer(n * 8);
  TM_CHECK(buffer.ok());
  auto* out = reinterpret_cast<int64_t*>((*buffer)->mutable_data());
  for (size_t i = 0; i < times.size(); ++i) out[i] = times[i] * units;
  return arrow::MakeArray(
      arrow::ArrayData::Make(arrow_type, n, {nullptr, std::shared_ptr<arrow::Buffer>(*std::move(buffer))}, 0));
}

}  // namespace tidemill
