#pragma once

#include <memory>
#include <string>

#include "base/status.h"
#include "server/command_line.h"
#include "server/dead_letters.h"
#include "server/engine.h"
#include "server/group_access.h"
#include "server/topic_access.h"

namespace tidemill {

// What a topic command works on: the data directory, with --server a running process, or with --brokers a Kafka
// cluster.
class TopicSession {
 public:
  enum Reach { kTidemillOnly, kAlsoBrokers };
  static Result<TopicSession> Open(const CommandContext& context, Reach reach = kTidemillOnly);

  TopicAccess& topics() { return *topics_; }
  DeadLetterAccess& dead_letters() { return *dead_letters_; }  // not with --brokers
  Result<GroupAccess*> groups();                               // kUsage with --server
  bool is_remote() const { return engine_ == nullptr; }

 private:
  std::unique_ptr<Network> network_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<TopicAccess> topics_;
  std::unique_ptr<DeadLetterAccess> dead_letters_;
  std::unique_ptr<GroupAccess> groups_;
};

// consume and export.
void AddConsumeCommands(CLI::App& group, CommandList& commands);

// "%v\n" and the like: %t topic, %p partition, %o offset, %d timestamp (ms), %T timestamp (text), %k key, %v value, %%;
// \n \t \\ as in C. A newline is added unless it ends in one.
Result<std::string> FormatRecord(std::string_view format, const std::string& topic, const FetchedRecord& record);

}  // namespace tidemill
