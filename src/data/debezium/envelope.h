#pragma once

#include <string_view>

#include "data/batch.h"
#include "data/schema.h"

namespace tidemill {

// What Debezium says happened to a row.
enum class DebeziumOp : uint8_t { kCreate, kRead, kUpdate, kDelete, kTruncate, kMessage, kUnknown };
DebeziumOp DebeziumOpOf(std::string_view text);

// The rows that a change becomes, in this order.
struct DebeziumRows {
  bool before = false;
  bool after = false;
  RowKind before_kind = RowKind::kDelete;
  RowKind after_kind = RowKind::kInsert;
};
DebeziumRows RowsOfDebeziumOp(DebeziumOp op);

// Why a change can't become rows, for a person; null when it can.
const char* DebeziumRefusal(DebeziumOp op, bool has_before, bool has_after);

// {before ROW<columns>, after ROW<columns>, op STRING}.
Schema DebeziumEnvelopeOf(const Schema& columns);

}  // namespace tidemill
