#pragma once

#include <memory>
#include <string>

#include "base/status.h"
#include "server/command_line.h"
#include "server/engine.h"
#include "server/topic_access.h"

namespace tidemill {

// What a topic command works on: the data directory, or with --server a running process.
class TopicSession {
 public:
  static Result<TopicSession> Open(const CommandContext& context);
  // For commands that a server has no route for: kUsage with --server.
  static Result<TopicSession> OpenLocal(const CommandContext& context, std::string_view command);

  TopicAccess& topics() { return *topics_; }
  Log& log() { return engine_->log(); }
  bool is_remote() const { return engine_ == nullptr; }

 private:
  std::unique_ptr<Network> network_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<TopicAccess> topics_;
};

// consume and export.
void AddConsumeCommands(CLI::App& group, CommandList& commands);

// "%v\n" and the like: %t topic, %p partition, %o offset, %d timestamp (ms), %T timestamp (text), %k key, %v value, %%;
// \n \t \\ as in C. A newline is added unless it ends in one.
Result<std::string> FormatRecord(std::string_view format, const std::string& topic, const FetchedRecord& record);

}  // namespace tidemill
