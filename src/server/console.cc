#include "server/console.h"

#include <unistd.h>

#include "connect/errors.h"
#include "data/errors.h"
#include "exec/errors.h"
#include "job/errors.h"
#include "server/errors.h"

namespace tidemill {
namespace {

constexpr const char* kRed = "\x1b[1;31m";
constexpr const char* kReset = "\x1b[0m";

// Colours the head word and the caret line, nothing else: the text stays the same.
std::string Coloured(const std::string& text) {
  std::string out;
  size_t start = 0;
  while (start < text.size()) {
    const size_t end = std::min(text.find('\n', start), text.size());
    const std::string line = text.substr(start, end - start);
    const size_t head = line.find("]:");
    const size_t caret = line.find(" | ");
    const bool is_caret =
        caret != std::string::npos && line.find_first_not_of(' ') == caret + 1 && line.find('^') != std::string::npos;
    if (start == 0 && head != std::string::npos) {
      out += kRed + line.substr(0, head + 1) + kReset + line.substr(head + 1);
    } else if (is_caret) {
      out += line.substr(0, caret + 3) + kRed + line.substr(caret + 3) + kReset;
    } else {
      out += line;
    }
    out += '\n';
    start = end + 1;
  }
  return out;
}

}  // namespace

bool Console::Print(std::string_view text) {
  std::lock_guard lock(mutex_);
  ClearProgressLocked();
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) return false;
  return std::fflush(stdout) == 0;
}

void Console::Notice(std::string_view line) {
  if (options_.quiet) return;
  std::lock_guard lock(mutex_);
  ClearProgressLocked();
  std::fprintf(stderr, "%.*s\n", static_cast<int>(line.size()), line.data());
}

bool Console::shows_progress() const { return !options_.quiet && isatty(STDERR_FILENO) == 1; }

void Console::Progress(const std::string& line) {
  if (!shows_progress()) return;
  std::lock_guard lock(mutex_);
  std::fprintf(stderr, "\r\x1b[K%s", line.c_str());
  std::fflush(stderr);
  progress_shown_ = true;
}

void Console::ClearProgress() {
  std::lock_guard lock(mutex_);
  ClearProgressLocked();
}

void Console::RememberText(const std::string& file, std::string text) {
  std::lock_guard lock(mutex_);
  texts_[file] = std::move(text);
}

void Console::ClearProgressLocked() {
  if (!progress_shown_) return;
  std::fputs("\r\x1b[K", stderr);
  std::fflush(stderr);
  progress_shown_ = false;
}

void Console::PrintError(const Status& error) {
  std::lock_guard lock(mutex_);
  ClearProgressLocked();
  std::string_view script;
  if (const auto& position = error.position()) {
    if (const auto found = texts_.find(position->file); found != texts_.end()) script = found->second;
  }
  const std::string text = RenderError(error, script);
  std::fputs((options_.color ? Coloured(text) : text).c_str(), stderr);
}

int ExitCodeOf(const Status& status) {
  if (status.ok()) return kExitOk;
  if (status.Is(kUsage) || status.Is(kUnsafeListen)) return kExitUsage;
  if (status.Is(kCancelled)) return kExitInterrupted;
  if (status.Is(kNetworkError) || status.Is(kKafkaUnreachable) || status.Is(kKafkaLoginFailed) ||
      status.Is(kRedisUnreachable) || status.Is(kRedisLoginFailed) || status.Is(kKinesisUnreachable) ||
      status.Is(kKinesisLoginFailed))
    return kExitConnect;
  if (status.Is(kTimeout)) return kExitTimeout;
  if (status.Is(kIncompatibleState) || status.Is(kIncompatiblePlan) || status.Is(kIncompatibleSchema))
    return kExitIncompatible;
  return kExitFailed;
}

int CommandContext::Fail(const Status& error) const {
  console.PrintError(error);
  return ExitCodeOf(error);
}

int CommandContext::FailPlanning(const Status& error) const {
  console.PrintError(error);
  return error.position() ? kExitInvalidPipeline : ExitCodeOf(error);
}

}  // namespace tidemill
