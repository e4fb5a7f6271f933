#pragma once

#include <cstdint>
#include <memory>

#include "base/clock.h"
#include "base/status.h"
#include "sql/logical_plan.h"

namespace tidemill {

// The grid of TUMBLE, HOP and CUMULATE windows on the wall clock: windows are unions of slices, slices are numbered.
//
// Slice s covers [s * width + offset, (s + 1) * width + offset) of local time: TIMESTAMP as it is, TIMESTAMP_LTZ in the
// session's zone. The width is the size (TUMBLE), the greatest common divisor of slide and size (HOP) or the step
// (CUMULATE). A window is named by its last slice. Not thread-safe (remembers the zone's last offset).
class WindowGrid {
 public:
  static Result<std::unique_ptr<WindowGrid>> Make(const WindowSpec& spec);
  ~WindowGrid();

  int64_t ToLocal(EventTime time) const;
  // The instant from which on no time maps below `local`: of a local time that exists twice the later instant.
  EventTime ToInstant(int64_t local) const;
  int64_t SliceOf(EventTime time) const { return SliceOfLocal(ToLocal(time)); }
  int64_t SliceOfLocal(int64_t local) const { return FloorDivide(local - offset_, width_); }
  int64_t SliceStart(int64_t slice) const { return slice * width_ + offset_; }
  int64_t SliceEnd(int64_t slice) const { return (slice + 1) * width_ + offset_; }

  // The first and the last window that contain a slice, by their last slices.
  int64_t FirstWindow(int64_t slice) const;
  int64_t LastWindow(int64_t slice) const;
  // The window after `window`.
  int64_t NextWindow(int64_t window) const;
  // The first slice of a window.
  int64_t FirstSlice(int64_t window) const;
  int64_t WindowStart(int64_t window) const { return SliceStart(FirstSlice(window)); }  // local
  int64_t WindowEnd(int64_t window) const { return SliceEnd(window); }                  // local
  // A window fires when the watermark is at or past this: its end less a millisecond.
  EventTime FireTime(int64_t window) const;
  int64_t slices_per_window() const { return size_slices_; }

  static int64_t FloorDivide(int64_t a, int64_t b) { return a / b - (a % b < 0); }

 private:
  struct Zone;
  WindowGrid() = default;

  WindowKind kind_ = WindowKind::kTumble;
  int64_t width_ = 1;
  int64_t offset_ = 0;
  int64_t size_slices_ = 1;
  int64_t slide_slices_ = 1;
  std::unique_ptr<Zone> zone_;  // null: wall clock as it is
};

}  // namespace tidemill
