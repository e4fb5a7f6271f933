#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/status.h"
#include "log/internal/bytes.h"
#include "log/internal/transaction_state.h"
#include "log/record_batch.h"

namespace tidemill::log_internal {

inline constexpr size_t kProducersMax = 100'000;  // of a partition

// What a partition remembers of its idempotent producers, so that a batch that is sent again is not appended again and
// none is missing in between (KIP-98, KIP-360). A producer's sequence numbers count its records, from 0 in every epoch,
// and go on at 0 behind INT32_MAX. Transactions of this log itself have no sequence numbers and are not told here. Not
// thread-safe.
class ProducerState {
 public:
  struct Batch {
    int32_t first_sequence;
    int32_t last_sequence;
    int64_t base_offset;
    int64_t last_offset;
    int64_t timestamp_ms;  // the batch's newest
  };
  struct Producer {
    int64_t id = -1;
    int16_t epoch = -1;
    int32_t coordinator_epoch = -1;  // of the last transaction marker
    std::vector<Batch> batches;      // of this epoch, the last five
    int64_t last_timestamp_ms = -1;
    int64_t last_offset = -1;  // of the last batch or marker
    int64_t seen_ms = 0;       // wall clock of the last append
    int32_t last_sequence() const { return batches.empty() ? -1 : batches.back().last_sequence; }
  };

  // Of a batch with sequence numbers: the batch that it repeats, or nothing when it is the next one. An unknown
  // producer may begin anywhere. kProducerFenced, kOutOfOrderSequence.
  Result<std::optional<Batch>> Check(const BatchHeader& header) const;
  // Of a marker: kProducerFenced, kCoordinatorFenced.
  Status CheckMarker(const BatchHeader& header, int32_t coordinator_epoch) const;
  // What was appended, in the order of offsets.
  void OnBatch(const BatchHeader& header, int64_t seen_ms);
  void OnMarker(const BatchHeader& header, int32_t coordinator_epoch, int64_t seen_ms);

  using OpenTransactions = std::map<int64_t, TransactionState::OpenTransaction>;
  // Forgets those that were last seen before `seen_ms`, and the oldest beyond `count_max`; never one in a transaction.
  void Forget(int64_t seen_ms, size_t count_max, const OpenTransactions& open);

  const Producer* Find(int64_t producer_id) const;
  const std::list<Producer>& producers() const { return producers_; }  // the one seen last is last
  size_t size() const { return producers_.size(); }

  std::string Serialize() const;
  static Result<ProducerState> Parse(std::string_view text);

 private:
  Producer& Touch(int64_t producer_id, int64_t seen_ms);

  std::list<Producer> producers_;
  std::unordered_map<int64_t, std::list<Producer>::iterator> by_id_;
};

}  // namespace tidemill::log_internal
