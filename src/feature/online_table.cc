#include "feature/online_table.h"

#include <algorithm>
#include <mutex>

#include <arrow/api.h>

#include "data/arrow_status.h"
#include "feature/errors.h"

namespace tidemill {
namespace {

constexpr int kRowsPerSlab = 512;
constexpr uint8_t kDirty = 1;
constexpr uint32_t kNoRow = UINT32_MAX;

int ShardOf(uint64_t hash) { return static_cast<int>(hash >> 58); }

}  // namespace

// Rows live in slabs and never move; the hash table holds their numbers with 32 bits of the hash beside.
struct OnlineTable::Shard {
  struct Entry {
    uint32_t tag = 0;
    uint32_t row = kNoRow;
  };
  mutable std::shared_mutex mutex;
  std::vector<Entry> table;  // a power of two; at most 3/4 full
  std::vector<std::unique_ptr<uint8_t[]>> slabs;
  uint32_t rows = 0;
  std::vector<uint32_t> dirty;

  static uint32_t TagOf(uint64_t hash) { return static_cast<uint32_t>(hash); }
  // Independent of the bits that choose the shard.
  size_t StartOf(uint32_t tag) const { return tag & (table.size() - 1); }
  uint8_t* Row(uint32_t number, int row_bytes) const {
    return slabs[number / kRowsPerSlab].get() + (number % kRowsPerSlab) * static_cast<size_t>(row_bytes);
  }

  static bool KeyEquals(const RowLayout& layout, const uint8_t* row, std::string_view key) {
    const uint8_t* at = row + layout.key_offset();
    if (layout.key_width() > 0) return std::memcmp(at, key.data(), key.size()) == 0;
    const VaryingBlock* block = LoadVarying(at);
    return block != nullptr && std::string_view(block->bytes, block->size) == key;
  }

  uint8_t* Find(const RowLayout& layout, uint64_t hash, std::string_view key) const {
    if (table.empty()) return nullptr;
    const uint32_t tag = TagOf(hash);
    for (size_t at = StartOf(tag);; at = (at + 1) & (table.size() - 1)) {
      const Entry& entry = table[at];
      if (entry.row == kNoRow) return nullptr;
      if (entry.tag != tag) continue;
      uint8_t* row = Row(entry.row, layout.row_bytes());
      if (KeyEquals(layout, row, key)) return row;
    }
  }

  // The row of `key` and its number, made when it was not there.
  uint8_t* FindOrMake(const RowLayout& layout, uint64_t hash, std::string_view key, uint32_t* number, bool* made) {
    if (table.empty() || (rows + 1) * 4ull > table.size() * 3ull) Grow();
    const uint32_t tag = TagOf(hash);
    size_t at = StartOf(tag);
    for (; table[at].row != kNoRow; at = (at + 1) & (table.size() - 1)) {
      if (table[at].tag != tag) continue;
      uint8_t* row = Row(table[at].row, layout.row_bytes());
      if (!KeyEquals(layout, row, key)) continue;
      *number = table[at].row;
      *made = false;
      return row;
    }
    if (rows % kRowsPerSlab == 0)
      slabs.push_back(std::make_unique<uint8_t[]>(static_cast<size_t>(kRowsPerSlab) * layout.row_bytes()));
    *number = rows++;
    *made = true;
    table[at] = Entry{tag, *number};
    uint8_t* row = Row(*number, layout.row_bytes());
    RowLayout::set_event_time(row, kMinEventTime);
    if (layout.key_width() > 0) {
      std::memcpy(row + layout.key_offset(), key.data(), key.size());
    } else {
      StoreVarying(row + layout.key_offset(), key.data(), static_cast<uint32_t>(key.size()));
    }
    return row;
  }

  void Grow() {
    std::vector<Entry> old = std::move(table);
    table.assign(std::max<size_t>(64, old.size() * 2), Entry{});
    for (const Entry& entry : old) {
      if (entry.row == kNoRow) continue;
      size_t at = StartOf(entry.tag);
      while (table[at].row != kNoRow) at = (at + 1) & (table.size() - 1);
      table[at] = entry;
    }
  }
};

OnlineTable::OnlineTable(FeatureView view, std::vector<DataType> key_types, RowLayout layout)
    : view_(std::move(view)),
      key_types_(std::move(key_types)),
      entity_columns_(view_.entity_columns()),
      feature_columns_(view_.feature_columns()),
      event_time_column_(view_.event_time_column()),
      layout_(std::move(layout)) {
  for (auto& shard : shards_) shard = std::make_unique<Shard>();
}

OnlineTable::~OnlineTable() {
  if (layout_.varying().empty()) return;
  for (const auto& shard : shards_) {
    for (uint32_t i = 0; i < shard->rows; ++i) {
      uint8_t* row = shard->Row(i, layout_.row_bytes());
      for (const int offset : layout_.varying()) FreeVarying(row + offset);
    }
  }
}

Result<std::unique_ptr<OnlineTable>> OnlineTable::Make(const FeatureView& view) {
  TM_RETURN_IF_ERROR(view.Check());
  std::vector<DataType> key_types;
  for (const int column : view.entity_columns())
    key_types.push_back(view.schema.field(column).type.WithNullable(false));
  std::vector<DataType> types;
  for (const int column : view.feature_columns()) types.push_back(view.schema.field(column).type);
  // The width of keys is the encoder's to say.
  TM_ASSIGN_OR_RETURN(const std::unique_ptr<KeyEncoder> encoder, KeyEncoder::Make(key_types));
  std::vector<std::shared_ptr<arrow::Array>> none;
  for (const DataType& type : key_types) {
    TM_ARROW_ASSIGN_OR_RETURN(none.emplace_back(), arrow::MakeEmptyArray(ToArrow(type)), "opening a feature view");
  }
  TM_ASSIGN_OR_RETURN(const EncodedKeys keys, encoder->Encode(none, 0));
  return std::unique_ptr<OnlineTable>(new OnlineTable(view, std::move(key_types), RowLayout(types, keys.fixed_width)));
}

Result<UpsertCounts> OnlineTable::Upsert(const arrow::RecordBatch& rows, KeyEncoder& encoder, bool dirty) {
  const int64_t n = rows.num_rows();
  UpsertCounts counts;
  if (n == 0) return counts;
  std::vector<std::shared_ptr<arrow::Array>> entities, columns;
  for (const int column : entity_columns_) entities.push_back(rows.column(column));
  for (const int column : feature_columns_) columns.push_back(rows.column(column));
  TM_ASSIGN_OR_RETURN(const EncodedKeys keys, encoder.Encode(entities, n));
  const EventTime* times = rows.column_data(event_time_column_)->GetValues<int64_t>(1);

  // Rows by shard, in their order.
  std::array<uint32_t, kShards + 1> starts{};
  for (int64_t i = 0; i < n; ++i) ++starts[ShardOf(keys.hashes[i]) + 1];
  for (int s = 0; s < kShards; ++s) starts[s + 1] += starts[s];
  std::vector<uint32_t> order(n);
  std::array<uint32_t, kShards + 1> next = starts;
  for (int64_t i = 0; i < n; ++i) order[next[ShardOf(keys.hashes[i])]++] = static_cast<uint32_t>(i);
  for (int s = 0; s < kShards; ++s) {
    if (starts[s] == starts[s + 1]) continue;
    TM_RETURN_IF_ERROR(UpsertShard(*shards_[s], keys, times, order.data() + starts[s], starts[s + 1] - starts[s],
                                   columns, dirty, &counts));
  }
  EventTime newest = times[0];
  for (int64_t i = 1; i < n; ++i) newest = std::max(newest, times[i]);
  for (EventTime seen = newest_.load(std::memory_order_relaxed);
       seen < newest && !newest_.compare_exchange_weak(seen, newest);) {
  }
  return counts;
}

Status OnlineTable::UpsertShard(Shard& shard, const EncodedKeys& keys, const EventTime* times, const uint32_t* rows,
                                int64_t n, const std::vector<std::shared_ptr<arrow::Array>>& columns, bool dirty,
                                UpsertCounts* counts) {
  constexpr int64_t kPiece = 256;
  uint8_t* targets[kPiece];
  uint32_t sources[kPiece];
  const std::unique_lock lock(shard.mutex);
  for (int64_t first = 0; first < n; first += kPiece) {
    const int64_t count = std::min(kPiece, n - first);
    if (!shard.table.empty()) {
      for (int64_t i = 0; i < count; ++i)
        __builtin_prefetch(&shard.table[shard.StartOf(Shard::TagOf(keys.hashes[rows[first + i]]))]);
    }
    int64_t accepted = 0;
    for (int64_t i = 0; i < count; ++i) {
      const uint32_t source = rows[first + i];
      uint32_t number;
      bool made;
      uint8_t* row = shard.FindOrMake(layout_, keys.hashes[source], keys.key(source), &number, &made);
      if (made && size_.fetch_add(1, std::memory_order_relaxed) >= view_.entities_max) {
        // The row just made keeps kMinEventTime: it is never given out nor written to disk.
        size_.fetch_sub(1, std::memory_order_relaxed);
        return Status(kFeatureStoreFull, "feature view '" + view_.name + "' has " + std::to_string(view_.entities_max) +
                                             " entities, which is its limit");
      }
      if (times[source] < RowLayout::event_time(row)) {
        ++counts->stale;
        continue;
      }
      RowLayout::set_event_time(row, times[source]);
      if (dirty && (RowLayout::flags(row) & kDirty) == 0) {
        RowLayout::flags(row) |= kDirty;
        shard.dirty.push_back(number);
      }
      targets[accepted] = row;
      sources[accepted++] = source;
    }
    counts->written += accepted;
    for (size_t c = 0; c < columns.size(); ++c)
      WriteColumn(*columns[c], layout_.columns()[c], sources, targets, accepted);
  }
  return Status::OK();
}

Result<OnlineRows> OnlineTable::Get(const std::vector<std::shared_ptr<arrow::Array>>& entities, int64_t num_rows,
                                    const std::vector<int>& features, KeyEncoder& encoder) const {
  TM_ASSIGN_OR_RETURN(const EncodedKeys keys, encoder.Encode(entities, num_rows));
  RowCopies copies;
  copies.rows.reserve(num_rows * layout_.row_bytes());
  OnlineRows result;
  for (int64_t i = 0; i < num_rows; ++i) {
    const Shard& shard = *shards_[ShardOf(keys.hashes[i])];
    const std::shared_lock lock(shard.mutex);
    const uint8_t* row = shard.Find(layout_, keys.hashes[i], keys.key(i));
    const bool found = row != nullptr && RowLayout::event_time(row) != kMinEventTime;
    if (found)
      copies.Append(layout_, row);
    else
      copies.AppendAbsent(layout_);
    result.found.push_back(found);
  }
  for (int64_t i = 0; i < num_rows; ++i)
    result.event_times.push_back(RowLayout::event_time(copies.rows.data() + i * layout_.row_bytes()));
  for (const int feature : features) {
    const auto place = std::find(feature_columns_.begin(), feature_columns_.end(), feature);
    if (place == feature_columns_.end())
      return Status(kInternalError,
                    "column " + std::to_string(feature) + " is no feature of view '" + view_.name + "'");
    TM_ASSIGN_OR_RETURN(result.values.emplace_back(),
                        ReadColumn(copies, layout_, layout_.columns()[place - feature_columns_.begin()]));
  }
  return result;
}

Result<std::shared_ptr<arrow::RecordBatch>> OnlineTable::ToBatch(const RowCopies& copies) const {
  std::vector<std::shared_ptr<arrow::Array>> columns(view_.schema.num_fields());
  std::vector<std::string_view> keys(copies.num_rows);
  for (int64_t i = 0; i < copies.num_rows; ++i) keys[i] = copies.key(layout_, i);
  TM_ASSIGN_OR_RETURN(const std::unique_ptr<KeyEncoder> encoder, MakeKeyEncoder());
  TM_ASSIGN_OR_RETURN(const std::vector<std::shared_ptr<arrow::Array>> entities, encoder->Decode(keys));
  for (size_t i = 0; i < entities.size(); ++i) columns[entity_columns_[i]] = entities[i];
  for (size_t i = 0; i < feature_columns_.size(); ++i) {
    TM_ASSIGN_OR_RETURN(columns[feature_columns_[i]], ReadColumn(copies, layout_, layout_.columns()[i]));
  }
  RowLayout::Column time;  // the header's event time, as a column that is never NULL
  time.type = view_.schema.field(event_time_column_).type;
  time.width = 8;
  TM_ASSIGN_OR_RETURN(columns[event_time_column_], ReadColumn(copies, layout_, time));
  return arrow::RecordBatch::Make(view_.schema.arrow(), copies.num_rows, std::move(columns));
}

Result<std::shared_ptr<arrow::RecordBatch>> OnlineTable::TakeDirty(int64_t rows_max) {
  RowCopies copies;
  for (const auto& shard : shards_) {
    const std::unique_lock lock(shard->mutex);
    const int64_t count = std::min<int64_t>(static_cast<int64_t>(shard->dirty.size()), rows_max - copies.num_rows);
    for (int64_t i = 0; i < count; ++i) {
      uint8_t* row = shard->Row(shard->dirty[shard->dirty.size() - 1 - i], layout_.row_bytes());
      RowLayout::flags(row) &= static_cast<uint8_t>(~kDirty);
      copies.Append(layout_, row);
    }
    shard->dirty.resize(shard->dirty.size() - count);
    if (copies.num_rows >= rows_max) break;
  }
  if (copies.num_rows == 0) return std::shared_ptr<arrow::RecordBatch>();
  return ToBatch(copies);
}

Result<std::vector<std::shared_ptr<arrow::RecordBatch>>> OnlineTable::CopyShard(int number, int64_t rows_max) const {
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
  const Shard& shard = *shards_[number];
  for (uint32_t next = 0;;) {
    RowCopies copies;
    {
      const std::shared_lock lock(shard.mutex);
      for (; next < shard.rows && copies.num_rows < rows_max; ++next) {
        const uint8_t* row = shard.Row(next, layout_.row_bytes());
        if (RowLayout::event_time(row) != kMinEventTime) copies.Append(layout_, row);
      }
    }
    if (copies.num_rows == 0) return batches;
    TM_ASSIGN_OR_RETURN(batches.emplace_back(), ToBatch(copies));
  }
}

int64_t OnlineTable::bytes() const {
  int64_t bytes = 0;
  for (const auto& shard : shards_) {
    const std::shared_lock lock(shard->mutex);
    bytes += static_cast<int64_t>(shard->table.size() * sizeof(Shard::Entry) +
                                  shard->slabs.size() * kRowsPerSlab * layout_.row_bytes());
  }
  return bytes;
}

}  // namespace tidemill
