#include "server/script.h"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <utility>

#include <fmt/format.h>

#include "base/errors.h"
#include "sql/errors.h"

namespace tidemill {
namespace {

Result<std::string> ReadStandardInput() {
  std::string text;
  char buffer[64 << 10];
  while (size_t n = std::fread(buffer, 1, sizeof(buffer), stdin)) {
    text.append(buffer, n);
    if (static_cast<int64_t>(text.size()) > kScriptBytesMax) {
      return Status(kLimitExceeded, fmt::format("script on standard input is larger than {} bytes", kScriptBytesMax));
    }
  }
  return text;
}

bool IsWordCharacter(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '$'; }

// Walks the words and marks of a script, past quotes and comments.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  // The next word in upper case, or one mark; false at the end. `begin` is where it stands.
  bool Next(std::string* token, size_t* begin) {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (std::isspace(static_cast<unsigned char>(c))) {
        ++at_;
      } else if (Starts("--")) {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (Starts("/*")) {
        const size_t end = text_.find("*/", at_ + 2);
        at_ = end == std::string_view::npos ? text_.size() : end + 2;
      } else {
        break;
      }
    }
    if (at_ >= text_.size()) return false;
    *begin = at_;
    const char c = text_[at_];
    if (c == '\'' || c == '`' || c == '"') {
      // A doubled quote is the quote itself; both halves are walked as two strings, which ends at the same place.
      const size_t end = text_.find(c, at_ + 1);
      at_ = end == std::string_view::npos ? text_.size() : end + 1;
      *token = c;
    } else if (IsWordCharacter(c)) {
      token->clear();
      while (at_ < text_.size() && IsWordCharacter(text_[at_])) {
        *token += static_cast<char>(std::toupper(static_cast<unsigned char>(text_[at_++])));
      }
    } else {
      *token = c;
      ++at_;
    }
    return true;
  }
  size_t at() const { return at_; }

 private:
  bool Starts(std::string_view mark) const { return text_.substr(at_, mark.size()) == mark; }
  std::string_view text_;
  size_t at_ = 0;
};

// The name that CREATE TABLE|VIEW|MODEL of this piece would have made, or "".
std::string DefinedName(std::string_view piece) {
  Scanner scanner(piece);
  std::string token;
  size_t begin = 0;
  if (!scanner.Next(&token, &begin) || token != "CREATE") return "";
  while (scanner.Next(&token, &begin)) {
    if (token == "TEMPORARY" || token == "TABLE" || token == "VIEW" || token == "MODEL" || token == "IF" ||
        token == "NOT" || token == "EXISTS") {
      continue;
    }
    std::string name(piece.substr(begin, scanner.at() - begin));
    if (name.size() > 2 && name.front() == '`') name = name.substr(1, name.size() - 2);
    return name;
  }
  return "";
}

}  // namespace

Result<std::string> ReadScript(FileSystem& files, const std::string& path) {
  if (path == "-") return ReadStandardInput();
  TM_ASSIGN_OR_RETURN(FileInfo info, files.Stat(path));
  if (info.is_directory) return Status(kFileNotFound, fmt::format("'{}' is a directory, not a script", path));
  return ReadFile(files, path, kScriptBytesMax);
}

std::map<std::string, std::string> VariablesFor(const std::map<std::string, std::string>& given,
                                                const std::string& path) {
  std::map<std::string, std::string> variables = given;
  variables.emplace("script_dir", path == "-" ? "." : DirectoryOf(path));
  return variables;
}

Status ApplySettings(Planner& planner, const Config& settings) {
  for (const auto& [key, value] : settings.values()) {
    std::string text = "SET '";
    for (char c : key) text += c == '\'' ? std::string("''") : std::string(1, c);
    text += "' = '";
    for (char c : value) text += c == '\'' ? std::string("''") : std::string(1, c);
    text += "';";
    const auto planned = planner.Plan("-X", text, {});
    if (!planned.ok())
      return Status(planned.status().code(), fmt::format("-X {}={}: {}", key, value, planned.status().message()));
  }
  return Status::OK();
}

std::vector<ScriptPiece> SplitScript(std::string_view text) {
  std::vector<ScriptPiece> pieces;
  Scanner scanner(text);
  std::string token;
  std::string last;  // the word before
  std::string before_last;
  size_t begin = 0;
  ScriptPiece piece;
  bool open = false;
  bool in_set = false;  // between BEGIN and END of a statement set
  while (scanner.Next(&token, &begin)) {
    if (!open) {
      piece = ScriptPiece{begin, begin, false};
      open = true;
    }
    piece.end = scanner.at();
    if (token == "BEGIN" && last == "SET" && before_last == "STATEMENT") in_set = true;
    if (token == ";" && (!in_set || (last == "END" && before_last == ";"))) {
      piece.complete = true;
      pieces.push_back(piece);
      open = in_set = false;
      last.clear();
      before_last.clear();
      continue;
    }
    before_last = std::move(last);
    last = token;
  }
  if (open) pieces.push_back(piece);
  return pieces;
}

std::string OnlyPiece(std::string_view text, const ScriptPiece& piece) {
  // Columns count characters: each outside one becomes one blank.
  std::string out;
  for (size_t i = 0; i < piece.begin; ++i) {
    const char c = text[i];
    if (c == '\n') {
      out += c;
    } else if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) {
      out += ' ';
    }
  }
  out += text.substr(piece.begin, piece.end - piece.begin);
  return out;
}

namespace {

bool SamePlace(const Status& a, const Status& b) {
  if (!a.position() || !b.position()) return false;
  return a.code().number == b.code().number && a.position()->file == b.position()->file &&
         a.position()->line == b.position()->line && a.position()->column == b.position()->column;
}

void AddOnce(Status error, std::vector<Status>* errors) {
  const bool known =
      std::any_of(errors->begin(), errors->end(), [&](const Status& one) { return SamePlace(one, error); });
  if (!known) errors->push_back(std::move(error));
}

// Statements look only at the models that they use.
void FindModelErrors(Planner& planner, PlannerEnvironment& environment, std::vector<Status>* errors) {
  for (const std::string& name : planner.catalog().model_names()) {
    const ModelPtr model = planner.catalog().FindModel(name);
    if (Status status = environment.ValidateModel(*model).At(model->position); !status.ok())
      AddOnce(std::move(status), errors);
  }
}

void SortByPlace(std::vector<Status>* errors) {
  const auto place = [](const Status& error) {
    return error.position() ? std::make_pair(error.position()->line, error.position()->column) : std::make_pair(0, 0);
  };
  std::stable_sort(errors->begin(), errors->end(),
                   [&](const Status& a, const Status& b) { return place(a) < place(b); });
}

}  // namespace

std::vector<Status> FindErrors(Planner& planner, PlannerEnvironment& environment, const std::string& file,
                               const std::string& text, const std::map<std::string, std::string>& variables) {
  std::vector<Status> errors;
  const auto whole = planner.Plan(file, text, variables);
  if (whole.ok()) {
    FindModelErrors(planner, environment, &errors);
    SortByPlace(&errors);
    return errors;
  }
  if (!whole.status().position()) return {whole.status()};
  std::vector<std::string> missing;
  for (const ScriptPiece& piece : SplitScript(text)) {
    const auto planned = planner.Plan(file, OnlyPiece(text, piece), variables);
    if (planned.ok()) continue;
    const Status& status = planned.status();
    if (const std::string name = DefinedName(text.substr(piece.begin, piece.end - piece.begin)); !name.empty())
      missing.push_back(name);
    const bool follows = (status.Is(kTableNotFound) || status.Is(kModelNotFound)) &&
                         std::any_of(missing.begin(), missing.end(), [&](const std::string& name) {
                           return status.message().find("'" + name + "'") != std::string::npos;
                         });
    if (!follows) AddOnce(status, &errors);
  }
  FindModelErrors(planner, environment, &errors);
  // Split apart, the pieces may be fine: then the whole has the only error.
  if (errors.empty()) errors.push_back(whole.status());
  SortByPlace(&errors);
  return errors;
}

}  // namespace tidemill
