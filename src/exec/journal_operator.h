#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <vector>

#include "exec/journal.h"
#include "exec/operator.h"
#include "exec/recovered_rows.h"
#include "sql/logical_plan.h"

namespace tidemill {

// Writes rows to the journal before they go on, so that what was decided once stays decided: after a crash the replay's
// rows take their values from what earlier runs had written, and only new rows are written.
//
// Method: batches are held, in order, until the journal says that they are durable; the watermark is held with them.
// State:  "recovered": rows of earlier runs that the replay has not met yet (RecoveredRows). Rows that were met are not
// written again: the
//         journal of the run that decided them is kept until an epoch that contains them is durable.
// Failed: when the journal can't be written the job fails: nothing goes on that a replay could decide otherwise.
class JournalOperator final : public Operator {
 public:
  static Result<std::unique_ptr<JournalOperator>> Make(JournalSpec spec, const Schema& rows,
                                                       std::unique_ptr<Journal> journal);
  Status Open(OpenContext& context) override;
  Status ProcessBatch(int input, Batch batch, Collector& out) override;
  Status OnWatermark(EventTime watermark, Collector& out) override;
  EventTime HoldsWatermark(EventTime watermark) const override;
  Status OnWake(Collector& out) override;
  bool HasRoom() const override;
  bool IsQuiescent() const override { return held_.empty(); }
  Status PrepareSnapshot() override;
  Journal* journal() { return journal_.get(); }

 private:
  struct Written {
    std::atomic<bool> done{false};
    Status status;  // set before `done`
  };
  struct Held {
    Batch batch;
    std::shared_ptr<Written> written;  // null: nothing had to be written
    EventTime watermark;               // when it came
  };
  JournalOperator(JournalSpec spec, Schema rows, std::unique_ptr<Journal> journal)
      : spec_(std::move(spec)), rows_(std::move(rows)), journal_(std::move(journal)) {}
  Status EmitDurable(Collector& out);
  // Puts earlier decisions in the place of the batch's rows; `fresh`: the rows that have none.
  Result<Batch> Recall(Batch batch, std::vector<int32_t>& fresh);

  JournalSpec spec_;
  Schema rows_;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<RecoveredRows> recovered_;
  std::function<void()> wake_;
  std::deque<Held> held_;
  int64_t held_rows_ = 0;
  EventTime watermark_ = kMinEventTime;
};

}  // namespace tidemill
