#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <shared_mutex>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "data/key_encoder.h"
#include "feature/feature_view.h"
#include "feature/internal/row_layout.h"

namespace arrow {
class RecordBatch;
}

namespace tidemill {

struct UpsertCounts {
  int64_t written = 0;
  int64_t stale = 0;  // an entity's newer row was there already
};

struct OnlineRows {
  std::vector<bool> found;
  std::vector<EventTime> event_times;                 // kMinEventTime where not found
  std::vector<std::shared_ptr<arrow::Array>> values;  // one per asked feature; NULL where not found
};

// The online rows of one view, in memory: one row per entity, the one of the newest event time; of two with the same
// event time the one written later.
//
// Thread-safe: 64 shards by the key's hash, a lock each; a batch takes each lock once. Rows are encoded in place at
// fixed offsets (row_layout.h), found by a flat hash table of row numbers. Never waits for a disk.
class OnlineTable {
 public:
  static Result<std::unique_ptr<OnlineTable>> Make(const FeatureView& view);
  ~OnlineTable();

  // For Upsert and Get: one per thread that calls them.
  Result<std::unique_ptr<KeyEncoder>> MakeKeyEncoder() const { return KeyEncoder::Make(key_types_); }

  // `rows`: the view's columns in order, entities and event times without NULL. `dirty`: to be written by the next
  // TakeDirty. kFeatureStoreFull when there are more entities than the view allows; what was written before stays.
  Result<UpsertCounts> Upsert(const arrow::RecordBatch& rows, KeyEncoder& keys, bool dirty);
  // `entities`: one array per entity column, of its type. `features`: columns of the view's schema.
  Result<OnlineRows> Get(const std::vector<std::shared_ptr<arrow::Array>>& entities, int64_t num_rows,
                         const std::vector<int>& features, KeyEncoder& keys) const;
  // Rows written since they were last taken, at most `rows_max` of them, as the view's columns; null when there are
  // none.
  Result<std::shared_ptr<arrow::RecordBatch>> TakeDirty(int64_t rows_max);
  // All rows of one shard, in pieces of at most `rows_max`.
  static constexpr int kShards = 64;
  Result<std::vector<std::shared_ptr<arrow::RecordBatch>>> CopyShard(int shard, int64_t rows_max) const;

  int64_t size() const { return size_.load(std::memory_order_relaxed); }
  int64_t bytes() const;
  EventTime newest_event_time() const { return newest_.load(std::memory_order_relaxed); }
  const FeatureView& view() const { return view_; }

 private:
  struct Shard;
  OnlineTable(FeatureView view, std::vector<DataType> key_types, RowLayout layout);
  Status UpsertShard(Shard& shard, const EncodedKeys& keys, const EventTime* times, const uint32_t* rows, int64_t n,
                     const std::vector<std::shared_ptr<arrow::Array>>& columns, bool dirty, UpsertCounts* counts);
  Result<std::shared_ptr<arrow::RecordBatch>> ToBatch(const RowCopies& copies) const;

  FeatureView view_;
  std::vector<DataType> key_types_;
  std::vector<int> entity_columns_;
  std::vector<int> feature_columns_;
  int event_time_column_;
  RowLayout layout_;
  std::array<std::unique_ptr<Shard>, kShards> shards_;
  std::atomic<int64_t> size_{0};
  std::atomic<EventTime> newest_{kMinEventTime};
};

}  // namespace tidemill
