#pragma once

#include <memory>
#include <vector>

#include "exec/operator.h"
#include "exec/row_rejecter.h"
#include "sql/logical_plan.h"
#include "state/row_buffer.h"
#include "state/time_buffer.h"

namespace tidemill {

// left JOIN right FOR SYSTEM_TIME AS OF left.time: each left row gets the version of its key that was valid at its
// event time.
//
// Method: right rows (+I, +U, -D; -U says nothing) are versions in a time buffer per key; of several with the same time
// the last one counts. Emit on-watermark: left rows wait until both inputs' watermarks have passed them and come out in
// order of (time, arrival). A left row at or
//         below the watermark is late. A right row may be late: it counts for left rows that have not been joined yet.
// Emit on-arrival: a left row joins at once with the version known by then. It is late only when it is older than all
// versions that are kept. State:  "pending": left rows before the watermark; "versions": per key the newest version at
// or below the watermark and all later ones.
//         A deleted key is forgotten once its deletion is saved.
// Late:   to out.rejects() as kLate, counted. NULL time: kNullRowtime. A NULL key matches nothing. Row kinds of the
// left go along.
class TemporalJoin final : public Operator {
 public:
  static Result<std::unique_ptr<TemporalJoin>> Make(TemporalJoinSpec spec, const Schema& left, const Schema& right,
                                                    const Schema& output);
  Status Open(OpenContext& context) override;
  Status ProcessBatch(int input, Batch batch, Collector& out) override;
  Status OnWatermark(EventTime watermark, Collector& out) override;

 private:
  TemporalJoin(TemporalJoinSpec spec, Schema left, Schema right, Schema output)
      : spec_(std::move(spec)), left_(std::move(left)), right_(std::move(right)), output_(std::move(output)) {}
  TimeBuffer::Options VersionOptions() const;
  Status AddVersions(const Batch& batch, Collector& out);
  Status AddLeft(Batch batch, Collector& out);
  // Emits the left rows with what `times` finds for them.
  Status Join(Batch batch, std::vector<EventTime> times, Collector& out);
  const uint64_t* VersionAt(uint32_t slot, EventTime time, bool* too_old) const;
  Result<std::vector<std::shared_ptr<arrow::Array>>> RightColumns(const std::vector<const uint64_t*>& versions) const;
  // Takes the matches away that the condition does not confirm; `rows` gets the rows that raised no error.
  Status Confirm(const Batch& joined, std::vector<const uint64_t*>& versions, Collector& out,
                 std::vector<int32_t>& good);
  void Trim(uint32_t slot);

  TemporalJoinSpec spec_;
  Schema left_, right_, output_;
  std::vector<DataType> key_types_;  // as both sides encode a key: nullable where either is
  std::unique_ptr<RowBuffer> pending_;
  std::unique_ptr<TimeBuffer> versions_;
  std::unique_ptr<ExpressionEvaluator> condition_;
  EventTime watermark_ = kMinEventTime;
  uint32_t sweep_cursor_ = 0;
  RowRejecter rejecter_;
};

}  // namespace tidemill
