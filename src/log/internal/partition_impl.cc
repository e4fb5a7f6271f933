#include "log/internal/partition_impl.h"

#include <algorithm>
#include <functional>

#include "base/logging.h"
#include "log/compression.h"
#include "log/errors.h"

namespace tidemill::log_internal {
namespace {

constexpr int64_t kBatchBytes = 1 << 20;          // a long append becomes several batches of about this size
constexpr int64_t kAppendBytesMax = 256LL << 20;  // positions in a segment are 32 bits
constexpr size_t kBuffersMax = 4;
constexpr size_t kBufferBytesMax = 4 << 20;

Status CheckProducerFields(const BatchHeader& header, const BatchAppendOptions& options, bool alone) {
  if (header.control()) return Status(kInvalidBatch, "control batches are written by the log itself");
  if (header.has_delete_horizon()) return Status(kInvalidBatch, "a delete horizon is set by the log itself");
  if (header.producer_id < 0) {
    return header.transactional() ? Status(kInvalidBatch, "a transactional batch needs a producer id") : Status::OK();
  }
  if (header.producer_epoch < 0 || header.base_sequence < 0)
    return Status(kInvalidBatch, "a batch with a producer id needs an epoch and a sequence number");
  if (!alone) return Status(kInvalidBatch, "batches with a producer id are taken one by one");
  if (header.transactional() && !options.transactional)
    return Status(kInvalidTransactionState, "the partition is not part of a transaction of this producer");
  return Status::OK();
}

}  // namespace

PartitionImpl::PartitionImpl(LogContext& context, std::string topic, int32_t index, std::string directory,
                             std::shared_ptr<const TopicConfig> config, PartitionMetrics metrics)
    : context_(context),
      topic_(std::move(topic)),
      index_(index),
      directory_(std::move(directory)),
      metrics_(metrics),
      subscriptions_(std::make_shared<Subscriptions>()),
      config_(std::move(config)) {
  commit_ = std::make_shared<GroupCommit>(context_.scheduler, context_.health, [this] { return Sync(); });
}

PartitionImpl::~PartitionImpl() { commit_->Stop(Status(kLogClosed, "the log is closed")); }

Result<std::shared_ptr<PartitionImpl>> PartitionImpl::Open(LogContext& context, std::string topic, int32_t index,
                                                           std::string directory,
                                                           std::shared_ptr<const TopicConfig> config,
                                                           PartitionMetrics metrics) {
  std::shared_ptr<PartitionImpl> partition(
      new PartitionImpl(context, std::move(topic), index, std::move(directory), std::move(config), metrics));
  TM_RETURN_IF_ERROR(
      partition->Recover().WithContext("topic '" + partition->topic_ + "', partition " + std::to_string(index)));
  return partition;
}

std::shared_ptr<const TopicConfig> PartitionImpl::config() const {
  std::lock_guard lock(mutex_);
  return config_;
}

void PartitionImpl::SetConfig(std::shared_ptr<const TopicConfig> config) {
  std::lock_guard lock(mutex_);
  config_ = std::move(config);
}

std::string PartitionImpl::TakeBuffer() {
  std::lock_guard lock(mutex_);
  if (buffers_.empty()) return {};
  std::string buffer = std::move(buffers_.back());
  buffers_.pop_back();
  return buffer;
}

void PartitionImpl::GiveBuffer(std::string buffer) {
  if (buffer.capacity() > kBufferBytesMax) return;
  buffer.clear();
  std::lock_guard lock(mutex_);
  if (buffers_.size() < kBuffersMax) buffers_.push_back(std::move(buffer));
}

Result<int64_t> PartitionImpl::AppendRecords(std::span<const Record> records, int64_t producer_id) {
  if (records.empty()) return Status(kInvalidBatch, "an append needs at least one record");
  const auto config = this->config();
  if (config->compacts() &&
      std::any_of(records.begin(), records.end(), [](const Record& record) { return !record.key; })) {
    return Status(kInvalidBatch, "records of the compacted topic '" + topic_ + "' need a key");
  }
  BatchOptions options{context_.NowMs(), config->timestamp_type, config->compression, producer_id,
                       static_cast<int16_t>(producer_id >= 0 ? 0 : -1)};
  std::string bytes = TakeBuffer();
  std::vector<BatchHeader> headers;
  for (size_t first = 0; first < records.size();) {
    int64_t size = 0;
    size_t last = first;
    for (; last < records.size(); ++last) {
      const int64_t record_size = EncodedSizeMax(records[last]);
      if (record_size > config->max_message_bytes) {
        return Status(kRecordTooLarge,
                      "a record of " + std::to_string(record_size) + " bytes for " + Name() +
                          " is above max.message.bytes = " + std::to_string(config->max_message_bytes));
      }
      if (last > first && size + record_size > kBatchBytes) break;
      size += record_size;
    }
    const size_t start = bytes.size();
    if (static_cast<int64_t>(start) + size > kAppendBytesMax) {
      return Status(kRecordTooLarge, "one append of more than " + std::to_string(kAppendBytesMax >> 20) +
                                         " MiB; append in smaller pieces");
    }
    TM_RETURN_IF_ERROR(EncodeBatch(records.subspan(first, last - first), options, &bytes));
    TM_ASSIGN_OR_RETURN(headers.emplace_back(), ParseBatchHeader(std::string_view(bytes).substr(start)));
    first = last;
  }
  const auto append = AppendEncoded(bytes, headers, std::nullopt);
  GiveBuffer(std::move(bytes));
  if (!append.ok()) return append.status();
  return append->base_offset;
}

Result<int64_t> PartitionImpl::AppendMarker(ControlType type, int64_t producer_id) {
  {
    std::lock_guard lock(mutex_);
    if (closed_.ok() && !transactions_.open().contains(producer_id)) return -1;
  }
  const ControlMarker marker{type, -1};
  std::string bytes;
  EncodeControlBatch(marker, producer_id, 0, context_.NowMs(), &bytes);
  TM_ASSIGN_OR_RETURN(const BatchHeader header, ParseBatchHeader(bytes));
  TM_ASSIGN_OR_RETURN(const BatchAppend append, AppendEncoded(bytes, {&header, 1}, marker));
  return append.base_offset;
}

// Everybody reads records in offset order later, so each must say what its place says.
Status PartitionImpl::CheckRecords(const BatchHeader& header, std::string_view batch, bool keys_needed) const {
  // Kept for the thread's next append, unless it is large: a fresh one would be memory to clear for every batch.
  thread_local std::string decompressed;
  if (decompressed.capacity() > kBufferBytesMax) std::string().swap(decompressed);
  std::vector<RecordView> records;
  TM_ASSIGN_OR_RETURN(RecordIterator iterator, RecordIterator::Open(header, batch, &decompressed));
  for (int64_t expected = header.base_offset; !iterator.AtEnd();) {
    records.clear();
    iterator.Next(1024, 0, &records);
    for (const RecordView& record : records) {
      if (record.offset != expected++)
        return Status(kInvalidBatch, "the batch's records are not in the order of their offsets");
    }
    if (keys_needed && !std::all_of(records.begin(), records.end(), std::mem_fn(&RecordView::has_key)))
      return Status(kInvalidBatch, "records of the compacted topic '" + topic_ + "' need a key");
  }
  return iterator.status();
}

Status PartitionImpl::CheckBatches(std::span<char> batches, const BatchAppendOptions& options,
                                   std::vector<BatchHeader>* headers) const {
  const auto config = this->config();
  if (static_cast<int64_t>(batches.size()) > kAppendBytesMax)
    return Status(kRecordTooLarge, "one append of more than 256 MiB");
  for (size_t at = 0; at < batches.size();) {
    TM_ASSIGN_OR_RETURN(const BatchHeader header,
                        ParseBatchHeader(std::string_view(batches.data() + at, batches.size() - at)));
    if (header.total_bytes() > static_cast<int64_t>(batches.size() - at))
      return Status(kInvalidBatch, "the bytes end within a batch");
    const std::string_view batch(batches.data() + at, static_cast<size_t>(header.total_bytes()));
    if (header.total_bytes() > config->max_message_bytes) {
      return Status(kRecordTooLarge,
                    "a batch of " + std::to_string(header.total_bytes()) +
                        " bytes is above max.message.bytes = " + std::to_string(config->max_message_bytes));
    }
    if (!ChecksumMatches(header, batch))
      return Status(kCorruptBatch, "wrong checksum").WithHint("it was damaged on its way here; send it again");
    TM_RETURN_IF_ERROR(CheckProducerFields(header, options, at == 0 && batch.size() == batches.size()));
    if (header.record_count < 1 || header.last_offset_delta != header.record_count - 1) {
      return Status(kInvalidBatch, "the batch's offsets are not 0 .. " + std::to_string(header.record_count - 1));
    }
    // What is compressed is looked into by whoever reads it; only compaction has to know all keys.
    if (header.codec() == CompressionCodec::kNone || config->compacts()) {
      TM_RETURN_IF_ERROR(CheckRecords(header, batch, config->compacts()));
    } else if (header.codec() > CompressionCodec::kZstd) {
      return Status(kUnsupportedCodec, "the batch's compression is not known");
    }
    char* const p = batches.data() + at;
    SetLeaderEpoch(p, 0);
    if (config->timestamp_type == TimestampType::kLogAppendTime) SetLogAppendTime(batch, p, context_.NowMs());
    TM_ASSIGN_OR_RETURN(headers->emplace_back(), ParseBatchHeader(batch));
    at += batch.size();
  }
  return headers->empty() ? Status(kInvalidBatch, "no batch") : Status::OK();
}

Result<BatchAppend> PartitionImpl::AppendBatchBytes(std::span<char> batches, const BatchAppendOptions& options) {
  std::vector<BatchHeader> headers;
  TM_RETURN_IF_ERROR(CheckBatches(batches, options, &headers));
  return AppendEncoded(batches, headers, std::nullopt);
}

Result<BatchAppend> PartitionImpl::AppendEncoded(std::span<char> bytes, std::span<const BatchHeader> headers,
                                                 const std::optional<ControlMarker>& marker) {
  int64_t base = 0, end = 0;
  {
    std::lock_guard append_lock(append_mutex_);
    std::shared_ptr<Segment> active;
    int64_t segment_bytes = 0;
    {
      std::lock_guard lock(mutex_);
      TM_RETURN_IF_ERROR(closed_);
      if (!context_.health.ok()) return context_.health.status();
      active = segments_.back();
      base = end_offset_;
      segment_bytes = config_->segment_bytes;
      if (headers[0].producer_id >= 0) {
        TM_ASSIGN_OR_RETURN(const auto settled, CheckProducerLocked(headers[0], marker));
        if (settled) return *settled;
      }
    }
    // The relative offsets of the index are 32 bits too.
    const int64_t size = active->size.load(std::memory_order_relaxed);
    if (size > 0 &&
        (size + static_cast<int64_t>(bytes.size()) > segment_bytes || base - active->base_offset > INT32_MAX / 2)) {
      TM_RETURN_IF_ERROR(Roll());
      std::lock_guard lock(mutex_);
      active = segments_.back();
    }
    int64_t offset = base;
    size_t at = 0;
    for (const BatchHeader& header : headers) {
      SetBaseOffset(bytes.data() + at, offset);
      offset += header.last_offset_delta + 1;
      at += static_cast<size_t>(header.total_bytes());
    }
    TM_RETURN_IF_ERROR(active->writer->Append({bytes.data(), bytes.size()}));
    const int64_t now = context_.NowMs();
    active->appended_ms.store(now, std::memory_order_relaxed);
    std::lock_guard lock(mutex_);
    int64_t position = active->size.load(std::memory_order_relaxed);
    for (BatchHeader header : headers) {
      header.base_offset = end_offset_;
      active->index.Add(header, position, active->base_offset);
      if (header.producer_id >= 0) RememberLocked(header, marker, now);
      position += header.total_bytes();
      end_offset_ = header.last_offset() + 1;
    }
    active->size.store(position, std::memory_order_release);
    last_stable_ = transactions_.LastStable(end_offset_);
    end = end_offset_;
  }
  if (metrics_.records != nullptr) {
    int64_t records = 0;
    for (const BatchHeader& header : headers) records += header.record_count;
    metrics_.records->Add(records);
    metrics_.bytes->Add(static_cast<int64_t>(bytes.size()));
  }
  subscriptions_->Notify();
  return BatchAppend{base, end - 1, headers[0].log_append_time() ? headers[0].max_timestamp : -1, false};
}

// With append_mutex_ held.
Status PartitionImpl::Roll() {
  auto next = std::make_shared<Segment>();
  {
    std::lock_guard lock(mutex_);
    next->base_offset = end_offset_;
  }
  next->path = SegmentPath(directory_, next->base_offset);
  next->created_ms = context_.NowMs();
  TM_ASSIGN_OR_RETURN(next->writer, context_.files.OpenWritable(next->path, FileSystem::OpenMode::kTruncate));
  std::lock_guard lock(mutex_);
  const auto& last = segments_.back();
  last->max_timestamp.store(last->index.max_timestamp);
  sealed_.push_back(last);
  pending_checkpoint_ =
      Checkpoint{log_start_, next->base_offset, 0, next->base_offset, transactions_, producers_.Serialize()};
  directory_dirty_ = true;
  segments_.push_back(std::move(next));
  return Status::OK();
}

Status PartitionImpl::SyncUpTo(int64_t offset) {
  {
    std::lock_guard lock(mutex_);
    TM_RETURN_IF_ERROR(closed_);
    if (offset >= end_offset_) {
      return Status(kOffsetOutOfRange, Name() + " has no offset " + std::to_string(offset) + " yet; its end is " +
                                           std::to_string(end_offset_));
    }
  }
  return commit_->SyncUpTo(offset + 1);
}

void PartitionImpl::WhenDurable(int64_t offset, std::function<void(Status)> done) {
  Status refused;
  {
    std::lock_guard lock(mutex_);
    refused = closed_;
    if (refused.ok() && offset >= end_offset_) {
      refused = Status(kOffsetOutOfRange, Name() + " has no offset " + std::to_string(offset) + " yet");
    }
  }
  if (!refused.ok()) return done(std::move(refused));
  commit_->WhenDurable(offset + 1, std::move(done));
}

PartitionOffsets PartitionImpl::Offsets() const {
  const int64_t durable = commit_->durable_end();
  std::lock_guard lock(mutex_);
  return {log_start_, last_stable_, end_offset_, durable};
}

std::unique_ptr<PartitionSubscription> PartitionImpl::Subscribe(std::function<void()> wake) {
  return subscriptions_->Add(std::move(wake));
}

int64_t PartitionImpl::size_bytes() const {
  std::lock_guard lock(mutex_);
  int64_t size = 0;
  for (const auto& segment : segments_) size += segment->size.load(std::memory_order_relaxed);
  return size;
}

std::map<int64_t, TransactionState::OpenTransaction> PartitionImpl::OpenTransactions() const {
  std::lock_guard lock(mutex_);
  return transactions_.open();
}

std::shared_ptr<const AbortedList> PartitionImpl::Aborted() const {
  std::lock_guard lock(mutex_);
  return transactions_.aborted();
}

}  // namespace tidemill::log_internal
