#pragma once

#include <cstdint>
#include <vector>

#include "exec/over_kernel.h"
#include "sql/logical_plan.h"
#include "state/time_buffer.h"

namespace tidemill {

// The first pass of OVER: for each row of a run, which records leave and enter each frame of its key. Only here are
// event times looked at. Keeps, by key slot, where each frame begins and up to which record all frames have advanced.
class OverFrames {
 public:
  // `peers`: rows of the same time share one frame (RANGE, when all of them are there).
  OverFrames(std::vector<OverFrame> frames, bool peers);

  void Resize(size_t slots) { state_.resize(slots * stride_, 0); }
  // For rows whose records `run.own` were appended at times `times`; results hold until the next call.
  void Advance(const TimeBuffer& buffer, const OverRun& run, const EventTime* times);
  FrameRun result(size_t frame) const;

  // The frame of the newest record, from the records alone; everything counts as entered.
  void Rebuild(const TimeBuffer& buffer, uint32_t slot);
  uint32_t begin(uint32_t slot, size_t frame) const { return state_[slot * stride_ + 1 + frame]; }
  void set_begin(uint32_t slot, size_t frame, uint32_t sequence) { state_[slot * stride_ + 1 + frame] = sequence; }
  void set_entered(uint32_t slot, uint32_t sequence) { state_[slot * stride_] = sequence; }
  void Clear(uint32_t slot) { std::fill_n(state_.begin() + static_cast<int64_t>(slot * stride_), stride_, 0); }
  // The first record that any bounded frame still holds; `back` when there is none.
  uint32_t FirstHeld(const TimeBuffer::Ring& ring, uint32_t slot) const;
  // The first record of the frame that ends with record `own` at `time`.
  uint32_t BeginAt(const TimeBuffer& buffer, const TimeBuffer::Ring& ring, size_t frame, uint32_t own,
                   EventTime time) const;

  const std::vector<OverFrame>& frames() const { return frames_; }
  int64_t MemoryBytes() const { return static_cast<int64_t>(state_.capacity() * 4); }

 private:
  struct Rows {
    std::vector<uint32_t> begin, end, leave_ends;
    std::vector<const uint64_t*> leave;
  };
  struct Entering {
    std::vector<uint32_t> ends;
    std::vector<const uint64_t*> records;
  };
  void AdvanceEnds(const TimeBuffer& buffer, const OverRun& run, const EventTime* times);
  void AdvanceRange(size_t frame, const TimeBuffer& buffer, const OverRun& run, const EventTime* times);
  void AdvanceRows(size_t frame, const TimeBuffer& buffer, const OverRun& run);

  std::vector<OverFrame> frames_;
  bool peers_;
  size_t stride_;
  std::vector<uint32_t> state_;     // by slot: entered, then the begin of each frame
  std::vector<uint32_t> ends_;      // of RANGE frames, by row
  std::vector<uint32_t> own_ends_;  // of ROWS frames
  Entering entering_;               // of RANGE frames
  Entering own_;                    // of ROWS frames: the row's own record
  std::vector<Rows> rows_;          // by frame
};

}  // namespace tidemill
