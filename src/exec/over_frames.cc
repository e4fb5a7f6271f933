#include "exec/over_frames.h"

#include <algorithm>

#include "exec/event_time.h"

namespace tidemill {
namespace {

constexpr int64_t kFramesAhead = 8;  // rows that are prefetched

}  // namespace

OverFrames::OverFrames(std::vector<OverFrame> frames, bool peers)
    : frames_(std::move(frames)), peers_(peers), stride_(frames_.size() + 1), rows_(frames_.size()) {}

// Up to where each row's frame goes, and what enters it.
void OverFrames::AdvanceEnds(const TimeBuffer& buffer, const OverRun& run, const EventTime* times) {
  const size_t n = static_cast<size_t>(run.num_rows);
  ends_.resize(n);
  own_ends_.resize(n);
  entering_.ends.resize(n);
  entering_.records.clear();
  own_.ends.resize(n);
  own_.records.resize(n);
  for (size_t i = 0; i < n; ++i) {
    if (i + kFramesAhead < n) __builtin_prefetch(&buffer.ring(run.slots[i + kFramesAhead]));
    const uint32_t slot = run.slots[i];
    const TimeBuffer::Ring& ring = buffer.ring(slot);
    const uint32_t own = run.own[i];
    const uint64_t* record = buffer.record(ring, own);
    own_.records[i] = record;
    own_.ends[i] = static_cast<uint32_t>(i + 1);
    own_ends_[i] = own + 1;
    uint32_t& entered = state_[slot * stride_];
    if (entered == own) {  // the first of its peers
      entering_.records.push_back(record);
      uint32_t end = own + 1;
      if (peers_) {
        for (; end != ring.back && buffer.time(ring, end) == times[i]; ++end)
          entering_.records.push_back(buffer.record(ring, end));
      }
      entered = end;
    }
    ends_[i] = entered;
    entering_.ends[i] = static_cast<uint32_t>(entering_.records.size());
  }
}

void OverFrames::AdvanceRange(size_t frame, const TimeBuffer& buffer, const OverRun& run, const EventTime* times) {
  Rows& rows = rows_[frame];
  const int64_t preceding = frames_[frame].preceding;
  const size_t at = 1 + frame;
  const auto prefetch_begin = [&](uint32_t slot) {
    const TimeBuffer::Ring& ring = buffer.ring(slot);
    __builtin_prefetch(buffer.record(ring, state_[slot * stride_ + at]));
  };
  for (int64_t i = 0; i < std::min(kFramesAhead, run.num_rows); ++i) prefetch_begin(run.slots[i]);
  for (int64_t i = 0; i < run.num_rows; ++i) {
    if (i + kFramesAhead < run.num_rows) prefetch_begin(run.slots[i + kFramesAhead]);
    const uint32_t slot = run.slots[i];
    const TimeBuffer::Ring& ring = buffer.ring(slot);
    uint32_t begin = state_[slot * stride_ + at];
    const EventTime from = SaturatingSubtract(times[i], preceding);
    // Ends at the row's own record at the latest.
    for (const uint64_t* record = buffer.record(ring, begin); static_cast<EventTime>(*record) < from;
         record = buffer.record(ring, begin)) {
      rows.leave.push_back(record);
      ++begin;
    }
    state_[slot * stride_ + at] = begin;
    rows.begin[static_cast<size_t>(i)] = begin;
    rows.leave_ends[static_cast<size_t>(i)] = static_cast<uint32_t>(rows.leave.size());
  }
}

void OverFrames::AdvanceRows(size_t frame, const TimeBuffer& buffer, const OverRun& run) {
  Rows& rows = rows_[frame];
  const uint32_t preceding = static_cast<uint32_t>(std::min<int64_t>(frames_[frame].preceding, 1 << 30));
  for (int64_t i = 0; i < run.num_rows; ++i) {
    const TimeBuffer::Ring& ring = buffer.ring(run.slots[i]);
    uint32_t& begin = state_[run.slots[i] * stride_ + 1 + frame];
    for (; run.own[i] - begin > preceding; ++begin) rows.leave.push_back(buffer.record(ring, begin));
    rows.begin[static_cast<size_t>(i)] = begin;
    rows.leave_ends[static_cast<size_t>(i)] = static_cast<uint32_t>(rows.leave.size());
  }
}

void OverFrames::Advance(const TimeBuffer& buffer, const OverRun& run, const EventTime* times) {
  AdvanceEnds(buffer, run, times);
  for (size_t f = 0; f < frames_.size(); ++f) {
    Rows& rows = rows_[f];
    rows.leave.clear();
    rows.begin.assign(static_cast<size_t>(run.num_rows), 0);
    rows.leave_ends.assign(static_cast<size_t>(run.num_rows), 0);
    if (frames_[f].unbounded) continue;
    if (frames_[f].unit == OverFrame::Unit::kRange) {
      AdvanceRange(f, buffer, run, times);
    } else {
      AdvanceRows(f, buffer, run);
    }
  }
}

FrameRun OverFrames::result(size_t frame) const {
  const Rows& rows = rows_[frame];
  const bool range = frames_[frame].unit == OverFrame::Unit::kRange;
  const Entering& entering = range ? entering_ : own_;
  return FrameRun{.begin = rows.begin.data(),
                  .end = range ? ends_.data() : own_ends_.data(),
                  .leave_ends = rows.leave_ends.data(),
                  .leave = rows.leave.data(),
                  .enter_ends = entering.ends.data(),
                  .enter = entering.records.data()};
}

uint32_t OverFrames::BeginAt(const TimeBuffer& buffer, const TimeBuffer::Ring& ring, size_t frame, uint32_t own,
                             EventTime time) const {
  const OverFrame& spec = frames_[frame];
  if (spec.unbounded) return ring.front;
  if (spec.unit == OverFrame::Unit::kRange) return buffer.LowerBound(ring, SaturatingSubtract(time, spec.preceding));
  return own - ring.front > spec.preceding ? own - static_cast<uint32_t>(spec.preceding) : ring.front;
}

void OverFrames::Rebuild(const TimeBuffer& buffer, uint32_t slot) {
  const TimeBuffer::Ring& ring = buffer.ring(slot);
  set_entered(slot, ring.back);
  for (size_t f = 0; f < frames_.size(); ++f) {
    set_begin(slot, f, ring.size() == 0 ? ring.back : BeginAt(buffer, ring, f, ring.back - 1, ring.newest));
  }
}

uint32_t OverFrames::FirstHeld(const TimeBuffer::Ring& ring, uint32_t slot) const {
  uint32_t held = 0;  // records from the end
  for (size_t f = 0; f < frames_.size(); ++f) {
    if (!frames_[f].unbounded) held = std::max(held, ring.back - begin(slot, f));
  }
  return ring.back - std::min(held, ring.size());
}

}  // namespace tidemill
