#include "server/shell.h"

#include <algorithm>
#include <cerrno>
#include <clocale>
#include <cstdlib>

#include <fcntl.h>
#include <fmt/format.h>
#include <histedit.h>
#include <poll.h>
#include <unistd.h>

#include "server/errors.h"
#include "server/script.h"
#include "server/version.h"

namespace tidemill {
namespace {

constexpr int kHistoryLines = 5000;
constexpr size_t kStatementBytesMax = 1 << 20;

constexpr const char* kHelp =
    "Statements end with ';'. Ctrl-C stops a statement, Ctrl-D or .quit leaves, Tab completes.\n"
    "  .tables             tables, views and models of this session\n"
    "  .schema [NAME]      columns of a table or view; without NAME of all\n"
    "  .mode text|json|csv how rows are shown\n"
    "  .rows N             end a SELECT after N rows; .rows all\n"
    "  .timer on|off       say how long statements take\n"
    "  .read FILE          run a script\n"
    "  .help               this\n"
    "  .quit               leave\n"
    "Try:  SELECT 1 + 1 AS two;\n";

std::string HistoryPath() {
  if (const char* path = std::getenv("TIDEMILL_HISTORY")) return path;
  const char* home = std::getenv("HOME");
  return home == nullptr ? "" : std::string(home) + "/.tidemill_history";
}

class Shell {
 public:
  Shell(const CommandContext& context, QuerySession& session, SignalWatch& signals)
      : context_(context), session_(session), signals_(signals) {
    std::setlocale(LC_CTYPE, "");
    // Ctrl-C empties the terminal's queue, maybe between poll and read: a description of our own, so that read never
    // waits and the one shared with other processes stays as it is.
    if (const char* terminal = ttyname(STDIN_FILENO); terminal != nullptr) {
      keys_fd_ = open(terminal, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    }
    if (keys_fd_ < 0) keys_fd_ = STDIN_FILENO;
    edit_ = el_init("tidemill", stdin, stdout, stderr);
    history_ = history_init();
    HistEvent event;
    history(history_, &event, H_SETSIZE, kHistoryLines);
    history(history_, &event, H_SETUNIQUE, 1);
    history_path_ = HistoryPath();
    if (!history_path_.empty()) history(history_, &event, H_LOAD, history_path_.c_str());
    el_set(edit_, EL_CLIENTDATA, this);
    el_set(edit_, EL_PROMPT, &Shell::Prompt);
    el_set(edit_, EL_EDITOR, "emacs");
    el_set(edit_, EL_SIGNAL, 0);
    el_set(edit_, EL_HIST, history, history_);
    el_set(edit_, EL_GETCFN, &Shell::ReadCharacter);
    el_set(edit_, EL_ADDFN, "tidemill-complete", "Complete a word", &Shell::CompleteWord);
    el_set(edit_, EL_BIND, "^I", "tidemill-complete", nullptr);
    el_set(edit_, EL_BIND, "^R", "em-inc-search-prev", nullptr);
    el_source(edit_, nullptr);
  }
  ~Shell() {
    HistEvent event;
    if (!history_path_.empty()) history(history_, &event, H_SAVE, history_path_.c_str());
    history_end(history_);
    el_end(edit_);
    if (keys_fd_ != STDIN_FILENO) close(keys_fd_);
  }

  int Go() {
    context_.console.Notice(fmt::format("tidemill {}; .help for help", VersionText()));
    while (!quit_) {
      interrupted_ = false;
      int length = 0;
      // Before the prompt is shown: a key pressed as soon as it is seen, a Ctrl-D above all, is the editor's.
      el_set(edit_, EL_PREP_TERM, 1);
      const char* line = el_gets(edit_, &length);
      if (interrupted_) {
        std::fputs("^C\n", stdout);
        std::fflush(stdout);
        pending_.clear();
        el_reset(edit_);
        continue;
      }
      if (line == nullptr || length <= 0) break;  // Ctrl-D
      TakeLine(std::string(line, static_cast<size_t>(length)));
    }
    if (!quit_) std::fputs("\n", stdout);
    return kExitOk;
  }

 private:
  static Shell* Of(EditLine* edit) {
    void* self = nullptr;
    el_get(edit, EL_CLIENTDATA, &self);
    return static_cast<Shell*>(self);
  }

  static char* Prompt(EditLine* edit) {
    static char first[] = "tidemill> ";
    static char more[] = "     ...> ";
    return Of(edit)->pending_.empty() ? first : more;
  }

  // Waits for a key or a signal, so that Ctrl-C ends the line instead of the process.
  static int ReadCharacter(EditLine* edit, wchar_t* out) {
    Shell* shell = Of(edit);
    mbstate_t state{};
    while (true) {
      pollfd waiting[2] = {{shell->keys_fd_, POLLIN, 0}, {shell->signals_.fd(), POLLIN, 0}};
      if (poll(waiting, 2, -1) < 0) {
        if (errno == EINTR) continue;
        return -1;
      }
      if (waiting[1].revents != 0 && shell->signals_.Next(0)) {
        shell->interrupted_ = true;
        return -1;
      }
      if (waiting[0].revents == 0) continue;
      char byte = 0;
      const ssize_t n = read(shell->keys_fd_, &byte, 1);
      if (n < 0 && (errno == EAGAIN || errno == EINTR)) continue;
      if (n <= 0) return static_cast<int>(n);
      const size_t used = std::mbrtowc(out, &byte, 1, &state);
      if (used == static_cast<size_t>(-2)) continue;  // more bytes of this character follow
      if (used == static_cast<size_t>(-1)) {
        state = {};
        continue;
      }
      if (used == 0) *out = L'\0';
      return 1;
    }
  }

  static unsigned char CompleteWord(EditLine* edit, int) { return Of(edit)->Complete(); }

  unsigned char Complete() {
    const LineInfo* info = el_line(edit_);
    const std::string line(info->buffer, static_cast<size_t>(info->cursor - info->buffer));
    const size_t start = line.find_last_of(" \t\n(),;=<>+*/'\"`") + 1;
    const std::string word = line.substr(start);
    if (word.empty()) return CC_REFRESH_BEEP;
    std::vector<std::string> words = session_.planning().planner().Complete(word);
    std::erase_if(words, [&](const std::string& candidate) { return !StartsWithIgnoringCase(candidate, word); });
    if (words.empty()) return CC_REFRESH_BEEP;
    std::string shared = words.front();
    for (const std::string& candidate : words) {
      const auto [end, other] = std::mismatch(shared.begin(), shared.end(), candidate.begin(), candidate.end());
      shared.resize(static_cast<size_t>(end - shared.begin()));
    }
    if (words.size() == 1) shared += ' ';
    if (shared.size() > word.size()) {
      el_deletestr(edit_, static_cast<int>(word.size()));
      el_insertstr(edit_, shared.c_str());
      return CC_REFRESH;
    }
    std::string list = "\n";
    for (size_t i = 0; i < words.size() && i < 60; ++i) list += words[i] + "  ";
    if (words.size() > 60) list += fmt::format("... ({} in all)", words.size());
    std::fputs((list + "\n").c_str(), stdout);
    std::fflush(stdout);
    return CC_REDISPLAY;
  }

  static bool StartsWithIgnoringCase(const std::string& text, const std::string& start) {
    return text.size() >= start.size() && std::equal(start.begin(), start.end(), text.begin(), [](char a, char b) {
             return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
           });
  }

  void TakeLine(const std::string& line) {
    if (pending_.empty() && line.find_first_not_of(" \t\r\n") == std::string::npos) return;
    if (pending_.empty() && line[line.find_first_not_of(" \t")] == '.') {
      Remember(line);
      return RunDotCommand(line);
    }
    pending_ += line;
    if (pending_.size() > kStatementBytesMax) {
      context_.console.Notice("that statement is too long; it was dropped");
      pending_.clear();
      return;
    }
    const std::vector<ScriptPiece> pieces = SplitScript(pending_);
    if (pieces.empty()) {
      pending_.clear();  // a comment
      return;
    }
    if (!pieces.back().complete) return;
    const std::string text = std::move(pending_);
    pending_.clear();
    Remember(text);
    (void)session_.Execute("sql", text);
  }

  void Remember(std::string text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
    std::replace(text.begin(), text.end(), '\n', ' ');
    HistEvent event;
    history(history_, &event, H_ENTER, text.c_str());
  }

  void RunDotCommand(const std::string& line) {
    const size_t start = line.find_first_not_of(" \t");
    const size_t end = std::min(line.find_first_of(" \t\r\n", start), line.size());
    const std::string command = line.substr(start, end - start);
    std::string argument = line.substr(end);
    argument.erase(0, argument.find_first_not_of(" \t\r\n"));
    while (!argument.empty() &&
           (argument.back() == ' ' || argument.back() == '\n' || argument.back() == '\r' || argument.back() == ';'))
      argument.pop_back();
    if (argument == "\n") argument.clear();
    if (command == ".quit" || command == ".exit" || command == ".q") {
      quit_ = true;
    } else if (command == ".help") {
      context_.console.Print(kHelp);
    } else if (command == ".tables") {
      PrintTables();
    } else if (command == ".schema") {
      PrintSchema(argument);
    } else if (command == ".timer" && (argument == "on" || argument == "off")) {
      session_.set_timer(argument == "on");
    } else if (command == ".rows" && !argument.empty()) {
      session_.set_rows_max(argument == "all" ? -1 : std::atoll(argument.c_str()));
    } else if (command == ".read" && !argument.empty()) {
      (void)session_.ExecuteFile(argument);
    } else if (command == ".mode") {
      const auto format = ParseOutputFormat(argument);
      format.ok() ? session_.set_output(*format) : context_.console.Notice(".mode takes text, json or csv");
    } else {
      const std::string nearest =
          NearestName(command, {".tables", ".schema", ".timer", ".rows", ".read", ".mode", ".help", ".quit"});
      context_.console.Notice(nearest.empty() || nearest == command
                                  ? fmt::format("{} is not understood; see .help", command)
                                  : fmt::format("{} is not known; did you mean {}?", command, nearest));
    }
  }

  void PrintTables() {
    const Catalog& catalog = session_.planning().planner().catalog();
    Listing listing{{"name", "kind"}, {}};
    for (const std::string& name : catalog.table_names()) listing.rows.push_back({name, "table"});
    for (const std::string& name : catalog.view_names()) listing.rows.push_back({name, "view"});
    for (const std::string& name : catalog.model_names()) listing.rows.push_back({name, "model"});
    if (listing.rows.empty()) return context_.console.Notice("nothing yet: CREATE TABLE makes one");
    context_.console.Print(listing);
  }

  void PrintSchema(const std::string& name) {
    std::vector<std::string> names = {name};
    if (name.empty()) {
      const Catalog& catalog = session_.planning().planner().catalog();
      names = catalog.table_names();
      for (const std::string& view : catalog.view_names()) names.push_back(view);
    }
    for (const std::string& one : names) {
      if (name.empty()) context_.console.Print(one + "\n");
      (void)session_.Execute("sql", "DESCRIBE `" + one + "`;");
    }
  }

  const CommandContext context_;
  QuerySession& session_;
  SignalWatch& signals_;
  int keys_fd_ = -1;
  EditLine* edit_ = nullptr;
  History* history_ = nullptr;
  std::string history_path_;
  std::string pending_;  // lines of a statement that is not complete
  bool interrupted_ = false;
  bool quit_ = false;
};

}  // namespace

int RunShell(const CommandContext& context, QuerySession& session, SignalWatch& signals) {
  return Shell(context, session, signals).Go();
}

}  // namespace tidemill
