#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_system.h"
#include "base/status.h"
#include "sql/planner.h"

namespace tidemill {

inline constexpr int64_t kScriptBytesMax = 16 << 20;

// The text of a script; "-" reads standard input. kFileNotFound, kLimitExceeded.
Result<std::string> ReadScript(FileSystem& files, const std::string& path);

// -D variables plus those every script has: script_dir, the folder of its own file.
std::map<std::string, std::string> VariablesFor(const std::map<std::string, std::string>& given,
                                                const std::string& path);

// SET statements for -X key=value, so that they are checked as a script's own.
Status ApplySettings(Planner& planner, const Config& settings);

// Statements of a text, each up to and with its ';'. Knows quotes, comments, and BEGIN ... END of a statement set. What
// follows the last ';' is the last piece when it holds more than blanks and comments.
struct ScriptPiece {
  size_t begin = 0;
  size_t end = 0;         // one past the last character
  bool complete = false;  // ends with ';'
};
std::vector<ScriptPiece> SplitScript(std::string_view text);

// `text` with everything outside the piece made blank, so that positions stay those of the whole.
std::string OnlyPiece(std::string_view text, const ScriptPiece& piece);

// All errors of a script that can be told from one another, by place: after the first, statement by statement; and
// those of models that no statement uses. What only follows from an earlier error (a table whose CREATE failed) is left
// out. `environment` is the planner's. The planner is a session of its own afterwards: throw it away.
std::vector<Status> FindErrors(Planner& planner, PlannerEnvironment& environment, const std::string& file,
                               const std::string& text, const std::map<std::string, std::string>& variables);

}  // namespace tidemill
