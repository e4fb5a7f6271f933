#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "data/batch.h"
#include "data/schema.h"
#include "state/key_columns.h"
#include "state/state_store.h"

namespace tidemill {

// Rows that wait, as whole batches, until the watermark passes their event time; they come out in order of (time,
// arrival).
//
// Nothing is allocated per row. Rows that came in order leave as slices of the batches they came in; others are merged
// by column gathers. A batch of which little is left is copied down to what is left, so that one row far in the future
// does not keep its whole batch. Snapshot columns: `$key_group`, `$time`, `$row_kind`, then the rows' own; a delta
// holds what was added since, and in the schema's metadata the time up to which rows have been released. Owned by one
// lane. Not thread-safe.
class RowBuffer final : public StateTable {
 public:
  struct Options {
    Schema rows;
    std::vector<int> key_columns;          // decide the key group of a row; empty: group 0
    std::vector<DataType> key_types = {};  // as which the exchange encodes them; empty: as they are
  };
  struct Released {
    Batch batch;
    std::vector<EventTime> times;  // ascending
  };

  static Result<std::unique_ptr<RowBuffer>> Make(Options options);

  // times[i] > released_until(): the caller has taken late rows out.
  Status Add(Batch batch, std::vector<EventTime> times);
  // All rows with time <= watermark. Rows of the same time are never split over two batches; otherwise a batch has up
  // to kBatchRowsMax rows.
  Status TakeUntil(EventTime watermark, std::vector<Released>& out);
  EventTime released_until() const { return released_until_; }
  int64_t num_rows() const { return num_rows_; }
  // The least time that waits; kMaxEventTime when none does.
  EventTime earliest() const;

  Result<TableSnapshot> Take(bool full) override;
  Status Load(const TableSnapshot& snapshot, KeyGroupRange range) override;
  int64_t MemoryBytes() const override;
  int64_t NumKeys() const override { return 0; }

 private:
  // Rows in order of (time, arrival); those before `position` have left.
  struct Segment {
    Batch batch;
    std::vector<EventTime> times;    // by row of the batch
    std::vector<int32_t> order;      // rows in order; empty: as they are
    std::vector<uint64_t> arrivals;  // by row; empty: first_arrival + row
    uint64_t first_arrival = 0;
    size_t position = 0;

    size_t size() const { return times.size(); }
    size_t left() const { return times.size() - position; }
    size_t row(size_t k) const { return order.empty() ? k : static_cast<size_t>(order[k]); }
    EventTime time(size_t k) const { return times[row(k)]; }
    uint64_t arrival(size_t k) const { return arrivals.empty() ? first_arrival + row(k) : arrivals[row(k)]; }
  };
  // Consecutive rows [from, to) of a segment.
  struct Piece {
    size_t segment;
    size_t from;
    size_t to;
  };

  RowBuffer(Options options, KeyColumns keys);
  Status Merge(const std::vector<size_t>& ends, std::vector<Released>& out);
  Status Emit(const std::vector<Piece>& pieces, std::vector<Released>& out) const;
  static Result<Batch> RowsOf(const Segment& segment, size_t from, size_t to);
  Status DropReleased();
  Status Compact(size_t first, size_t last, Segment& out) const;
  Status CompactSmall();

  Options options_;
  KeyColumns keys_;
  std::deque<Segment> segments_;  // in order of arrival
  uint64_t next_arrival_ = 0;
  uint64_t snapshot_arrival_ = 0;  // rows from here on are not in a snapshot yet
  EventTime released_until_ = kMinEventTime;
  int64_t num_rows_ = 0;
  bool delta_lost_ = true;
};

}  // namespace tidemill
