#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "data/schema.h"
#include "function/aggregate_function.h"
#include "sql/catalog.h"
#include "sql/expression.h"

namespace tidemill {

struct LogicalNode;
using LogicalPtr = std::shared_ptr<const LogicalNode>;

// An aggregate call: COUNT(DISTINCT x) FILTER (WHERE p). `args` and `filter` are over the input of the node that holds
// it.
struct AggregateCall {
  const AggregateFunction* function = nullptr;
  ResolvedAggregate resolved;
  std::vector<ExpressionPtr> args;
  ExpressionPtr filter;  // may be null
  std::string name;      // of the output column
  SourcePosition position;
  // Constants of OVER-only functions: LAG(x, 2) -> offset 2.
  int64_t offset = 1;
};

// --- the specs: plain, printable, immutable ---

// Reads a table. Output: `columns` of the table in that order (numbers into TableDefinition::columns). The source
// decodes only what these, the computed columns and the watermark need. `filter` is over the output and is also kept
// above unless the source promised it.
struct ScanSpec {
  TablePtr table;
  std::vector<int> columns;
  Config options;  // table options with OPTIONS hints applied
};
struct ValuesSpec {
  std::vector<std::vector<ExpressionPtr>> rows;
};
struct ProjectSpec {
  std::vector<ExpressionPtr> expressions;
};
struct FilterSpec {
  ExpressionPtr predicate;
};

enum class WindowKind : uint8_t { kTumble, kHop, kCumulate, kSession };
struct WindowSpec {
  WindowKind kind = WindowKind::kTumble;
  int time_column = -1;
  int64_t size_ms = 0;   // SESSION: the gap
  int64_t slide_ms = 0;  // HOP: slide, CUMULATE: step, TUMBLE: = size
  int64_t offset_ms = 0;
  std::string time_zone;               // of TIMESTAMP_LTZ columns; empty for TIMESTAMP
  std::vector<int> partition_columns;  // SESSION ... PARTITION BY
};
// A window TVF that no aggregate absorbed: appends window_start, window_end, window_time to each row (several rows for
// HOP, CUMULATE).
struct WindowTvfSpec {
  WindowSpec window;
};
// GROUP BY keys + window over a TVF. Output: keys, aggregates, then window_start, window_end, window_time.
struct WindowAggregateSpec {
  WindowSpec window;
  std::vector<int> keys;
  std::vector<AggregateCall> calls;
};
// Updating aggregate. Output: keys, aggregates.
struct GroupAggregateSpec {
  std::vector<int> keys;
  std::vector<AggregateCall> calls;
  int64_t state_ttl_ms = 0;  // 'table.exec.state.ttl'; 0 = for ever
};

struct OverFrame {
  enum class Unit : uint8_t { kRows, kRange };
  Unit unit = Unit::kRange;
  bool unbounded = true;  // UNBOUNDED PRECEDING
  int64_t preceding = 0;  // rows, or milliseconds; frame is [t - preceding, t], closed at both ends
  bool operator==(const OverFrame&) const = default;
};
struct OverCall {
  AggregateCall call;
  OverFrame frame;
};
enum class OverEmit : uint8_t { kOnWatermark, kOnArrival };
// All OVER calls with one PARTITION BY and ORDER BY. Output: all input columns, then one column a call.
struct OverSpec {
  std::vector<int> partition_columns;
  int time_column = -1;
  std::vector<OverCall> calls;
  OverEmit emit = OverEmit::kOnWatermark;
};
struct UnionSpec {};  // UNION ALL of any number of inputs with equal types

// left JOIN right FOR SYSTEM_TIME AS OF left.time. Output: all left columns, then all right columns (nullable for
// LEFT).
struct TemporalJoinSpec {
  std::vector<int> left_keys;
  std::vector<int> right_keys;  // = the right table's primary key
  int left_time_column = -1;
  int right_time_column = -1;
  bool left_outer = false;
  ExpressionPtr condition;  // further ON condition over the output, may be null
  // On arrival ('table.exec.temporal-join.emit' = 'on-arrival'): a left row joins at once, with the version known by
  // then.
  OverEmit emit = OverEmit::kOnWatermark;
};
// ML_PREDICT. Output: all input columns, then the model's outputs, then (our addition) nothing else; the version of the
// model is the output column named 'model_version' when the OUTPUT list declares it as STRING.
struct PredictSpec {
  ModelPtr model;
  std::vector<int> argument_columns;
  Config config;
};
// Deduplicates effects after a crash: see docs/architecture: rows whose values depend on arrival order or on a
// swappable model are written to the journal before they can have an effect outside. `deterministic_columns` identify a
// row across replays.
struct JournalSpec {
  std::vector<int> deterministic_columns;
};

struct SinkSpec {
  TablePtr table;
  std::vector<int> columns;  // input column i goes to table column columns[i]
  std::string statement;     // "INSERT INTO scored", for names and metrics
};

using LogicalSpec =
    std::variant<ScanSpec, ValuesSpec, ProjectSpec, FilterSpec, WindowTvfSpec, WindowAggregateSpec, GroupAggregateSpec,
                 OverSpec, UnionSpec, TemporalJoinSpec, PredictSpec, JournalSpec, SinkSpec>;

enum class ChangelogMode : uint8_t { kAppend, kUpsert, kRetract };

struct LogicalNode {
  LogicalSpec spec;
  std::vector<LogicalPtr> inputs;
  Schema schema;            // of the output
  int rowtime_column = -1;  // the output column that is the time attribute, -1 = none
  ChangelogMode changelog = ChangelogMode::kAppend;
  std::string name;  // unique in the plan and stable under unrelated edits: "Over[features]"; state is restored by it
  SourcePosition position;
};

// What a script becomes: one tree per INSERT (or one SELECT that is shown). Nodes that several trees share are the same
// object, so that a source, and everything above it that is common, runs once.
struct LogicalPlan {
  std::vector<LogicalPtr> roots;  // SinkSpec nodes; a bare SELECT ends in its last relational node
  Config settings;                // SETs in force
};

// EXPLAIN: a tree a root, one node a line, two spaces a level.
std::string ExplainPlan(const LogicalPlan& plan);

}  // namespace tidemill
