#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/status.h"
#include "exec/over_plan.h"
#include "state/keyed_table.h"
#include "state/time_buffer.h"

namespace tidemill {

// Where a kernel finds its argument in the buffered records.
struct OverArgument {
  DataType type;
  WordKind kind = WordKind::kUnsupported;  // of COUNT(*)
  int word = -1;
  int null_word = -1;
  uint64_t skip_mask = 0;  // bits of the nulls word that keep a record out: value NULL, filter not passed

  bool Takes(const uint64_t* record) const { return skip_mask == 0 || (record[null_word] & skip_mask) == 0; }
};

// Rows of one batch whose records are all at the end of their keys' rings, in order.
struct OverRun {
  int64_t num_rows = 0;
  const uint32_t* slots = nullptr;          // key in the buffer
  const uint32_t* running_slots = nullptr;  // key in the table of running state; only with unbounded frames
  const uint32_t* own = nullptr;            // the row's record
  const uint32_t* out = nullptr;            // the row's place in the output
};

// What one frame does at each row of a run. Sequence numbers are those of the row's key.
struct FrameRun {
  const uint32_t* begin = nullptr;  // first record of the frame; not for unbounded frames
  const uint32_t* end = nullptr;    // one past its last
  // Records that leave before row i: leave[leave_ends[i - 1] .. leave_ends[i]), and that enter, from own[i] on.
  const uint32_t* leave_ends = nullptr;
  const uint64_t* const* leave = nullptr;
  const uint32_t* enter_ends = nullptr;
  const uint64_t* const* enter = nullptr;
};

// A frame of one key, outside a run.
struct FrameAt {
  uint32_t slot = 0;        // key in the buffer
  uint32_t state_slot = 0;  // the same, or in the table of running state
  uint32_t begin = 0;       // what the kernel's state holds: [begin, end)
  uint32_t end = 0;
};

// Folds one argument over one frame for all keys; gives one or more output columns. State is by key slot. The frame's
// first pass has been made: kernels only follow what it found, in one typed loop over the rows.
class OverKernel {
 public:
  virtual ~OverKernel() = default;
  virtual void Resize(size_t slots) = 0;  // of states; new ones are empty
  virtual void StartBatch(int64_t output_rows) = 0;
  virtual void Process(const OverRun& run, const FrameRun& frame) = 0;

  // --- rows that came out of order, one by one ---
  // The value over [first, last) goes to output row `out`; the state, over [at.begin, at.end), stays as it is.
  virtual void Evaluate(const FrameAt& at, uint32_t first, uint32_t last, uint32_t out) = 0;
  // `record` has been inserted inside the frame.
  virtual void Admit(const FrameAt& at, const uint64_t* record) {
    (void)record;
    Rebuild(at);
  }
  // A record was inserted before the frame: the numbers of its records have grown by one.
  virtual void Renumber(const FrameAt& at) { (void)at; }
  // The state from the records alone; not for unbounded frames.
  virtual void Rebuild(const FrameAt& at) = 0;
  // Back to empty; the records are still there.
  virtual void Clear(const FrameAt& at) = 0;

  virtual Result<std::shared_ptr<arrow::Array>> Finish(const OverOutput& output) = 0;
  // For unbounded frames: the state, to be saved; else nullptr.
  virtual SlotValues* running() { return nullptr; }
  virtual int64_t MemoryBytes() const = 0;
};

// One factory per kind, in the files over_fold.cc, over_extreme.cc, over_value.cc, over_distinct.cc.
std::unique_ptr<OverKernel> MakeOverKernel(const OverKernelSpec& spec, const OverFrame& frame, OverArgument argument,
                                           TimeBuffer& buffer);
std::unique_ptr<OverKernel> MakeFoldKernel(const OverKernelSpec& spec, const OverFrame& frame, OverArgument argument,
                                           TimeBuffer& buffer);
std::unique_ptr<OverKernel> MakeExtremeKernel(const OverKernelSpec& spec, const OverFrame& frame, OverArgument argument,
                                              TimeBuffer& buffer);
std::unique_ptr<OverKernel> MakeValueKernel(const OverKernelSpec& spec, const OverFrame& frame, OverArgument argument,
                                            TimeBuffer& buffer);
std::unique_ptr<OverKernel> MakeDistinctKernel(OverArgument argument, TimeBuffer& buffer);

// A BIGINT column (or of a narrower integer type) from counts.
Result<std::shared_ptr<arrow::Array>> CountColumn(const DataType& type, const std::vector<int64_t>& counts);

}  // namespace tidemill
