#include <fmt/format.h>

#include "server/errors.h"
#include "server/topic_command.h"

namespace tidemill {

Result<TopicSession> TopicSession::Open(const CommandContext& context) {
  if (context.options.server.empty()) return OpenLocal(context, "");
  TopicSession session;
  session.network_ = MakeNetwork();
  session.topics_ = MakeRemoteTopicAccess(*session.network_, context.options.server);
  return session;
}

Result<TopicSession> TopicSession::OpenLocal(const CommandContext& context, std::string_view command) {
  if (!context.options.server.empty()) {
    return Status(kUsage,
                  fmt::format("'tidemill {}' works on a data directory; a server has no route for it yet", command));
  }
  TopicSession session;
  TM_ASSIGN_OR_RETURN(session.engine_, Engine::Open(context.options));
  session.topics_ = std::make_unique<LogTopicAccess>(session.engine_->log());
  return session;
}

}  // namespace tidemill
