#include "sql/rules/rules.h"

namespace tidemill {

Result<PlanRoots> OptimizePlan(PlanRoots roots, const Config& settings, PlannerEnvironment& environment) {
  const SystemClock clock;
  const std::string time_zone = settings.GetString("table.local-time-zone", "UTC");
  roots = FoldConstants(roots, clock, time_zone);
  // Sharing comes first: what is shared is then left whole by the rules that move things.
  roots = ShareSubplans(roots);
  roots = MergeProjects(roots);
  roots = ShareSubplans(roots);
  roots = PushFilters(roots);
  roots = MergeProjects(roots);
  roots = FoldConstants(roots, clock, time_zone);  // literals have met the expressions above them
  roots = ShareSubplans(roots);
  roots = PushProjections(roots);
  roots = MergeProjects(roots);
  roots = ShareSubplans(roots);
  TM_RETURN_IF_ERROR(CheckChangelog(roots, environment));
  roots = MarkRetractions(roots);
  roots = InsertJournals(roots, environment);
  return NameNodes(roots);
}

}  // namespace tidemill
