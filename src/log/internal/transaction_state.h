#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "log/internal/bytes.h"
#include "log/partition.h"
#include "log/record_batch.h"

namespace tidemill::log_internal {

// By producer id, then first offset. Immutable, shared with readers.
using AbortedList = std::vector<AbortedTransaction>;
bool IsAborted(const AbortedList& aborted, int64_t producer_id, int64_t offset);

// The transactions of one partition, as its batches tell: which are open, which were aborted. Those of a Kafka producer
// have sequence numbers, those of the log itself (Log::Begin) have none; that tells them apart, also after a restart.
// Not thread-safe.
class TransactionState {
 public:
  TransactionState() : aborted_(std::make_shared<AbortedList>()) {}

  struct OpenTransaction {
    int64_t first_offset;
    int64_t last_offset;
    bool embedded = true;  // of Log::Begin; else a Kafka coordinator decides it
  };

  // Batches are told in the order of their offsets; `control` for control batches.
  void OnBatch(const BatchHeader& header, std::optional<ControlType> control);
  // First offset of the oldest open transaction, else `end`.
  int64_t LastStable(int64_t end) const;
  const std::map<int64_t, OpenTransaction>& open() const { return open_; }
  const std::shared_ptr<const AbortedList>& aborted() const { return aborted_; }
  void ForgetBefore(int64_t log_start);
  // Of which no record is left: by producer and offset of the marker.
  void ForgetAborted(const std::vector<AbortedTransaction>& gone);

  void AppendTo(std::string* out) const;
  static TransactionState ParseFrom(ByteReader* reader, int version);

 private:
  std::map<int64_t, OpenTransaction> open_;  // by producer id
  std::shared_ptr<const AbortedList> aborted_;
};

}  // namespace tidemill::log_internal
