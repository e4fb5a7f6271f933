#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/status.h"

namespace tidemill {

// One case: tests/sql/README.md says what a file holds.
struct CaseFile {
  struct Expect {
    std::string table;              // "": the SELECT
    std::vector<std::string> rows;  // as written
    bool ordered = false;
    bool changelog = false;
    int first_line = 0;  // of its rows (from 0), for updates
    int last_line = 0;   // one past them
  };
  struct Error {
    int number = 0;
    int line = 0;  // 0 = not compared
    int column = 0;
    std::string text;
  };

  std::string path;
  std::vector<std::string> lines;
  std::string script;  // directives and rows blanked, so that positions stay
  std::map<std::string, std::vector<std::vector<std::string>>> inputs;  // table -> splits -> JSON lines
  std::vector<Expect> expects;
  std::optional<Error> error;
  std::map<std::string, int> rejected;
  bool any_rejected = false;
  std::set<std::string> only;  // empty = all ways

  bool Runs(const std::string& way) const { return only.empty() || only.contains(way); }
};

Result<CaseFile> ReadCaseFile(const std::string& path);
// All .sql files below `directory`, sorted.
std::vector<std::string> FindCaseFiles(const std::string& directory);
// Rewrites the rows of its expectations (by table, "" = the SELECT).
Status UpdateCaseFile(const CaseFile& file, const std::map<std::string, std::vector<std::string>>& rows);

// A row as text that two equal rows share: JSON without spaces, after an optional kind.
std::string NormalRow(const std::string& row);

}  // namespace tidemill
