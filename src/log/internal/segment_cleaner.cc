#include "log/internal/segment_cleaner.h"

#include <algorithm>

namespace tidemill::log_internal {
namespace {

constexpr size_t kWriteBytes = 1 << 20;

}  // namespace

Status SegmentCleaner::Add(const BatchHeader& header, std::string_view batch) {
  return header.control() ? AddControl(header, batch) : AddData(header, batch);
}

// A marker is needed while there is data of its transaction: whoever reads the log from its start must see it end.
Status SegmentCleaner::AddControl(const BatchHeader& header, std::string_view batch) {
  const bool has_data = pass_->transactions_with_data.erase(header.producer_id) > 0;
  if (has_data || header.last_offset() >= rules_.mapped_to) return Emit(batch);
  if (!header.has_delete_horizon()) {
    std::string marked;
    TM_RETURN_IF_ERROR(RewriteBatch(header, batch, rules_.now_ms + rules_.delete_retention_ms, &marked));
    pass_->clean_again_ms = std::min(pass_->clean_again_ms, rules_.now_ms + rules_.delete_retention_ms);
    changed_ = true;
    return Emit(marked);
  }
  if (rules_.now_ms < header.base_timestamp) {
    pass_->clean_again_ms = std::min(pass_->clean_again_ms, header.base_timestamp);
    return Emit(batch);
  }
  if (rules_.is_last_of_producer(header)) return Emit(batch);
  forgotten_.push_back({header.producer_id, 0, header.base_offset});
  changed_ = true;
  return Status::OK();
}

Status SegmentCleaner::AddData(const BatchHeader& header, std::string_view batch) {
  if (header.transactional() && IsAborted(*rules_.aborted, header.producer_id, header.base_offset))
    return KeepEmpty(header);
  if (header.base_offset >= rules_.mapped_to) {
    if (header.transactional()) pass_->transactions_with_data.insert(header.producer_id);
    return Emit(batch);
  }
  TM_ASSIGN_OR_RETURN(const bool readable, ReadRecords(header, batch, &decompressed_, &records_));
  if (!readable) return KeepEmpty(header);
  const bool tombstones_may_go = header.has_delete_horizon() && rules_.now_ms >= header.base_timestamp;
  bool tombstones = false;
  const auto keep = [&](const RecordView& record) {
    if (record.offset >= rules_.mapped_to) return true;
    if (!record.has_key() || rules_.newest.Find(record.key) > record.offset) return false;
    if (record.has_value()) return true;
    if (tombstones_may_go) return false;
    tombstones = true;
    return true;
  };
  std::erase_if(records_, [&](const RecordView& record) { return !keep(record); });
  if (records_.empty()) return KeepEmpty(header);
  if (header.transactional()) pass_->transactions_with_data.insert(header.producer_id);
  const bool new_horizon = tombstones && !header.has_delete_horizon();
  const int64_t horizon = new_horizon ? rules_.now_ms + rules_.delete_retention_ms : header.base_timestamp;
  if (tombstones) pass_->clean_again_ms = std::min(pass_->clean_again_ms, horizon);
  if (records_.size() == static_cast<size_t>(header.record_count) && !new_horizon) return Emit(batch);
  changed_ = true;
  std::string filtered;
  TM_RETURN_IF_ERROR(RewriteBatch(
      header, records_, new_horizon || header.has_delete_horizon() ? std::optional(horizon) : std::nullopt, &filtered));
  return Emit(filtered);
}

Status SegmentCleaner::KeepEmpty(const BatchHeader& header) {
  const bool was_empty = header.record_count == 0;
  changed_ |= !was_empty;
  // One without a producer is made anew where it is needed.
  if (header.producer_id < 0 || !rules_.is_last_of_producer(header)) {
    changed_ |= header.producer_id >= 0;
    return Status::OK();
  }
  if (header.transactional()) pass_->transactions_with_data.insert(header.producer_id);
  std::string empty;
  TM_RETURN_IF_ERROR(RewriteBatch(header, std::span<const RecordView>{}, std::nullopt, &empty));
  return Emit(empty);
}

Status SegmentCleaner::Emit(std::string_view batch) {
  TM_ASSIGN_OR_RETURN(const BatchHeader header, ParseBatchHeader(batch));
  TM_RETURN_IF_ERROR(CoverUpTo(header.base_offset));
  TM_RETURN_IF_ERROR(Flush(false));
  pending_.assign(batch);
  next_offset_ = header.last_offset() + 1;
  return Status::OK();
}

Status SegmentCleaner::CoverUpTo(int64_t offset) {
  if (offset == next_offset_) return Status::OK();
  if (!pending_.empty()) {
    TM_ASSIGN_OR_RETURN(const BatchHeader last, ParseBatchHeader(pending_));
    if (last.producer_id < 0) {  // of a producer the length is what its numbers are counted by
      SetLastOffsetDelta(&pending_, static_cast<int32_t>(offset - 1 - last.base_offset));
      next_offset_ = offset;
      return Status::OK();
    }
    TM_RETURN_IF_ERROR(Flush(false));
  }
  BatchHeader filler;
  filler.base_offset = next_offset_;
  filler.last_offset_delta = static_cast<int32_t>(offset - 1 - next_offset_);
  filler.base_timestamp = filler.max_timestamp = kNoTimestamp;
  next_offset_ = offset;
  return RewriteBatch(filler, std::span<const RecordView>{}, std::nullopt, &pending_);
}

// The pending batch, and to the file when enough has come together.
Status SegmentCleaner::Flush(bool all) {
  if (!pending_.empty()) {
    TM_ASSIGN_OR_RETURN(const BatchHeader header, ParseBatchHeader(pending_));
    index_.Add(header, bytes_, base_offset_);
    bytes_ += header.total_bytes();
    buffer_ += pending_;
    pending_.clear();
  }
  if (buffer_.empty() || (!all && buffer_.size() < kWriteBytes)) return Status::OK();
  TM_RETURN_IF_ERROR(out_.Append(buffer_));
  buffer_.clear();
  return Status::OK();
}

Status SegmentCleaner::Finish(int64_t end_offset) {
  TM_RETURN_IF_ERROR(CoverUpTo(end_offset));
  return Flush(true);
}

}  // namespace tidemill::log_internal
