#include "data/debezium/envelope.h"

namespace tidemill {

DebeziumOp DebeziumOpOf(std::string_view text) {
  if (text.size() != 1) return DebeziumOp::kUnknown;
  switch (text[0]) {
    case 'c':
      return DebeziumOp::kCreate;
    case 'r':
      return DebeziumOp::kRead;
    case 'u':
      return DebeziumOp::kUpdate;
    case 'd':
      return DebeziumOp::kDelete;
    case 't':
      return DebeziumOp::kTruncate;
    case 'm':
      return DebeziumOp::kMessage;
    default:
      return DebeziumOp::kUnknown;
  }
}

DebeziumRows RowsOfDebeziumOp(DebeziumOp op) {
  switch (op) {
    case DebeziumOp::kCreate:
    case DebeziumOp::kRead:
      return {false, true, RowKind::kDelete, RowKind::kInsert};
    case DebeziumOp::kUpdate:
      return {true, true, RowKind::kUpdateBefore, RowKind::kUpdateAfter};
    case DebeziumOp::kDelete:
      return {true, false, RowKind::kDelete, RowKind::kInsert};
    default:
      return {};
  }
}

const char* DebeziumRefusal(DebeziumOp op, bool has_before, bool has_after) {
  if (op == DebeziumOp::kUnknown) return "expected one of c, r, u, d, t, m";
  if (op == DebeziumOp::kTruncate)
    return "TRUNCATE says nothing of the rows that it takes away; the connector's 'skipped.operations' = 't' leaves it "
           "out";
  const DebeziumRows rows = RowsOfDebeziumOp(op);
  if (rows.before && !has_before) {
    return "a change without the row from before ('before' is null); in PostgreSQL: ALTER TABLE ... REPLICA IDENTITY "
           "FULL";
  }
  return rows.after && !has_after ? "a change without the row from after ('after' is null)" : nullptr;
}

Schema DebeziumEnvelopeOf(const Schema& columns) {
  const DataType row = DataType::Row(columns.fields());
  return Schema({{"before", row}, {"after", row}, {"op", DataType(TypeKind::kString)}});
}

}  // namespace tidemill
