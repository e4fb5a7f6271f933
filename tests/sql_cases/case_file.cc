#include "case_file.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <nlohmann/json.hpp>

#include "base/errors.h"

namespace tidemill {
namespace {

std::vector<std::string> Words(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

bool IsRow(const std::string& line) {
  if (line.starts_with("{")) return true;
  return line.size() > 3 &&
         (line.starts_with("+I ") || line.starts_with("-U ") || line.starts_with("+U ") || line.starts_with("-D "));
}

Status Bad(const std::string& path, size_t line, const std::string& what) {
  return Status(kInvalidConfig, path + ":" + std::to_string(line + 1) + ": " + what);
}

class CaseParser {
 public:
  explicit CaseParser(std::string path) { file_.path = std::move(path); }

  Result<CaseFile> Parse() {
    std::ifstream in(file_.path);
    if (!in) return Status(kFileNotFound, file_.path);
    for (std::string line; std::getline(in, line);) file_.lines.push_back(line);
    for (at_ = 0; at_ < file_.lines.size(); ++at_) {
      const std::string& line = file_.lines[at_];
      const std::vector<std::string> words =
          line.starts_with("-- ") ? Words(line.substr(3)) : std::vector<std::string>();
      if (words.empty() || !IsDirective(words)) {
        file_.script += line + "\n";
        continue;
      }
      file_.script += "\n";
      TM_RETURN_IF_ERROR(Directive(words));
    }
    if (file_.expects.empty() && !file_.error) return Bad(file_.path, 0, "neither '-- expect' nor '-- error'");
    return std::move(file_);
  }

 private:
  static bool IsDirective(const std::vector<std::string>& words) {
    static const std::set<std::string> kDirectives = {"input", "split", "expect", "error", "rejected", "only"};
    return kDirectives.contains(words[0]);
  }

  Status Directive(const std::vector<std::string>& words) {
    if (words[0] == "input") {
      if (words.size() != 2) return Bad(file_.path, at_, "expected '-- input TABLE'");
      input_ = words[1];
      file_.inputs[input_].push_back(TakeRows());
    } else if (words[0] == "split") {
      if (input_.empty()) return Bad(file_.path, at_, "'-- split' before any '-- input'");
      file_.inputs[input_].push_back(TakeRows());
    } else if (words[0] == "expect") {
      CaseFile::Expect expect;
      for (size_t i = 1; i < words.size(); ++i) {
        if (words[i] == "ordered") {
          expect.ordered = true;
        } else if (words[i] == "changelog") {
          expect.changelog = true;
        } else {
          expect.table = words[i];
        }
      }
      expect.first_line = static_cast<int>(at_) + 1;
      expect.rows = TakeRows();
      expect.last_line = static_cast<int>(at_) + 1;
      file_.expects.push_back(std::move(expect));
    } else if (words[0] == "error") {
      return ParseError(words);
    } else if (words[0] == "rejected") {
      if (words.size() == 2 && words[1] == "any") {
        file_.any_rejected = true;
      } else if (words.size() == 3) {
        file_.rejected[words[1]] = std::atoi(words[2].c_str());
      } else {
        return Bad(file_.path, at_, "expected '-- rejected REASON N' or '-- rejected any'");
      }
    } else {
      return ParseOnly();
    }
    return Status::OK();
  }

  Status ParseError(const std::vector<std::string>& words) {
    if (words.size() < 3 || !words[1].starts_with("TM"))
      return Bad(file_.path, at_, "expected '-- error TMnnnn LINE:COLUMN text'");
    CaseFile::Error error;
    error.number = std::atoi(words[1].c_str() + 2);
    if (words[2] != "-") {
      if (std::sscanf(words[2].c_str(), "%d:%d", &error.line, &error.column) != 2)
        return Bad(file_.path, at_, "expected LINE:COLUMN");
    }
    const std::string& line = file_.lines[at_];
    const size_t after = line.find(words[2], line.find(words[1]) + words[1].size()) + words[2].size();
    error.text = after + 1 < line.size() ? line.substr(after + 1) : "";
    file_.error = error;
    return Status::OK();
  }

  Status ParseOnly() {
    const std::string text = file_.lines[at_].substr(8);
    const size_t colon = text.find(':');
    if (colon == std::string::npos) return Bad(file_.path, at_, "expected '-- only WAY[, WAY]: why'");
    std::string ways = text.substr(0, colon);
    std::replace(ways.begin(), ways.end(), ',', ' ');
    static const std::set<std::string> kWays = {"plain", "rows", "lanes", "restart"};
    for (const std::string& way : Words(ways)) {
      if (!kWays.contains(way)) return Bad(file_.path, at_, "no way '" + way + "'");
      file_.only.insert(way);
    }
    return Status::OK();
  }

  // The rows under the directive at at_; blanked in the script.
  std::vector<std::string> TakeRows() {
    std::vector<std::string> rows;
    while (at_ + 1 < file_.lines.size() && IsRow(file_.lines[at_ + 1])) {
      rows.push_back(file_.lines[++at_]);
      file_.script += "\n";
    }
    return rows;
  }

  CaseFile file_;
  size_t at_ = 0;
  std::string input_;
};

}  // namespace

Result<CaseFile> ReadCaseFile(const std::string& path) { return CaseParser(path).Parse(); }

std::vector<std::string> FindCaseFiles(const std::string& directory) {
  std::vector<std::string> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory, error)) {
    if (entry.is_regular_file() && entry.path().extension() == ".sql") files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

Status UpdateCaseFile(const CaseFile& file, const std::map<std::string, std::vector<std::string>>& rows) {
  std::ofstream out(file.path);
  size_t next = 0;
  for (size_t line = 0; line <= file.lines.size(); ++line) {
    for (const CaseFile::Expect& expect : file.expects) {
      if (expect.first_line != static_cast<int>(line)) continue;
      const auto found = rows.find(expect.table);
      if (found == rows.end()) continue;
      for (const std::string& row : found->second) out << row << "\n";
      next = static_cast<size_t>(expect.last_line);
    }
    if (line >= next && line < file.lines.size()) out << file.lines[line] << "\n";
  }
  out.flush();
  return out ? Status::OK() : Status(kIoError, "writing " + file.path);
}

std::string NormalRow(const std::string& row) {
  std::string kind;
  std::string text = row;
  if (!row.starts_with("{") && row.size() > 3) {
    kind = row.substr(0, 3);
    text = row.substr(3);
  }
  const nlohmann::ordered_json value = nlohmann::ordered_json::parse(text, nullptr, false);
  if (value.is_discarded()) return row;
  if (kind == "+I ") kind.clear();
  return kind + value.dump();
}

}  // namespace tidemill
