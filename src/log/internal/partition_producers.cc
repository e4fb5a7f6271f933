// The partition's producers: sequence numbers, epochs, transactions of Kafka clients.

#include <algorithm>

#include "log/errors.h"
#include "log/internal/partition_impl.h"

namespace tidemill::log_internal {
namespace {

std::string ProducerAt(int64_t producer_id, const std::string& topic, int32_t index) {
  return "producer " + std::to_string(producer_id) + " in " + topic + "-" + std::to_string(index);
}

}  // namespace

// Says what to answer when nothing needs to be appended.
Result<std::optional<BatchAppend>> PartitionImpl::CheckProducerLocked(
    const BatchHeader& header, const std::optional<ControlMarker>& marker) const {
  const auto open = transactions_.open().find(header.producer_id);
  const bool is_open = open != transactions_.open().end();
  const auto state_error = [&](std::string_view why) {
    return Status(kInvalidTransactionState, ProducerAt(header.producer_id, topic_, index_) + ": " + std::string(why));
  };
  if (marker && marker->coordinator_epoch < 0) {
    // Two may end one transaction at the same time; the second finds it gone.
    return is_open ? std::optional<BatchAppend>() : BatchAppend{-1, -1, -1, false};
  }
  if (!marker && header.base_sequence < 0) return std::optional<BatchAppend>();  // of Log::Begin
  if (is_open && open->second.embedded) return state_error("this id is in use by a transaction of the log itself");
  if (marker) {
    TM_RETURN_IF_ERROR(producers_.CheckMarker(header, marker->coordinator_epoch));
    const auto* producer = producers_.Find(header.producer_id);
    if (!is_open && producer != nullptr && producer->epoch == header.producer_epoch)
      return std::optional(BatchAppend{end_offset_ - 1, end_offset_ - 1, -1, true});
    return std::optional<BatchAppend>();
  }
  TM_ASSIGN_OR_RETURN(const auto repeated, producers_.Check(header));
  if (repeated) {
    return std::optional(BatchAppend{repeated->base_offset, repeated->last_offset,
                                     header.log_append_time() ? repeated->timestamp_ms : -1, true});
  }
  if (is_open && !header.transactional()) return state_error("it must end its transaction first");
  return std::optional<BatchAppend>();
}

void PartitionImpl::RememberLocked(const BatchHeader& header, const std::optional<ControlMarker>& marker,
                                   int64_t seen_ms) {
  const auto open = transactions_.open().find(header.producer_id);
  const bool embedded = open != transactions_.open().end() ? open->second.embedded
                        : marker                           ? marker->coordinator_epoch < 0
                                                           : header.base_sequence < 0;
  transactions_.OnBatch(header, marker ? std::optional(marker->type) : std::nullopt);
  if (embedded) return;
  if (marker) {
    producers_.OnMarker(header, marker->coordinator_epoch, seen_ms);
  } else {
    producers_.OnBatch(header, seen_ms);
  }
  if (producers_.size() > kProducersMax) producers_.Forget(INT64_MIN, kProducersMax, transactions_.open());
}

Result<int64_t> PartitionImpl::AppendTransactionMarker(int64_t producer_id, int16_t producer_epoch, ControlType type,
                                                       int32_t coordinator_epoch) {
  if (producer_id < 0 || producer_epoch < 0 || coordinator_epoch < 0)
    return Status(kInvalidBatch, "a marker needs a producer id, its epoch and the coordinator's epoch");
  const ControlMarker marker{type, coordinator_epoch};
  std::string bytes;
  EncodeControlBatch(marker, producer_id, producer_epoch, context_.NowMs(), &bytes);
  TM_ASSIGN_OR_RETURN(const BatchHeader header, ParseBatchHeader(bytes));
  TM_ASSIGN_OR_RETURN(const BatchAppend append, AppendEncoded(bytes, {&header, 1}, marker));
  return append.last_offset;
}

std::vector<AbortedTransaction> PartitionImpl::AbortedTransactions(int64_t from, int64_t to) const {
  const auto aborted = Aborted();
  std::vector<AbortedTransaction> found;
  for (const AbortedTransaction& transaction : *aborted) {
    if (transaction.last_offset >= from && transaction.first_offset < to) found.push_back(transaction);
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first_offset < b.first_offset; });
  return found;
}

std::vector<ProducerDescription> PartitionImpl::ActiveProducers() const {
  std::vector<ProducerDescription> found;
  {
    std::lock_guard lock(mutex_);
    for (const auto& producer : producers_.producers()) {
      const auto open = transactions_.open().find(producer.id);
      found.push_back({producer.id, producer.epoch, producer.last_sequence(), producer.last_timestamp_ms,
                       producer.coordinator_epoch,
                       open == transactions_.open().end() ? -1 : open->second.first_offset});
    }
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.producer_id < b.producer_id; });
  return found;
}

}  // namespace tidemill::log_internal
