#include "exec/window_grid.h"

#include <numeric>

#include "exec/event_time.h"
#include "function/internal/zone.h"

namespace tidemill {

struct WindowGrid::Zone {
  explicit Zone(ZoneOffsets zone_offsets) : offsets(std::move(zone_offsets)) {}
  ZoneOffsets offsets;
};

WindowGrid::~WindowGrid() = default;

Result<std::unique_ptr<WindowGrid>> WindowGrid::Make(const WindowSpec& spec) {
  TM_CHECK(spec.kind != WindowKind::kSession && spec.size_ms > 0);
  std::unique_ptr<WindowGrid> grid(new WindowGrid());
  grid->kind_ = spec.kind;
  grid->width_ = spec.size_ms;
  if (spec.kind == WindowKind::kHop) grid->width_ = std::gcd(spec.size_ms, spec.slide_ms);
  if (spec.kind == WindowKind::kCumulate) grid->width_ = spec.slide_ms;
  TM_CHECK(grid->width_ > 0);
  grid->size_slices_ = spec.size_ms / grid->width_;
  grid->slide_slices_ = spec.kind == WindowKind::kHop ? spec.slide_ms / grid->width_ : 1;
  // Offsets that differ by the period of the grid are the same.
  const int64_t period = spec.kind == WindowKind::kHop ? spec.slide_ms : spec.size_ms;
  grid->offset_ = spec.offset_ms - FloorDivide(spec.offset_ms, period) * period;
  if (!spec.time_zone.empty()) {
    TM_ASSIGN_OR_RETURN(ZoneOffsets offsets, ZoneOffsets::Make(spec.time_zone));
    if (!offsets.is_utc()) grid->zone_ = std::make_unique<Zone>(std::move(offsets));
  }
  return grid;
}

int64_t WindowGrid::ToLocal(EventTime time) const { return zone_ ? zone_->offsets.ToLocalMs(time) : time; }

EventTime WindowGrid::ToInstant(int64_t local) const {
  if (!zone_) return local;
  const EventTime instant = zone_->offsets.ToUtcMs(local);
  for (const int64_t repeat : {3'600'000, 1'800'000}) {
    if (zone_->offsets.ToLocalMs(instant + repeat) == local) return instant + repeat;
  }
  return instant;
}

EventTime WindowGrid::FireTime(int64_t window) const { return ToInstant(WindowEnd(window) - 1); }

int64_t WindowGrid::FirstWindow(int64_t slice) const {
  if (kind_ != WindowKind::kHop) return slice;
  // Windows end at slices (n + 1) * slide - 1 + (size mod slide), n any: their starts are multiples of the slide.
  const int64_t last = size_slices_ - 1;
  const int64_t starts =
      FloorDivide(slice - last + slide_slices_ - 1, slide_slices_);  // least multiple >= slice - last
  return starts * slide_slices_ + last;
}

int64_t WindowGrid::LastWindow(int64_t slice) const {
  switch (kind_) {
    case WindowKind::kHop:
      return FloorDivide(slice, slide_slices_) * slide_slices_ + size_slices_ - 1;
    case WindowKind::kCumulate:
      return FloorDivide(slice, size_slices_) * size_slices_ + size_slices_ - 1;
    default:
      return slice;
  }
}

int64_t WindowGrid::NextWindow(int64_t window) const { return window + slide_slices_; }

int64_t WindowGrid::FirstSlice(int64_t window) const {
  switch (kind_) {
    case WindowKind::kHop:
      return window - size_slices_ + 1;
    case WindowKind::kCumulate:
      return FloorDivide(window, size_slices_) * size_slices_;
    default:
      return window;
  }
}

}  // namespace tidemill
