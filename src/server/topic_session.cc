#include "server/topic_command.h"

namespace tidemill {

Result<TopicSession> TopicSession::Open(const CommandContext& context) {
  TopicSession session;
  const std::string& server = context.options.server;
  if (!server.empty()) {
    session.network_ = MakeNetwork();
    session.topics_ = MakeRemoteTopicAccess(*session.network_, server);
    session.dead_letters_ = MakeRemoteDeadLetterAccess(*session.network_, server);
    return session;
  }
  TM_ASSIGN_OR_RETURN(session.engine_, Engine::Open(context.options));
  session.topics_ = std::make_unique<LogTopicAccess>(session.engine_->log());
  session.dead_letters_ = MakeLogDeadLetterAccess(session.engine_->log(), *session.topics_);
  return session;
}

}  // namespace tidemill
