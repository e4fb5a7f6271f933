#pragma once

#include "base/clock.h"
#include "sql/catalog.h"
#include "sql/rules/plan_graph.h"

namespace tidemill {

// Each rule is plan -> plan, in a file of its own, with golden plans in tests/plan. OptimizePlan (optimize.cc) says in
// which order they run.

// Structurally equal subtrees become one object, so that they run once.
PlanRoots ShareSubplans(const PlanRoots& roots);
// Constant subexpressions become literals; AND, OR and CASE lose branches that can't be taken. What raises an error
// stays, for its row.
ExpressionPtr FoldExpression(const ExpressionPtr& expression, const Clock& clock, const std::string& time_zone);
PlanRoots FoldConstants(const PlanRoots& roots, const Clock& clock, const std::string& time_zone);
// Neighbouring projects and filters become one; projects that change nothing go. Shared projects that compute stay.
PlanRoots MergeProjects(const PlanRoots& roots);
// Filters move toward the sources: below projects, unions, over-partitions, predictions, the left side of joins, group
// keys. Never below a node that somebody else reads too.
PlanRoots PushFilters(const PlanRoots& roots);
// Columns that nobody reads are dropped, down to the scans; a shared node keeps the union of what its readers need.
PlanRoots PushProjections(const PlanRoots& roots);
// Tells aggregates over updating rows that they have to take rows back.
PlanRoots MarkRetractions(const PlanRoots& roots);
// Refuses updating rows where only inserts can be taken.
Status CheckChangelog(const PlanRoots& roots, PlannerEnvironment& environment);
// A Journal above the first non-deterministic node on the way from each sink that sends at once toward the sources.
PlanRoots InsertJournals(const PlanRoots& roots, PlannerEnvironment& environment);
// "Over[features]", unique in the plan.
PlanRoots NameNodes(const PlanRoots& roots);

Result<PlanRoots> OptimizePlan(PlanRoots roots, const Config& settings, PlannerEnvironment& environment);

}  // namespace tidemill
