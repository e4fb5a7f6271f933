#include "state/row_buffer.h"

#include <algorithm>
#include <numeric>

#include <arrow/api.h>

#include "state/internal/snapshot_columns.h"

namespace tidemill {
namespace {

constexpr char kRowTimeColumn[] = "$time";
constexpr char kRowKindColumn[] = "$row_kind";
constexpr char kReleasedUntil[] = "tidemill.released_until";
constexpr size_t kSliceRows = 1024;  // a run of rows at least this long leaves as a slice
constexpr size_t kFlushRows = 4096;  // so many gathered rows make a batch
constexpr size_t kSmallSegment = 512;
constexpr size_t kSegmentsMax = 128;

std::vector<int32_t> Sorted(const std::vector<EventTime>& times) {
  std::vector<int32_t> order(times.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int32_t a, int32_t b) { return times[static_cast<size_t>(a)] < times[static_cast<size_t>(b)]; });
  return order;
}

}  // namespace

RowBuffer::RowBuffer(Options options, KeyColumns keys) : options_(std::move(options)), keys_(std::move(keys)) {}

Result<std::unique_ptr<RowBuffer>> RowBuffer::Make(Options options) {
  std::vector<Field> key_fields;
  for (size_t i = 0; i < options.key_columns.size(); ++i) {
    key_fields.push_back(options.rows.field(options.key_columns[i]));
    if (!options.key_types.empty()) key_fields.back().type = options.key_types[i];
  }
  TM_ASSIGN_OR_RETURN(KeyColumns keys, KeyColumns::Make(std::move(key_fields)));
  return std::unique_ptr<RowBuffer>(new RowBuffer(std::move(options), std::move(keys)));
}

Status RowBuffer::Add(Batch batch, std::vector<EventTime> times) {
  if (times.empty()) return Status::OK();
  TM_CHECK(batch.num_rows() == static_cast<int64_t>(times.size()));
  Segment segment;
  segment.batch = std::move(batch);
  if (!std::is_sorted(times.begin(), times.end())) segment.order = Sorted(times);
  segment.times = std::move(times);
  segment.first_arrival = next_arrival_;
  next_arrival_ += segment.size();
  num_rows_ += static_cast<int64_t>(segment.size());
  segments_.push_back(std::move(segment));
  if (segments_.size() > kSegmentsMax) return CompactSmall();
  return Status::OK();
}

EventTime RowBuffer::earliest() const {
  EventTime least = kMaxEventTime;
  for (const Segment& segment : segments_) least = std::min(least, segment.time(segment.position));
  return least;
}

Result<Batch> RowBuffer::RowsOf(const Segment& segment, size_t from, size_t to) {
  if (segment.order.empty()) return segment.batch.Slice(static_cast<int64_t>(from), static_cast<int64_t>(to - from));
  const auto begin = segment.order.begin();
  return TakeRows(segment.batch,
                  std::vector<int32_t>(begin + static_cast<int64_t>(from), begin + static_cast<int64_t>(to)));
}

// One batch of the pieces' rows, in the pieces' order.
Status RowBuffer::Emit(const std::vector<Piece>& pieces, std::vector<Released>& out) const {
  Released released;
  std::vector<Piece> parts;  // per segment, all of its rows: they are consecutive in it
  size_t rows = 0;
  for (const Piece& piece : pieces) {
    const auto part =
        std::find_if(parts.begin(), parts.end(), [&](const Piece& p) { return p.segment == piece.segment; });
    if (part == parts.end()) {
      parts.push_back(piece);
    } else {
      part->to = piece.to;
    }
    rows += piece.to - piece.from;
  }
  released.times.reserve(rows);
  for (const Piece& piece : pieces) {
    const Segment& segment = segments_[piece.segment];
    for (size_t k = piece.from; k < piece.to; ++k) released.times.push_back(segment.time(k));
  }
  std::vector<Batch> batches;
  for (const Piece& part : parts) {
    TM_ASSIGN_OR_RETURN(Batch batch, RowsOf(segments_[part.segment], part.from, part.to));
    batches.push_back(std::move(batch));
  }
  TM_ASSIGN_OR_RETURN(released.batch, ConcatBatches(batches));
  if (pieces.size() > parts.size()) {
    std::vector<int32_t> next(parts.size(), 0);  // per part: where its next row is in the concatenation
    for (size_t p = 1; p < parts.size(); ++p)
      next[p] = next[p - 1] + static_cast<int32_t>(parts[p - 1].to - parts[p - 1].from);
    std::vector<int32_t> indices;
    indices.reserve(rows);
    for (const Piece& piece : pieces) {
      const auto part =
          std::find_if(parts.begin(), parts.end(), [&](const Piece& p) { return p.segment == piece.segment; });
      int32_t& from = next[static_cast<size_t>(part - parts.begin())];
      for (size_t k = piece.from; k < piece.to; ++k) indices.push_back(from++);
    }
    TM_ASSIGN_OR_RETURN(released.batch, TakeRows(released.batch, indices));
  }
  out.push_back(std::move(released));
  return Status::OK();
}

// Merges the rows [position, ends[s]) of all segments.
Status RowBuffer::Merge(const std::vector<size_t>& ends, std::vector<Released>& out) {
  using Head = std::pair<EventTime, uint64_t>;
  std::vector<std::pair<Head, size_t>> heap;  // least first
  const auto push = [&](size_t s) {
    const Segment& segment = segments_[s];
    if (segment.position >= ends[s]) return;
    heap.emplace_back(Head{segment.time(segment.position), segment.arrival(segment.position)}, s);
    std::push_heap(heap.begin(), heap.end(), std::greater<>());
  };
  for (size_t s = 0; s < segments_.size(); ++s) push(s);
  std::vector<Piece> pieces;
  size_t rows = 0;
  const auto flush = [&]() -> Status {
    if (pieces.empty()) return Status::OK();
    TM_RETURN_IF_ERROR(Emit(pieces, out));
    pieces.clear();
    rows = 0;
    return Status::OK();
  };
  EventTime last_time = kMinEventTime;
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), std::greater<>());
    const size_t s = heap.back().second;
    heap.pop_back();
    Segment& segment = segments_[s];
    size_t run_end = ends[s];
    if (!heap.empty()) {
      const Head other = heap.front().first;
      run_end = segment.position + 1;
      while (run_end < ends[s] && Head{segment.time(run_end), segment.arrival(run_end)} <= other) ++run_end;
    }
    size_t k = segment.position;
    // A long run starts a batch of its own, so that it can be a slice.
    if (rows > 0 && segment.time(k) != last_time && (rows >= kFlushRows || run_end - k >= kSliceRows))
      TM_RETURN_IF_ERROR(flush());
    while (k < run_end) {
      const size_t from = k;
      const size_t room = static_cast<size_t>(kBatchRowsMax) - std::min(rows, static_cast<size_t>(kBatchRowsMax));
      k = std::min(run_end, std::max(from + room, from + 1));
      while (k < run_end && segment.time(k) == segment.time(k - 1)) ++k;
      pieces.push_back({s, from, k});
      rows += k - from;
      last_time = segment.time(k - 1);
      if (k < run_end) TM_RETURN_IF_ERROR(flush());
    }
    num_rows_ -= static_cast<int64_t>(k - segment.position);
    segment.position = k;
    push(s);
  }
  return flush();
}

Status RowBuffer::DropReleased() {
  for (Segment& segment : segments_) {
    if (segment.position == 0 || segment.left() == 0 || segment.left() * 4 > segment.size()) continue;
    Segment compact;
    std::vector<int32_t> rows;
    for (size_t k = segment.position; k < segment.size(); ++k) rows.push_back(static_cast<int32_t>(segment.row(k)));
    TM_ASSIGN_OR_RETURN(compact.batch, TakeRows(segment.batch, rows));
    for (size_t k = segment.position; k < segment.size(); ++k) {
      compact.times.push_back(segment.time(k));
      compact.arrivals.push_back(segment.arrival(k));
    }
    segment = std::move(compact);
  }
  std::erase_if(segments_, [](const Segment& segment) { return segment.left() == 0; });
  return Status::OK();
}

Status RowBuffer::TakeUntil(EventTime watermark, std::vector<Released>& out) {
  if (watermark <= released_until_) return Status::OK();
  released_until_ = watermark;
  std::vector<size_t> ends(segments_.size());
  bool any = false;
  for (size_t s = 0; s < segments_.size(); ++s) {
    const Segment& segment = segments_[s];
    size_t low = segment.position;
    size_t high = segment.size();
    while (low < high) {
      const size_t middle = (low + high) / 2;
      if (segment.time(middle) <= watermark) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    ends[s] = low;
    any |= low > segment.position;
  }
  if (!any) return Status::OK();
  TM_RETURN_IF_ERROR(Merge(ends, out));
  return DropReleased();
}

// What is left of the segments [first, last) as one.
Status RowBuffer::Compact(size_t first, size_t last, Segment& out) const {
  std::vector<Batch> parts;
  for (size_t s = first; s < last; ++s) {
    const Segment& segment = segments_[s];
    TM_ASSIGN_OR_RETURN(Batch rows, RowsOf(segment, segment.position, segment.size()));
    parts.push_back(std::move(rows));
    for (size_t k = segment.position; k < segment.size(); ++k) {
      out.times.push_back(segment.time(k));
      out.arrivals.push_back(segment.arrival(k));
    }
  }
  TM_ASSIGN_OR_RETURN(out.batch, ConcatBatches(parts));
  if (!std::is_sorted(out.times.begin(), out.times.end())) out.order = Sorted(out.times);
  return Status::OK();
}

// Neighbouring small segments (lone rows that came one by one) become one.
Status RowBuffer::CompactSmall() {
  std::deque<Segment> kept;
  for (size_t s = 0; s < segments_.size();) {
    size_t end = s;
    size_t rows = 0;
    while (end < segments_.size() && segments_[end].left() < kSmallSegment && rows < static_cast<size_t>(kBatchRowsMax))
      rows += segments_[end++].left();
    if (end < s + 2) {
      kept.push_back(std::move(segments_[s++]));
      continue;
    }
    Segment merged;
    TM_RETURN_IF_ERROR(Compact(s, end, merged));
    kept.push_back(std::move(merged));
    s = end;
  }
  segments_ = std::move(kept);
  return Status::OK();
}

Result<TableSnapshot> RowBuffer::Take(bool full) {
  TableSnapshot snapshot;
  snapshot.full = full || delta_lost_;
  for (const Segment& segment : segments_) {
    std::vector<int32_t> rows;
    std::vector<int64_t> times;
    for (size_t k = segment.position; k < segment.size(); ++k) {
      if (!snapshot.full && segment.arrival(k) < snapshot_arrival_) continue;
      rows.push_back(static_cast<int32_t>(segment.row(k)));
      times.push_back(segment.time(k));
    }
    if (rows.empty()) continue;
    TM_ASSIGN_OR_RETURN(Batch picked, TakeRows(segment.batch, rows));
    const int64_t n = picked.num_rows();
    std::vector<std::shared_ptr<arrow::Array>> key_columns;
    for (const int column : options_.key_columns) key_columns.push_back(picked.rows->column(column));
    TM_ASSIGN_OR_RETURN(EncodedKeys encoded, keys_.Encode(key_columns, n));
    const std::vector<int16_t> groups(encoded.key_groups, encoded.key_groups + n);
    std::vector<NamedColumn> columns{{kKeyGroupColumn, Int16Column(groups)}, {kRowTimeColumn, Int64Column(times)}};
    std::shared_ptr<arrow::Array> kinds = picked.row_kinds;
    if (!kinds) {
      auto inserts = arrow::MakeArrayFromScalar(arrow::Int8Scalar(0), n);
      TM_CHECK(inserts.ok());
      kinds = *std::move(inserts);
    }
    columns.push_back({kRowKindColumn, std::move(kinds)});
    for (int c = 0; c < options_.rows.num_fields(); ++c)
      columns.push_back({options_.rows.field(c).name, picked.rows->column(c)});
    snapshot.batches.push_back(WithNumber(MakeSnapshotBatch(columns, n), kReleasedUntil, released_until_));
  }
  if (snapshot.batches.empty()) {
    std::vector<NamedColumn> columns{{kKeyGroupColumn, Int16Column({})}, {kRowTimeColumn, Int64Column({})}};
    columns.push_back({kRowKindColumn, std::make_shared<arrow::Int8Array>(0, nullptr)});
    const Batch empty = EmptyBatch(options_.rows);
    for (int c = 0; c < options_.rows.num_fields(); ++c)
      columns.push_back({options_.rows.field(c).name, empty.rows->column(c)});
    snapshot.batches.push_back(WithNumber(MakeSnapshotBatch(columns, 0), kReleasedUntil, released_until_));
  }
  snapshot_arrival_ = next_arrival_;
  delta_lost_ = false;
  return snapshot;
}

Status RowBuffer::Load(const TableSnapshot& snapshot, KeyGroupRange range) {
  for (const auto& batch : snapshot.batches) {
    released_until_ = std::max(released_until_, NumberOf(*batch, kReleasedUntil).value_or(kMinEventTime));
  }
  for (const auto& saved : snapshot.batches) {
    TM_ASSIGN_OR_RETURN(auto mine, SelectKeyGroups(saved, range));
    TM_ASSIGN_OR_RETURN(auto times, SnapshotColumn(*mine, Field{kRowTimeColumn, DataType(TypeKind::kBigInt)}));
    TM_ASSIGN_OR_RETURN(auto kinds, SnapshotColumn(*mine, Field{kRowKindColumn, DataType(TypeKind::kTinyInt)}));
    TM_ASSIGN_OR_RETURN(auto columns, SnapshotColumns(*mine, options_.rows.fields()));
    const int64_t n = mine->num_rows();
    if (n == 0) continue;
    const int8_t* kind_values = static_cast<const arrow::Int8Array&>(*kinds).raw_values();
    const bool inserts_only = std::all_of(kind_values, kind_values + n, [](int8_t kind) { return kind == 0; });
    const int64_t* time_values = static_cast<const arrow::Int64Array&>(*times).raw_values();
    Batch batch{arrow::RecordBatch::Make(options_.rows.arrow(), n, columns), inserts_only ? nullptr : kinds, 0};
    TM_RETURN_IF_ERROR(Add(std::move(batch), std::vector<EventTime>(time_values, time_values + n)));
  }
  // What an older snapshot still had and a newer one says has left.
  std::vector<Released> gone;
  const EventTime until = std::exchange(released_until_, kMinEventTime);
  TM_RETURN_IF_ERROR(TakeUntil(until, gone));
  released_until_ = until;
  delta_lost_ = true;
  return Status::OK();
}

int64_t RowBuffer::MemoryBytes() const {
  int64_t bytes = 0;
  for (const Segment& segment : segments_) {
    bytes +=
        segment.batch.num_bytes() + static_cast<int64_t>(segment.times.capacity() * 8 + segment.order.capacity() * 4 +
                                                         segment.arrivals.capacity() * 8);
  }
  return bytes;
}

}  // namespace tidemill
