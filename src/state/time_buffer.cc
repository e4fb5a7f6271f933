#include "state/time_buffer.h"

#include <algorithm>
#include <cstring>

#include <arrow/api.h>

#include "data/arrow_status.h"
#include "state/errors.h"
#include "state/internal/snapshot_columns.h"
#include "state/words.h"

namespace tidemill {
namespace {

constexpr char kTimeColumn[] = "$time";
constexpr char kTrimBound[] = "tidemill.trim_bound";
constexpr size_t kFirstRecords = 4;

}  // namespace

TimeBuffer::TimeBuffer(Options options, KeyColumns keys) : options_(std::move(options)), keys_(std::move(keys)) {}

TimeBuffer::~TimeBuffer() = default;

Result<std::unique_ptr<TimeBuffer>> TimeBuffer::Make(Options options) {
  TM_ASSIGN_OR_RETURN(KeyColumns keys, KeyColumns::Make(options.keys));
  std::unique_ptr<TimeBuffer> buffer(new TimeBuffer(std::move(options), std::move(keys)));
  int bits = static_cast<int>(buffer->options_.flags.size());
  for (const Field& field : buffer->options_.values) bits += field.type.nullable();
  if (bits > 64) {
    return Status(kStateLimit, "a row of this operator keeps " + std::to_string(bits) +
                                   " nullable columns and conditions; at most 64 can be kept")
        .WithHint("declare columns NOT NULL, or split the calls over several queries");
  }
  int words = 1;
  if (bits > 0) buffer->null_word_ = words++;
  uint64_t bit = 1;
  for (const Field& field : buffer->options_.values) {
    const int width = WordsOf(field.type);
    if (width == 0)
      return Status(kUnsupportedType,
                    "column '" + field.name + "' of type " + field.type.ToString() + " can't be kept in this state");
    if (WordKindOf(field.type) == WordKind::kString) buffer->string_words_.push_back(words);
    buffer->value_words_.push_back(words);
    words += width;
    buffer->null_bits_.push_back(field.type.nullable() ? bit : 0);
    if (field.type.nullable()) bit <<= 1;
  }
  for (size_t i = 0; i < buffer->options_.flags.size(); ++i, bit <<= 1) buffer->flag_bits_.push_back(bit);
  buffer->record_words_ = words;
  return buffer;
}

void TimeBuffer::GrowRings() {
  if (rings_.size() < index_.slot_limit()) rings_.resize(index_.slot_limit());
}

Status TimeBuffer::FindOrInsert(const std::vector<std::shared_ptr<arrow::Array>>& key_columns, int64_t num_rows,
                                std::vector<uint32_t>& slots, std::vector<uint32_t>* new_rows) {
  TM_ASSIGN_OR_RETURN(EncodedKeys encoded, keys_.Encode(key_columns, num_rows));
  slots.resize(static_cast<size_t>(num_rows));
  index_.FindOrInsert(encoded, slots.data(), new_rows);
  GrowRings();
  return Status::OK();
}

Status TimeBuffer::Find(const std::vector<std::shared_ptr<arrow::Array>>& key_columns, int64_t num_rows,
                        std::vector<uint32_t>& slots) {
  TM_ASSIGN_OR_RETURN(EncodedKeys encoded, keys_.Encode(key_columns, num_rows));
  slots.resize(static_cast<size_t>(num_rows));
  index_.Find(encoded, slots.data());
  return Status::OK();
}

// Moves the live records to a ring of `records` (a power of two >= size).
void TimeBuffer::Resize(Ring& ring, size_t records) {
  const uint32_t mask = static_cast<uint32_t>(records - 1);
  const size_t width = static_cast<size_t>(record_words_);
  auto* base = static_cast<uint64_t*>(arena_.Allocate(RingBytes(records)));
  for (uint32_t sequence = ring.front; sequence != ring.back; ++sequence) {
    std::memcpy(base + (sequence & mask) * width, record(ring, sequence), width * 8);
  }
  if (ring.base != nullptr) arena_.Free(ring.base, RingBytes(static_cast<size_t>(ring.mask) + 1));
  ring.base = base;
  ring.mask = mask;
}

void TimeBuffer::Grow(Ring& ring) {
  TM_CHECK(ring.size() < (1u << 30));
  Resize(ring, ring.base == nullptr ? kFirstRecords : (static_cast<size_t>(ring.mask) + 1) * 2);
}

uint32_t TimeBuffer::LowerBound(const Ring& ring, EventTime time) const {
  uint32_t low = 0;
  uint32_t high = ring.size();
  while (low < high) {
    const uint32_t middle = (low + high) / 2;
    if (this->time(ring, ring.front + middle) < time) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return ring.front + low;
}

uint64_t* TimeBuffer::Insert(uint32_t slot, EventTime time, uint32_t* sequence) {
  if (rings_[slot].size() == 0 || time >= rings_[slot].newest) {
    uint64_t* to = Append(slot, time);
    *sequence = rings_[slot].back - 1;
    return to;
  }
  Ring& ring = rings_[slot];
  if (ring.size() > ring.mask) Grow(ring);
  const uint32_t at = UpperBound(ring, time);
  const size_t width = static_cast<size_t>(record_words_) * 8;
  for (uint32_t to = ring.back; to != at; --to) std::memcpy(record(ring, to), record(ring, to - 1), width);
  ++ring.back;
  uint64_t* inserted = record(ring, at);
  std::memset(inserted, 0, width);
  inserted[0] = static_cast<uint64_t>(time);
  *sequence = at;
  return inserted;
}

// A record that came in below the records already saved goes into the next delta on its own.
void TimeBuffer::NoteInserted(uint32_t slot, uint32_t sequence) {
  Ring& ring = rings_[slot];
  if (static_cast<int32_t>(sequence - ring.clean) >= 0) return;
  ++ring.clean;
  if (delta_lost_) return;
  const uint64_t* from = record(ring, sequence);
  late_.push_back({slot, std::vector<uint64_t>(from, from + record_words_)});
  for (const int word : string_words_) strings_.AddReference(from[word]);
}

void TimeBuffer::ReleaseStrings(const uint64_t* record) {
  for (const int word : string_words_) strings_.Release(record[word]);
}

void TimeBuffer::TrimTo(uint32_t slot, uint32_t front) {
  Ring& ring = rings_[slot];
  if (front == ring.front) return;
  if (!string_words_.empty()) {
    for (uint32_t sequence = ring.front; sequence != front; ++sequence) ReleaseStrings(record(ring, sequence));
  }
  if (static_cast<int32_t>(front - ring.clean) > 0) ring.clean = front;
  ring.front = front;
  if (ring.mask >= 2 * kFirstRecords && ring.size() * 4 <= ring.mask)
    Resize(ring, (static_cast<size_t>(ring.mask) + 1) / 2);
}

void TimeBuffer::EraseKey(uint32_t slot) {
  Ring& ring = rings_[slot];
  if (!string_words_.empty()) {
    for (uint32_t sequence = ring.front; sequence != ring.back; ++sequence) ReleaseStrings(record(ring, sequence));
  }
  if (ring.base != nullptr) arena_.Free(ring.base, RingBytes(static_cast<size_t>(ring.mask) + 1));
  ring = Ring{};
  if (!late_.empty()) {
    std::erase_if(late_, [&](const LateRecord& late) {
      if (late.slot != slot) return false;
      ReleaseStrings(late.words.data());
      return true;
    });
  }
  index_.Erase(slot);
}

int64_t TimeBuffer::num_records() const {
  int64_t n = 0;
  for (const Ring& ring : rings_) n += ring.size();
  return n;
}

Status TimeBuffer::AppendBatches(const std::vector<Picked>& picked, TableSnapshot& snapshot) const {
  std::vector<std::string_view> keys;
  std::vector<int16_t> groups;
  std::vector<int64_t> times;
  std::vector<const uint64_t*> records;
  for (size_t base = 0; base == 0 || base < picked.size(); base += kSnapshotBatchRows) {
    const size_t n = std::min<size_t>(kSnapshotBatchRows, picked.size() - base);
    keys.clear();
    groups.clear();
    times.clear();
    records.clear();
    for (size_t i = base; i < base + n; ++i) {
      keys.push_back(index_.key(picked[i].slot));
      groups.push_back(index_.key_group(picked[i].slot));
      times.push_back(static_cast<int64_t>(picked[i].record[0]));
      records.push_back(picked[i].record);
    }
    std::vector<NamedColumn> columns{{kKeyGroupColumn, Int16Column(groups)}};
    TM_ASSIGN_OR_RETURN(auto key_columns, keys_.Decode(keys));
    for (size_t c = 0; c < key_columns.size(); ++c) columns.push_back({options_.keys[c].name, key_columns[c]});
    columns.push_back({kTimeColumn, Int64Column(times)});
    for (size_t c = 0; c < options_.values.size(); ++c) {
      const uint64_t null_bit = null_bits_[c];
      TM_ASSIGN_OR_RETURN(auto values, GatherWords(options_.values[c].type, records, value_words_[c],
                                                   null_bit ? null_word_ : -1, null_bit, strings_));
      columns.push_back({options_.values[c].name, values});
    }
    for (size_t f = 0; f < options_.flags.size(); ++f) {
      arrow::BooleanBuilder builder;
      TM_ARROW_RETURN_IF_ERROR(builder.Reserve(static_cast<int64_t>(n)), "snapshot");
      for (const uint64_t* record : records) builder.UnsafeAppend((record[null_word_] & flag_bits_[f]) != 0);
      TM_ARROW_ASSIGN_OR_RETURN(auto flags, builder.Finish(), "snapshot");
      columns.push_back({options_.flags[f], flags});
    }
    snapshot.batches.push_back(
        WithNumber(MakeSnapshotBatch(columns, static_cast<int64_t>(n)), kTrimBound, trim_bound_));
  }
  return Status::OK();
}

Result<TableSnapshot> TimeBuffer::Take(bool full) {
  TableSnapshot snapshot;
  snapshot.full = full || delta_lost_;
  std::vector<Picked> picked;
  // Late ones first: in a later load they must not come after newer rows of the same time.
  if (!snapshot.full) {
    for (const LateRecord& late : late_) picked.push_back({late.slot, late.words.data()});
  }
  for (uint32_t slot = 0; slot < index_.slot_limit(); ++slot) {
    if (!index_.IsLive(slot)) continue;
    Ring& ring = rings_[slot];
    for (uint32_t sequence = snapshot.full ? ring.front : ring.clean; sequence != ring.back; ++sequence) {
      picked.push_back({slot, record(ring, sequence)});
    }
  }
  TM_RETURN_IF_ERROR(AppendBatches(picked, snapshot));
  for (Ring& ring : rings_) ring.clean = ring.back;
  for (const LateRecord& late : late_) ReleaseStrings(late.words.data());
  late_.clear();
  delta_lost_ = false;
  return snapshot;
}

Status TimeBuffer::LoadBatch(const std::shared_ptr<arrow::RecordBatch>& batch, KeyGroupRange range) {
  if (const auto bound = NumberOf(*batch, kTrimBound)) set_trim_bound(*bound);
  TM_ASSIGN_OR_RETURN(auto rows, SelectKeyGroups(batch, range));
  TM_ASSIGN_OR_RETURN(auto keys, SnapshotColumns(*rows, options_.keys));
  TM_ASSIGN_OR_RETURN(auto times, SnapshotColumn(*rows, Field{kTimeColumn, DataType(TypeKind::kBigInt)}));
  TM_ASSIGN_OR_RETURN(auto values, SnapshotColumns(*rows, options_.values));
  std::vector<std::shared_ptr<arrow::Array>> flags;
  for (const std::string& flag : options_.flags) {
    TM_ASSIGN_OR_RETURN(auto column, SnapshotColumn(*rows, Field{flag, DataType(TypeKind::kBoolean)}));
    flags.push_back(std::move(column));
  }
  const int64_t n = rows->num_rows();
  std::vector<uint32_t> slots;
  TM_RETURN_IF_ERROR(FindOrInsert(keys, n, slots));
  // Values are decoded into a plain table of records first: an insertion moves those before it.
  const size_t width = static_cast<size_t>(record_words_);
  std::vector<uint64_t> table(static_cast<size_t>(n) * width, 0);
  std::vector<uint64_t*> records(static_cast<size_t>(n));
  for (size_t i = 0; i < records.size(); ++i) records[i] = table.data() + i * width;
  for (size_t c = 0; c < values.size(); ++c) {
    ScatterWords(*values[c], records.data(), value_words_[c], &strings_);
    if (null_bits_[c]) ScatterNulls(*values[c], records.data(), null_word_, null_bits_[c]);
  }
  for (size_t f = 0; f < flags.size(); ++f) {
    const auto& column = static_cast<const arrow::BooleanArray&>(*flags[f]);
    for (int64_t i = 0; i < n; ++i) {
      if (column.Value(i)) records[static_cast<size_t>(i)][null_word_] |= flag_bits_[f];
    }
  }
  const int64_t* time_values = static_cast<const arrow::Int64Array&>(*times).raw_values();
  for (size_t i = 0; i < records.size(); ++i) {
    uint32_t sequence = 0;
    uint64_t* to = Insert(slots[i], time_values[i], &sequence);
    std::memcpy(to + 1, records[i] + 1, (width - 1) * 8);
  }
  return Status::OK();
}

Status TimeBuffer::Load(const TableSnapshot& snapshot, KeyGroupRange range) {
  for (const auto& batch : snapshot.batches) TM_RETURN_IF_ERROR(LoadBatch(batch, range));
  for (Ring& ring : rings_) ring.clean = ring.back;
  delta_lost_ = true;
  return Status::OK();
}

int64_t TimeBuffer::MemoryBytes() const {
  return index_.MemoryBytes() + arena_.reserved_bytes() + strings_.MemoryBytes() +
         static_cast<int64_t>(rings_.capacity() * sizeof(Ring));
}

}  // namespace tidemill
