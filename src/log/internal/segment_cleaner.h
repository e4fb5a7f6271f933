#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/file_system.h"
#include "base/status.h"
#include "log/internal/key_offsets.h"
#include "log/internal/segment.h"
#include "log/internal/transaction_state.h"
#include "log/record_batch.h"

namespace tidemill::log_internal {

// What one pass of compaction over a partition keeps.
struct CleaningRules {
  const KeyOffsets& newest;  // of the keys of records below mapped_to
  int64_t mapped_to = 0;     // records from here on are all kept
  std::shared_ptr<const AbortedList> aborted;
  // Whether this is the last that is known of the batch's producer: it is kept, without records, for its numbers.
  std::function<bool(const BatchHeader&)> is_last_of_producer;
  int64_t now_ms = 0;
  int64_t delete_retention_ms = 0;
};

// What a pass remembers from one segment to the next.
struct CleaningPass {
  std::unordered_set<int64_t> transactions_with_data;  // by producer id, until their marker
  int64_t clean_again_ms = INT64_MAX;                  // when the first of what must still wait may go
};

// Writes the batches of consecutive segments into one, without the records that nobody needs: those with a newer record
// of the same key, those without a key, those of aborted transactions, and tombstones and transaction markers after
// their time. Offsets stay as they are; where a batch is gone its offsets are covered by the one before it, made to
// reach further, or by one without records, so that a segment has no holes and damage can be told. Batches with
// tombstones or markers get a delete horizon (KIP-534). Not thread-safe.
class SegmentCleaner {
 public:
  SegmentCleaner(const CleaningRules& rules, CleaningPass* pass, WritableFile& out, int64_t base_offset)
      : rules_(rules), pass_(pass), out_(out), base_offset_(base_offset), next_offset_(base_offset) {
    index_.end_offset = base_offset;
  }

  Status Add(const BatchHeader& header, std::string_view batch);
  Status Finish(int64_t end_offset);

  bool changed() const { return changed_; }
  const SegmentIndex& index() const { return index_; }
  int64_t bytes() const { return bytes_; }
  // Abort markers that are gone: nothing of these transactions is left.
  const std::vector<AbortedTransaction>& forgotten() const { return forgotten_; }

 private:
  Status AddControl(const BatchHeader& header, std::string_view batch);
  Status AddData(const BatchHeader& header, std::string_view batch);
  Status KeepEmpty(const BatchHeader& header);
  Status Emit(std::string_view batch);
  Status CoverUpTo(int64_t offset);
  Status Flush(bool all);

  const CleaningRules& rules_;
  CleaningPass* const pass_;
  WritableFile& out_;
  const int64_t base_offset_;
  int64_t next_offset_;
  int64_t bytes_ = 0;    // that are in out_ or buffer_
  std::string buffer_;   // whole batches
  std::string pending_;  // the last batch: it may still grow over those that are gone
  std::string decompressed_;
  std::vector<RecordView> records_;
  SegmentIndex index_;
  std::vector<AbortedTransaction> forgotten_;
  bool changed_ = false;
};

}  // namespace tidemill::log_internal
