#include <algorithm>

#include "base/logging.h"
#include "log/errors.h"
#include "log/internal/partition_impl.h"
#include "log/partition.h"

namespace tidemill {

using log_internal::DamageError;
using log_internal::PartitionImpl;

struct PartitionReader::State {
  std::shared_ptr<PartitionImpl> partition;
  ReaderOptions options;
  int64_t next_offset = 0;          // of the next record to give out
  log_internal::ReadCursor cursor;  // position and offset: of the first batch in the chunk that is not opened yet
  log_internal::ReadWindow window;
  std::unique_ptr<char[]> buffer;
  int64_t capacity = 0;
  std::string_view chunk;  // what was read from the cursor's position on
  BatchHeader batch;       // the one that is open
  RecordIterator records;
  bool in_batch = false;
  std::string decompressed;

  void Restart(int64_t offset) {
    next_offset = offset;
    cursor = {};
    chunk = {};
    in_batch = false;
  }
  Status Refill(int64_t bytes_min);
  Result<bool> PeekBatch(bool may_refill, BatchHeader* header);
  void SkipBatch(const BatchHeader& header);
  Result<bool> OpenNextBatch(bool may_refill);
  void PassOver(const BatchHeader& header, std::string_view why);
  Status Damage(std::string_view why) const {
    return DamageError(cursor.segment->path, cursor.position, cursor.offset, why);
  }
};

// Reads the chunk anew from the cursor on; it stays empty when nothing is there to be seen.
Status PartitionReader::State::Refill(int64_t bytes_min) {
  chunk = {};
  const auto segment = cursor.segment;
  TM_RETURN_IF_ERROR(partition->Locate(next_offset, options.isolation, &cursor, &window));
  if (cursor.segment != segment) bytes_min = kBatchHeadBytes;  // another batch is next
  const int64_t there = window.readable_bytes - cursor.position;
  if (there <= 0) return Status::OK();
  if (there < bytes_min) return Damage("the file ends within a batch");
  const int64_t wanted = std::min(std::max(options.chunk_bytes, bytes_min), there);
  if (wanted > capacity) {
    buffer = std::make_unique_for_overwrite<char[]>(static_cast<size_t>(wanted));
    capacity = wanted;
  }
  TM_ASSIGN_OR_RETURN(const int64_t got, cursor.file->ReadAt(cursor.position, wanted, buffer.get()));
  if (got < bytes_min) return Damage("the file ends within a batch");
  chunk = {buffer.get(), static_cast<size_t>(got)};
  return Status::OK();
}

// Makes sure that a whole, visible, undamaged batch is at the front of the chunk. Views into the chunk die when it has
// to be refilled.
Result<bool> PartitionReader::State::PeekBatch(bool may_refill, BatchHeader* header) {
  if (chunk.size() < static_cast<size_t>(kBatchHeadBytes)) {
    if (!may_refill) return false;
    TM_RETURN_IF_ERROR(Refill(kBatchHeadBytes));
    if (chunk.empty()) return false;
  }
  auto parsed = ParseBatchHeader(chunk);
  if (!parsed.ok()) return Damage(parsed.status().message());
  *header = *parsed;
  if (header->base_offset != cursor.offset || header->leader_epoch != 0) {
    return Damage("the batch says offset " + std::to_string(header->base_offset) + ", expected " +
                  std::to_string(cursor.offset));
  }
  if (header->base_offset >= window.limit_offset) {
    if (!may_refill) return false;
    const auto segment = cursor.segment;
    TM_RETURN_IF_ERROR(partition->Locate(next_offset, options.isolation, &cursor, &window));
    if (cursor.segment != segment) {  // what is in the chunk was compacted
      chunk = {};
      return PeekBatch(may_refill, header);
    }
    if (header->base_offset >= window.limit_offset) return false;
  }
  if (static_cast<int64_t>(chunk.size()) < header->total_bytes()) {
    if (!may_refill) return false;
    const auto segment = cursor.segment;
    TM_RETURN_IF_ERROR(Refill(header->total_bytes()));
    if (chunk.empty()) return false;
    if (cursor.segment != segment) return PeekBatch(may_refill, header);  // compacted meanwhile
  }
  if (!ChecksumMatches(*header, chunk.substr(0, static_cast<size_t>(header->total_bytes()))))
    return Damage("wrong checksum");
  return true;
}

void PartitionReader::State::SkipBatch(const BatchHeader& header) {
  chunk.remove_prefix(static_cast<size_t>(header.total_bytes()));
  cursor.position += header.total_bytes();
  cursor.offset = header.last_offset() + 1;
}

Result<bool> PartitionReader::State::OpenNextBatch(bool may_refill) {
  while (true) {
    BatchHeader header;
    TM_ASSIGN_OR_RETURN(const bool there, PeekBatch(may_refill, &header));
    if (!there) return false;
    const bool aborted = options.isolation == IsolationLevel::kReadCommitted && header.transactional() &&
                         log_internal::IsAborted(*window.aborted, header.producer_id, header.base_offset);
    if (header.control() || aborted || header.last_offset() < next_offset) {
      next_offset = std::max(next_offset, header.last_offset() + 1);
      SkipBatch(header);
      continue;
    }
    // Records given out in this call may lie in the buffer that this batch would be decompressed into.
    if (header.codec() != CompressionCodec::kNone && !may_refill) return false;
    auto opened =
        RecordIterator::Open(header, chunk.substr(0, static_cast<size_t>(header.total_bytes())), &decompressed);
    if (!opened.ok() && header.codec() == CompressionCodec::kNone) return Damage(opened.status().message());
    if (!opened.ok()) {
      PassOver(header, opened.status().message());
      SkipBatch(header);
      continue;
    }
    records = *opened;
    batch = header;
    in_batch = true;
    SkipBatch(header);
    return true;
  }
}

// The rest of a batch that came as it is: whoever reads on must not be kept from what follows.
void PartitionReader::State::PassOver(const BatchHeader& header, std::string_view why) {
  const UnreadableRecords records{std::max(next_offset, header.base_offset), header.last_offset(), std::string(why)};
  next_offset = records.last_offset + 1;
  if (options.unreadable) return options.unreadable(records);
  LogWarning("topic '" + partition->topic() + "', partition " + std::to_string(partition->index()) + ": offsets " +
             std::to_string(records.first_offset) + " to " + std::to_string(records.last_offset) +
             " can't be read and are left out: " + records.why);
}

PartitionReader::PartitionReader(std::shared_ptr<Partition> partition, int64_t offset, ReaderOptions options)
    : state_(std::make_unique<State>()) {
  state_->partition = std::static_pointer_cast<PartitionImpl>(std::move(partition));
  state_->options = std::move(options);
  state_->next_offset = offset;
}

PartitionReader::~PartitionReader() = default;
PartitionReader::PartitionReader(PartitionReader&&) noexcept = default;

Status PartitionReader::Poll(int records_max, std::vector<RecordView>* out) {
  State& s = *state_;
  out->clear();
  while (static_cast<int>(out->size()) < records_max) {
    if (s.in_batch) {
      s.records.Next(records_max - static_cast<int>(out->size()), s.next_offset, out);
      if (!out->empty()) s.next_offset = out->back().offset + 1;
      if (!s.records.status().ok()) {
        if (!out->empty()) return Status::OK();  // the next call meets it again, with nothing to lose
        if (s.batch.codec() != CompressionCodec::kNone) {
          s.PassOver(s.batch, s.records.status().message());
          s.in_batch = false;
          continue;
        }
        return DamageError(s.cursor.segment->path, s.cursor.position - s.batch.total_bytes(), s.batch.base_offset,
                           s.records.status().message());
      }
      if (!s.records.AtEnd()) continue;
      s.next_offset = std::max(s.next_offset, s.batch.last_offset() + 1);
      s.in_batch = false;
    }
    const auto opened = s.OpenNextBatch(out->empty());
    if (!opened.ok()) return out->empty() ? opened.status() : Status::OK();
    if (!*opened) break;
  }
  return Status::OK();
}

Status PartitionReader::PollBatches(int64_t bytes_max, std::string_view* out) {
  State& s = *state_;
  *out = {};
  s.in_batch = false;
  s.options.chunk_bytes = std::max(s.options.chunk_bytes, std::min(bytes_max, kBatchBytesMax));
  // What is left of a chunk may be a small rest: a fetch wants a full one.
  s.chunk = {};
  const char* start = nullptr;
  int64_t taken = 0;
  while (true) {
    BatchHeader header;
    auto there = s.PeekBatch(taken == 0, &header);
    if (!there.ok()) {
      if (taken > 0) break;
      return there.status();
    }
    if (!*there || (taken > 0 && taken + header.total_bytes() > bytes_max)) break;
    if (header.last_offset() < s.next_offset) {
      s.SkipBatch(header);
      continue;
    }
    if (taken == 0) start = s.chunk.data();
    taken += header.total_bytes();
    s.next_offset = header.last_offset() + 1;
    s.SkipBatch(header);
  }
  *out = {start, static_cast<size_t>(taken)};
  return Status::OK();
}

int64_t PartitionReader::position() const { return state_->next_offset; }

Status PartitionReader::Seek(int64_t offset) {
  state_->Restart(offset);
  log_internal::ReadCursor cursor;
  return state_->partition->Locate(offset, state_->options.isolation, &cursor, &state_->window);
}

}  // namespace tidemill
