#pragma once

#include <cstdint>
#include <string>

#include <cctz/time_zone.h>

#include "base/status.h"

namespace tidemill {

// Offsets of one time zone, for many instants that lie near each other: the last answer is kept for as long as it
// holds. Local times in a gap move forward by its length, those that exist twice are the earlier instant (as Java's
// LocalDateTime.atZone). Not thread-safe; one per kernel call.
class ZoneOffsets {
 public:
  // kInvalidArgument when there is no such zone. "UTC", "Europe/Berlin", "GMT+02:00", "+02:00".
  static Result<ZoneOffsets> Make(const std::string& name);

  int64_t ToLocalMs(int64_t utc_ms);
  int64_t ToUtcMs(int64_t local_ms);
  bool is_utc() const { return fixed_ && fixed_offset_ms_ == 0; }

 private:
  cctz::time_zone zone_;
  bool fixed_ = false;
  int64_t fixed_offset_ms_ = 0;
  int64_t from_s_ = 0;  // the offset of [from_s_, until_s_) is offset_ms_
  int64_t until_s_ = 0;
  int64_t offset_ms_ = 0;
};

}  // namespace tidemill
