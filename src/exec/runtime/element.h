#pragma once

#include <cstdint>

#include "base/clock.h"
#include "data/batch.h"

namespace tidemill {

// A barrier as it travels: the epoch it ends, and whether state is to be written whole.
struct EpochMark {
  int64_t epoch = 0;
  bool full = false;
};

// What flows through a channel, in order.
struct Element {
  enum class Kind : uint8_t {
    kBatch,
    kWatermark,  // `watermark`
    kIdle,       // this input says nothing for now: leave it out of the minimum until its next batch or watermark
    kBarrier,    // `mark`
    kEnd,        // nothing follows; a watermark of kMaxEventTime came before
  };
  Kind kind = Kind::kBatch;
  Batch batch;
  EventTime watermark = kMinEventTime;
  EpochMark mark;

  static Element OfBatch(Batch batch) { return Element{.kind = Kind::kBatch, .batch = std::move(batch)}; }
  static Element OfWatermark(EventTime watermark) { return Element{.kind = Kind::kWatermark, .watermark = watermark}; }
  static Element OfBarrier(EpochMark mark) { return Element{.kind = Kind::kBarrier, .mark = mark}; }
  static Element OfKind(Kind kind) { return Element{.kind = kind}; }
};

}  // namespace tidemill
