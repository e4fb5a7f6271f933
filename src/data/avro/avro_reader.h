#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"
#include "data/avro/avro_read_plan.h"
#include "data/internal/message_refusal.h"

namespace tidemill {

// Reads rows of a plan's schema into its columns. Not thread-safe. Lengths and counts are checked against the bytes
// that are there before anything grows; one row has at most kEntriesMax entries of arrays and maps and kNestingMax
// values in each other.
class AvroReader {
 public:
  static constexpr int64_t kEntriesMax = 1'000'000;
  static constexpr int64_t kEmptyEntriesMax = 10'000;  // of entries that take no bytes: counts cost nothing to claim
  static constexpr int kNestingMax = 256;

  // False with refusal() set when the bytes are no such row; `row` can then be used again. The columns have room for
  // it. An error is our own: memory.
  Result<bool> ReadRow(const AvroReadPlan& plan, std::string_view bytes, int64_t row);
  const MessageRefusal& refusal() const { return refusal_; }

 private:
  bool Run(const AvroReadStep& step, int64_t row);
  bool RunNested(const AvroReadStep& step, int64_t row);
  bool RunNumber(const AvroReadStep& step, int64_t row);
  bool RunDecimal(const AvroReadStep& step, int64_t row);
  bool RunText(const AvroReadStep& step, int64_t row);
  bool RunTime(const AvroReadStep& step, int64_t row);
  bool SkipBlocks(const AvroReadStep& step, bool keys);
  bool ReadBlocks(const AvroReadStep& step, int64_t row);
  // The number of entries of the next block, 0 at the end.
  bool ReadBlockCount(int64_t& count, int64_t& bytes);
  bool CountEntries(const AvroReadStep& step, int64_t count);
  // After an entry that began at `begin`.
  bool CountEmptyEntry(const AvroReadStep& step, const uint8_t* begin);

  bool ReadLong(const AvroReadStep& step, int64_t& value);
  bool ReadBytes(const AvroReadStep& step, std::string_view& bytes);
  bool Take(const AvroReadStep& step, int64_t size, std::string_view& bytes);
  bool StoreBytes(const AvroReadStep& step, int64_t row, std::string_view bytes);
  bool StoreText(const AvroReadStep& step, int64_t row, std::string_view text);
  bool Fail(const AvroReadStep& step, RejectReason reason, std::string detail);
  bool TooShort(const AvroReadStep& step);

  const AvroReadPlan* plan_ = nullptr;
  const uint8_t* begin_ = nullptr;
  const uint8_t* at_ = nullptr;
  const uint8_t* end_ = nullptr;
  int64_t entries_ = 0;
  int64_t empty_entries_ = 0;
  int nesting_ = 0;
  MessageRefusal refusal_;
  Status fatal_;
};

}  // namespace tidemill
