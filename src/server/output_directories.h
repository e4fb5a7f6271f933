#pragma once

#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/status.h"
#include "sql/logical_plan.h"

namespace tidemill {

// A folder that a plan writes files into ('path' of a filesystem sink, 'offline.path' of a feature store sink).
struct OutputDirectory {
  std::string path;
  std::string table;
  SourcePosition position;  // of the option
};
std::vector<OutputDirectory> OutputDirectoriesOf(const LogicalPlan& plan);

// What a run that starts from the beginning does with files that lie there already: another run's rows beside this
// run's would be wrong answers for whoever reads the folder.
enum class ExistingOutput : uint8_t {
  kRefuse,   // kOutputExists
  kReplace,  // remove the files that sinks wrote ("part-*", and their unfinished ones); others are refused
  kKeep,     // write beside them
};
// `own`: folders that an earlier run of the same job wrote; with kRefuse those are replaced when `replace_own`. Tells
// what it removed.
Result<std::vector<std::string>> PrepareOutputDirectories(FileSystem& files,
                                                          const std::vector<OutputDirectory>& directories,
                                                          ExistingOutput mode, const std::vector<std::string>& own,
                                                          bool replace_own);

}  // namespace tidemill
