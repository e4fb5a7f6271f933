#pragma once

#include <string>
#include <vector>

#include "sql/logical_plan.h"

namespace tidemill {

// Plan nodes with their schema, time attribute and changelog mode worked out from spec and inputs. Binder and rules
// make every node here, so that what holds between a spec and its schema is written once. `hint` becomes the bracket of
// the name: "features" -> "Over[features]".

LogicalPtr MakeScan(TablePtr table, std::vector<int> columns, Config options, std::string hint,
                    SourcePosition position);
LogicalPtr MakeValues(std::vector<std::vector<ExpressionPtr>> rows, std::vector<Field> fields, std::string hint,
                      SourcePosition position);
// Names are made unique by a number at the end.
LogicalPtr MakeProject(LogicalPtr input, std::vector<ExpressionPtr> expressions, std::vector<std::string> names,
                       std::string hint, SourcePosition position);
LogicalPtr MakeFilter(LogicalPtr input, ExpressionPtr predicate, std::string hint, SourcePosition position);
LogicalPtr MakeWindowTvf(LogicalPtr input, WindowSpec window, std::string hint, SourcePosition position);
LogicalPtr MakeWindowAggregate(LogicalPtr input, WindowAggregateSpec spec, std::string hint, SourcePosition position);
LogicalPtr MakeGroupAggregate(LogicalPtr input, GroupAggregateSpec spec, std::string hint, SourcePosition position);
LogicalPtr MakeOver(LogicalPtr input, OverSpec spec, std::string hint, SourcePosition position);
LogicalPtr MakeUnion(std::vector<LogicalPtr> inputs, std::string hint, SourcePosition position);
LogicalPtr MakeTemporalJoin(LogicalPtr left, LogicalPtr right, TemporalJoinSpec spec, std::string hint,
                            SourcePosition position);
LogicalPtr MakePredict(LogicalPtr input, PredictSpec spec, std::string hint, SourcePosition position);
LogicalPtr MakeJournal(LogicalPtr input, JournalSpec spec, std::string hint, SourcePosition position);
LogicalPtr MakeSink(LogicalPtr input, SinkSpec spec, std::string hint, SourcePosition position);

// The same node over other inputs of the same columns; the changelog mode is worked out anew.
LogicalPtr WithInputs(const LogicalPtr& node, std::vector<LogicalPtr> inputs);

// All columns of a node as expressions.
std::vector<ExpressionPtr> ColumnsOfNode(const LogicalNode& node);
// Appends 0, 1, ... to names that stand before already, as Flink does.
void MakeNamesUnique(std::vector<std::string>& names);
// What a node does to its inputs' changelogs.
ChangelogMode InferChangelog(const LogicalSpec& spec, const std::vector<LogicalPtr>& inputs);
// "Over", "Project", ...
const char* NodeKindName(const LogicalSpec& spec);

}  // namespace tidemill
