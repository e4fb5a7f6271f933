#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "data/data_type.h"

namespace arrow {
class Array;
}

namespace tidemill {

// A timestamp column as event times: milliseconds, rounded down. NULL gives kMinEventTime.
void EventTimesOf(const arrow::Array& column, std::vector<EventTime>& times);
// The reverse: a column of `type` (TIMESTAMP or TIMESTAMP_LTZ of any precision); no NULLs.
std::shared_ptr<arrow::Array> TimestampColumn(const DataType& type, const std::vector<EventTime>& times);

// a - b and a + b without leaving the range.
inline EventTime SaturatingSubtract(EventTime a, int64_t b) {
  EventTime out = 0;
  if (__builtin_sub_overflow(a, b, &out)) return b > 0 ? kMinEventTime : kMaxEventTime;
  return out;
}
inline EventTime SaturatingAdd(EventTime a, int64_t b) {
  EventTime out = 0;
  if (__builtin_add_overflow(a, b, &out)) return b > 0 ? kMaxEventTime : kMinEventTime;
  return out;
}

}  // namespace tidemill
