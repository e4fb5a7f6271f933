#pragma once

#include <memory>
#include <queue>
#include <vector>

#include "exec/aggregate_state.h"
#include "exec/operator.h"
#include "exec/row_rejecter.h"
#include "sql/logical_plan.h"
#include "state/keyed_table.h"
#include "state/saved_watermark.h"

namespace tidemill {

class ZoneOffsets;

// Groups rows by key and SESSION window: [first row, last row + gap), emitted once when the watermark passes its end.
//
// Method: per key the open sessions in order; a row extends what it is within the gap of (touching counts), joins two
// into one, or opens one. State:  "sessions": (key, number) -> first and last event time, accumulators; until the
// session fires. Late:   a row that opens a session whose end the watermark has passed goes to out.rejects() as kLate
// and is counted. NULL time:
//         kNullRowtime. Arguments that raise: kExpression.
class SessionAggregate final : public Operator {
 public:
  static Result<std::unique_ptr<SessionAggregate>> Make(WindowAggregateSpec spec, const Schema& input,
                                                        const Schema& output);
  ~SessionAggregate() override;
  Status Open(OpenContext& context) override;
  Status ProcessBatch(int input, Batch batch, Collector& out) override;
  Status OnWatermark(EventTime watermark, Collector& out) override;

 private:
  class Values;
  static constexpr uint32_t kNone = UINT32_MAX;
  struct Session {
    EventTime first = 0;
    EventTime last = 0;
    uint32_t slot = kNoSlot;  // of the table; none until the batch is through
    uint32_t key = 0;         // number in keys_
    uint32_t joined = kNone;  // the session it has become part of
    uint32_t row = 0;         // a row of its key in the batch at hand
    uint32_t generation = 0;  // of the place in sessions_, for timers of sessions that are gone
  };
  struct Timer {
    EventTime due;
    uint32_t session;
    uint32_t generation;
    bool operator>(const Timer& other) const { return std::tie(due, session) > std::tie(other.due, other.session); }
  };

  SessionAggregate(WindowAggregateSpec spec, Schema input, Schema output);
  Status RestoreSessions();
  uint32_t NewSession(uint32_t key, EventTime time, uint32_t row);
  void FreeSession(uint32_t session);
  EventTime DueOf(const Session& session) const;
  // The session that a row belongs to from now on; kNone: it is late.
  uint32_t Place(uint32_t key, EventTime time, uint32_t row);
  void Join(uint32_t into, uint32_t from);
  // Rows without NULL times whose arguments evaluate.
  Status Prepare(Batch& batch, std::vector<EventTime>& times, Collector& out);
  // Gives sessions of this batch their slots and folds joined ones together.
  Status Settle(const Batch& batch);
  Status Emit(const std::vector<uint32_t>& fired, Collector& out);

  WindowAggregateSpec spec_;
  Schema input_, output_;
  std::unique_ptr<Values> values_;
  std::unique_ptr<KeyedTable> table_;
  SavedWatermark watermark_;
  std::unique_ptr<KeyColumns> key_columns_;
  KeyIndex keys_;
  std::vector<std::vector<uint32_t>> open_;  // by key: open sessions, ascending
  std::vector<Session> sessions_;
  std::vector<uint32_t> free_;
  std::vector<uint32_t> touched_;  // sessions that are new or joined in the batch at hand
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers_;
  int64_t next_number_ = 0;
  std::unique_ptr<ZoneOffsets> zone_;
  RowRejecter rejecter_;
};

}  // namespace tidemill
