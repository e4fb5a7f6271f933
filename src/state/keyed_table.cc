#include "state/keyed_table.h"

#include <numeric>

#include <arrow/api.h>

#include "data/arrow_status.h"
#include "state/internal/snapshot_columns.h"

namespace tidemill {
namespace {

constexpr char kLastWriteColumn[] = "$last_write";
constexpr size_t kErasedKeysFree = 4096;  // erased keys kept for a delta whatever the size of the table

}  // namespace

KeyedTable::KeyedTable(Options options, KeyColumns keys, SlotValues* values)
    : options_(std::move(options)), keys_(std::move(keys)), values_(values) {}

Result<std::unique_ptr<KeyedTable>> KeyedTable::Make(Options options, SlotValues* values) {
  TM_CHECK(options.ttl_ms == 0 || options.clock != nullptr);
  TM_ASSIGN_OR_RETURN(KeyColumns keys, KeyColumns::Make(options.keys));
  std::unique_ptr<KeyedTable> table(new KeyedTable(std::move(options), std::move(keys), values));
  if (table->options_.group_columns >= 0) {
    const auto begin = table->options_.keys.begin();
    TM_ASSIGN_OR_RETURN(KeyColumns group_keys, KeyColumns::Make({begin, begin + table->options_.group_columns}));
    table->group_keys_ = std::move(group_keys);
  }
  return table;
}

// The groups of keys that are new, by their leading columns.
Status KeyedTable::SetKeyGroups(const std::vector<std::shared_ptr<arrow::Array>>& key_columns, int64_t num_rows,
                                std::span<const uint32_t> slots, const std::vector<uint32_t>& new_rows) {
  if (new_rows.empty()) return Status::OK();
  std::vector<std::shared_ptr<arrow::Array>> leading(key_columns.begin(), key_columns.begin() + options_.group_columns);
  if (leading.empty()) {
    for (const uint32_t row : new_rows) index_.set_key_group(slots[row], 0);
    return Status::OK();
  }
  int64_t first = 0;
  if (num_rows > 1 && new_rows.size() * 4 < static_cast<size_t>(num_rows)) {
    // Few of many: encode only the stretch that holds them.
    first = new_rows.front();
    num_rows = new_rows.back() + 1 - first;
    for (auto& column : leading) column = column->Slice(first, num_rows);
  }
  TM_ASSIGN_OR_RETURN(EncodedKeys encoded, group_keys_->Encode(leading, num_rows));
  for (const uint32_t row : new_rows) index_.set_key_group(slots[row], encoded.key_groups[row - first]);
  return Status::OK();
}

void KeyedTable::Grow() {
  const size_t limit = index_.slot_limit();
  if (dirty_.size() >= limit) return;
  const size_t room = std::max(limit, dirty_.size() + dirty_.size() / 2 + 64);
  dirty_.resize(room, 0);
  if (options_.ttl_ms > 0) last_write_ms_.resize(room, 0);
  values_->Resize(static_cast<int64_t>(room));
}

Status KeyedTable::Upsert(const std::vector<std::shared_ptr<arrow::Array>>& key_columns, int64_t num_rows,
                          std::vector<uint32_t>& slots, std::vector<uint32_t>* new_rows) {
  TM_ASSIGN_OR_RETURN(EncodedKeys encoded, keys_.Encode(key_columns, num_rows));
  slots.resize(static_cast<size_t>(num_rows));
  std::vector<uint32_t> own_new_rows;
  const bool need_new = options_.ttl_ms > 0 || group_keys_;
  std::vector<uint32_t>* inserted = need_new ? &own_new_rows : new_rows;
  index_.FindOrInsert(encoded, slots.data(), inserted);
  Grow();
  if (group_keys_) TM_RETURN_IF_ERROR(SetKeyGroups(key_columns, num_rows, slots, own_new_rows));
  if (need_new && new_rows) new_rows->insert(new_rows->end(), own_new_rows.begin(), own_new_rows.end());
  if (options_.ttl_ms > 0) {
    const int64_t now_ms = NowMs();
    for (const uint32_t row : own_new_rows) last_write_ms_[slots[row]] = now_ms;
    ResetExpired(slots, new_rows);
  }
  for (const uint32_t slot : slots) Mark(slot);
  return Status::OK();
}

void KeyedTable::ResetExpired(std::span<const uint32_t> slots, std::vector<uint32_t>* new_rows) {
  const int64_t now_ms = NowMs();
  for (size_t i = 0; i < slots.size(); ++i) {
    if (Expired(slots[i], now_ms)) {
      values_->Clear({&slots[i], 1});
      if (new_rows) new_rows->push_back(static_cast<uint32_t>(i));
    }
    last_write_ms_[slots[i]] = now_ms;
  }
}

Status KeyedTable::Find(const std::vector<std::shared_ptr<arrow::Array>>& key_columns, int64_t num_rows,
                        std::vector<uint32_t>& slots) {
  TM_ASSIGN_OR_RETURN(EncodedKeys encoded, keys_.Encode(key_columns, num_rows));
  slots.resize(static_cast<size_t>(num_rows));
  index_.Find(encoded, slots.data());
  if (options_.ttl_ms > 0) {
    const int64_t now_ms = NowMs();
    for (uint32_t& slot : slots) {
      if (slot != kNoSlot && Expired(slot, now_ms)) slot = kNoSlot;
    }
  }
  return Status::OK();
}

void KeyedTable::MarkChanged(std::span<const uint32_t> slots) {
  for (const uint32_t slot : slots) Mark(slot);
}

void KeyedTable::Erase(std::span<const uint32_t> slots) {
  values_->Clear(slots);
  for (const uint32_t slot : slots) {
    if (!delta_lost_) {
      erased_bytes_ += index_.key(slot);
      erased_ends_.push_back(static_cast<uint32_t>(erased_bytes_.size()));
      erased_groups_.push_back(index_.key_group(slot));
    }
    index_.Erase(slot);
  }
  if (erased_ends_.size() > kErasedKeysFree && erased_ends_.size() > static_cast<size_t>(index_.size()) * 2) {
    delta_lost_ = true;
    erased_bytes_ = {};
    erased_ends_ = {};
    erased_groups_ = {};
  }
}

void KeyedTable::CollectExpired(int slots_max, std::vector<uint32_t>& expired) {
  if (options_.ttl_ms <= 0) return;
  const uint32_t limit = index_.slot_limit();
  const int64_t now_ms = NowMs();
  for (uint32_t i = 0; i < std::min<uint32_t>(limit, static_cast<uint32_t>(slots_max)); ++i) {
    if (expiry_cursor_ >= limit) expiry_cursor_ = 0;
    const uint32_t slot = expiry_cursor_++;
    if (index_.IsLive(slot) && Expired(slot, now_ms)) expired.push_back(slot);
  }
}

Result<std::vector<std::shared_ptr<arrow::Array>>> KeyedTable::DecodeKeys(std::span<const uint32_t> slots) const {
  std::vector<std::string_view> keys;
  keys.reserve(slots.size());
  for (const uint32_t slot : slots) keys.push_back(index_.key(slot));
  return keys_.Decode(keys);
}

Status KeyedTable::AppendRows(std::span<const uint32_t> slots, bool with_deleted, TableSnapshot& snapshot) const {
  for (size_t base = 0; base == 0 || base < slots.size(); base += kSnapshotBatchRows) {
    const auto part = slots.subspan(base, std::min<size_t>(kSnapshotBatchRows, slots.size() - base));
    std::vector<int16_t> groups;
    for (const uint32_t slot : part) groups.push_back(index_.key_group(slot));
    std::vector<NamedColumn> columns{{kKeyGroupColumn, Int16Column(groups)}};
    if (with_deleted) columns.push_back({kDeletedColumn, BoolColumn(static_cast<int64_t>(part.size()), false)});
    TM_ASSIGN_OR_RETURN(auto keys, DecodeKeys(part));
    for (size_t c = 0; c < keys.size(); ++c) columns.push_back({keys_.fields()[c].name, keys[c]});
    TM_ASSIGN_OR_RETURN(auto values, values_->Export(part));
    for (size_t c = 0; c < values.size(); ++c)
      columns.push_back({values_->schema().field(static_cast<int>(c)).name, values[c]});
    if (options_.ttl_ms > 0) {
      std::vector<int64_t> written;
      for (const uint32_t slot : part) written.push_back(last_write_ms_[slot]);
      columns.push_back({kLastWriteColumn, Int64Column(written)});
    }
    snapshot.batches.push_back(MakeSnapshotBatch(columns, static_cast<int64_t>(part.size())));
  }
  return Status::OK();
}

Status KeyedTable::AppendErased(TableSnapshot& snapshot) const {
  if (erased_ends_.empty()) return Status::OK();
  const int64_t n = static_cast<int64_t>(erased_ends_.size());
  std::vector<std::string_view> erased;
  std::vector<int16_t> groups;
  for (size_t i = 0; i < erased_ends_.size(); ++i) {
    const uint32_t begin = i == 0 ? 0 : erased_ends_[i - 1];
    erased.push_back(std::string_view(erased_bytes_).substr(begin, erased_ends_[i] - begin));
    groups.push_back(erased_groups_[i]);
  }
  std::vector<NamedColumn> columns{{kKeyGroupColumn, Int16Column(groups)}, {kDeletedColumn, BoolColumn(n, true)}};
  TM_ASSIGN_OR_RETURN(auto keys, keys_.Decode(erased));
  for (size_t c = 0; c < keys.size(); ++c) columns.push_back({keys_.fields()[c].name, keys[c]});
  for (const Field& field : values_->schema().fields()) {
    TM_ARROW_ASSIGN_OR_RETURN(auto nulls, arrow::MakeArrayOfNull(ToArrow(field.type), n), "snapshot of erased keys");
    columns.push_back({field.name, nulls});
  }
  if (options_.ttl_ms > 0)
    columns.push_back({kLastWriteColumn, Int64Column(std::vector<int64_t>(erased_ends_.size(), 0))});
  snapshot.batches.push_back(MakeSnapshotBatch(columns, n));
  return Status::OK();
}

Result<TableSnapshot> KeyedTable::Take(bool full) {
  TableSnapshot snapshot;
  snapshot.full = full || delta_lost_;
  for (const uint32_t slot : dirty_slots_) dirty_[slot] = 0;
  if (snapshot.full) {
    std::vector<uint32_t> slots;
    for (uint32_t slot = 0; slot < index_.slot_limit(); ++slot) {
      if (index_.IsLive(slot)) slots.push_back(slot);
    }
    TM_RETURN_IF_ERROR(AppendRows(slots, false, snapshot));
  } else {
    // Erased first: a key that was erased and came back is among the changed ones.
    TM_RETURN_IF_ERROR(AppendErased(snapshot));
    std::erase_if(dirty_slots_, [&](uint32_t slot) { return !index_.IsLive(slot); });
    TM_RETURN_IF_ERROR(AppendRows(dirty_slots_, true, snapshot));
  }
  dirty_slots_.clear();
  erased_bytes_.clear();
  erased_ends_.clear();
  erased_groups_.clear();
  delta_lost_ = false;
  return snapshot;
}

Status KeyedTable::LoadBatch(const std::shared_ptr<arrow::RecordBatch>& batch, KeyGroupRange range) {
  TM_ASSIGN_OR_RETURN(auto mine, SelectKeyGroups(batch, range));
  TM_ASSIGN_OR_RETURN(auto gone, SelectDeleted(mine, true));
  std::vector<uint32_t> slots;
  if (gone->num_rows() > 0) {
    TM_ASSIGN_OR_RETURN(auto keys, SnapshotColumns(*gone, options_.keys));
    TM_ASSIGN_OR_RETURN(EncodedKeys encoded, keys_.Encode(keys, gone->num_rows()));
    slots.resize(static_cast<size_t>(gone->num_rows()));
    index_.Find(encoded, slots.data());
    std::sort(slots.begin(), slots.end());
    slots.erase(std::unique(slots.begin(), slots.end()), slots.end());
    std::erase(slots, kNoSlot);
    Erase(slots);
  }
  TM_ASSIGN_OR_RETURN(auto rows, SelectDeleted(mine, false));
  // Also for no rows: a column that does not fit is told.
  TM_ASSIGN_OR_RETURN(auto keys, SnapshotColumns(*rows, options_.keys));
  TM_ASSIGN_OR_RETURN(auto values, SnapshotColumns(*rows, values_->schema().fields()));
  TM_ASSIGN_OR_RETURN(EncodedKeys encoded, keys_.Encode(keys, rows->num_rows()));
  slots.resize(static_cast<size_t>(rows->num_rows()));
  std::vector<uint32_t> new_rows;
  index_.FindOrInsert(encoded, slots.data(), &new_rows);
  Grow();
  if (group_keys_) TM_RETURN_IF_ERROR(SetKeyGroups(keys, rows->num_rows(), slots, new_rows));
  if (options_.ttl_ms > 0) {
    const auto written = rows->GetColumnByName(kLastWriteColumn);
    for (size_t i = 0; i < slots.size(); ++i) {
      last_write_ms_[slots[i]] =
          written ? static_cast<const arrow::Int64Array&>(*written).Value(static_cast<int64_t>(i)) : NowMs();
    }
  }
  return values_->Import(slots, values);
}

Status KeyedTable::Load(const TableSnapshot& snapshot, KeyGroupRange range) {
  for (const auto& batch : snapshot.batches) TM_RETURN_IF_ERROR(LoadBatch(batch, range));
  // What was loaded is not a delta of ours: the next snapshot is full.
  delta_lost_ = true;
  return Status::OK();
}

int64_t KeyedTable::MemoryBytes() const {
  return index_.MemoryBytes() + values_->MemoryBytes() +
         static_cast<int64_t>(dirty_.capacity() + dirty_slots_.capacity() * 4 + last_write_ms_.capacity() * 8 +
                              erased_bytes_.capacity() + erased_ends_.capacity() * 5);
}

}  // namespace tidemill
