#include "function/internal/zone.h"

#include <chrono>

#include "function/errors.h"
#include "function/internal/civil.h"

namespace tidemill {
namespace {

using Seconds = cctz::time_point<cctz::seconds>;

Seconds At(int64_t seconds) { return Seconds(cctz::seconds(seconds)); }

// "+02:00", "-0530", "+2".
bool ParseOffset(std::string_view text, int64_t& offset_s) {
  if (text.empty() || (text[0] != '+' && text[0] != '-')) return false;
  const int sign = text[0] == '-' ? -1 : 1;
  int digits[4] = {0, 0, 0, 0};
  int count = 0;
  for (size_t i = 1; i < text.size(); ++i) {
    if (text[i] == ':' && (i == 2 || i == 3)) continue;
    if (text[i] < '0' || text[i] > '9' || count == 4) return false;
    digits[count++] = text[i] - '0';
  }
  if (count == 0 || count == 3) return false;
  const int hours = count == 1 ? digits[0] : digits[0] * 10 + digits[1];
  const int minutes = digits[2] * 10 + digits[3];
  if (hours > 18 || minutes > 59) return false;
  offset_s = sign * (hours * 3600 + minutes * 60);
  return true;
}

// When the clock jumps. A jump forward skips the civil time that it starts from; one back makes the one that it ends at
// exist twice.
int64_t InstantOf(const cctz::time_zone& zone, const cctz::time_zone::civil_transition& transition) {
  const auto from = zone.lookup(transition.from);
  if (from.kind != cctz::time_zone::civil_lookup::UNIQUE) return from.trans.time_since_epoch().count();
  return zone.lookup(transition.to).trans.time_since_epoch().count();
}

}  // namespace

Result<ZoneOffsets> ZoneOffsets::Make(const std::string& name) {
  ZoneOffsets zone;
  if (name == "UTC" || name == "Z" || name == "GMT") {
    zone.fixed_ = true;
    return zone;
  }
  std::string_view text = name;
  if (text.starts_with("UTC") || text.starts_with("GMT")) text.remove_prefix(3);
  int64_t offset_s = 0;
  if (ParseOffset(text, offset_s)) {
    zone.fixed_ = true;
    zone.fixed_offset_ms_ = offset_s * 1000;
    return zone;
  }
  if (!cctz::load_time_zone(name, &zone.zone_)) {
    return Status(kInvalidArgument, "no such time zone: '" + name + "'");
  }
  return zone;
}

int64_t ZoneOffsets::ToLocalMs(int64_t utc_ms) {
  if (fixed_) return WrappingAdd(utc_ms, fixed_offset_ms_);
  const int64_t seconds = FloorDiv(utc_ms, 1000);
  if (seconds < from_s_ || seconds >= until_s_) {
    offset_ms_ = static_cast<int64_t>(zone_.lookup(At(seconds)).offset) * 1000;
    // A transition is where the offset changes; outside of all of them the offset holds for ever.
    cctz::time_zone::civil_transition transition;
    from_s_ = INT64_MIN;
    until_s_ = INT64_MAX;
    if (zone_.prev_transition(At(seconds + 1), &transition)) from_s_ = InstantOf(zone_, transition);
    if (zone_.next_transition(At(seconds), &transition)) until_s_ = InstantOf(zone_, transition);
    if (seconds < from_s_ || seconds >= until_s_) {
      from_s_ = seconds;
      until_s_ = seconds + 1;
    }
  }
  return WrappingAdd(utc_ms, offset_ms_);
}

int64_t ZoneOffsets::ToUtcMs(int64_t local_ms) {
  if (fixed_) return WrappingSubtract(local_ms, fixed_offset_ms_);
  const int64_t guess = WrappingSubtract(local_ms, offset_ms_);
  const int64_t seconds = FloorDiv(guess, 1000);
  constexpr int64_t kMargin = 2 * 86'400;  // farther than any two offsets lie apart
  if (until_s_ > from_s_ && (from_s_ == INT64_MIN || seconds - kMargin >= from_s_) &&
      (until_s_ == INT64_MAX || seconds + kMargin < until_s_)) {
    return guess;
  }
  const int64_t local_s = FloorDiv(local_ms, 1000);
  const cctz::civil_second civil = cctz::civil_second() + local_s;
  const int64_t utc_s = zone_.lookup(civil).pre.time_since_epoch().count();
  const int64_t utc_ms = utc_s * 1000 + FloorMod(local_ms, 1000);
  ToLocalMs(utc_ms);  // keeps the range for the next ones
  return utc_ms;
}

}  // namespace tidemill
