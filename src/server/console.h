#pragma once

#include <cstdio>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "base/config.h"
#include "base/status.h"
#include "server/output.h"

namespace tidemill {

// What every command shares, from the command line and the environment.
struct GlobalOptions {
  std::string data_dir = ".tidemill";
  std::string server;                            // URL of a running server; "" = open the data directory
  std::string brokers;                           // of a Kafka cluster to ask instead; "" = none
  std::map<std::string, std::string> variables;  // -D
  Config settings;                               // -X
  OutputFormat output = OutputFormat::kText;
  int verbosity = 0;  // -v adds one
  bool quiet = false;
  bool color = false;  // on stderr
};

// Results on stdout, everything else on stderr. Thread-safe.
class Console {
 public:
  explicit Console(const GlobalOptions& options) : options_(options) {}

  // Results. False when nobody reads them any more.
  bool Print(std::string_view text);
  void Print(const Listing& listing) { Print(FormatListing(listing, options_.output)); }
  // Progress and notices; silent with -q.
  void Notice(std::string_view line);
  // A line that the next progress or notice replaces; only on a terminal, silent with -q.
  void Progress(const std::string& line);
  void ClearProgress();
  // With the source line when the text of the error's file was remembered.
  void PrintError(const Status& error);
  void RememberText(const std::string& file, std::string text);
  bool shows_progress() const;

 private:
  void ClearProgressLocked();

  const GlobalOptions& options_;
  std::mutex mutex_;
  std::map<std::string, std::string> texts_;
  bool progress_shown_ = false;
};

// Exit codes: interfaces.md, section A2.
inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitInvalidPipeline = 3;
inline constexpr int kExitConnect = 4;
inline constexpr int kExitTimeout = 5;
inline constexpr int kExitIncompatible = 6;
inline constexpr int kExitInterrupted = 130;
int ExitCodeOf(const Status& status);

struct CommandContext {
  const GlobalOptions& options;
  Console& console;

  // Prints the error and returns its exit code.
  int Fail(const Status& error) const;
  // An error found while parsing or planning: exit code 3 (files that can't be read and wrong usage keep theirs).
  int FailPlanning(const Status& error) const;
};

}  // namespace tidemill
