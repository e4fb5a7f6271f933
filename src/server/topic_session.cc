#include "server/errors.h"
#include "server/kafka_topic_access.h"
#include "server/topic_command.h"

namespace tidemill {

Result<TopicSession> TopicSession::Open(const CommandContext& context, Reach reach) {
  TopicSession session;
  const std::string& server = context.options.server;
  if (!context.options.brokers.empty()) {
    if (reach != kAlsoBrokers) return Status(kUsage, "--brokers is for 'topic' and 'group' only");
    if (!server.empty()) return Status(kUsage, "--brokers and --server exclude each other");
    TM_ASSIGN_OR_RETURN(const KafkaConnection connection, KafkaConnectionOf(context.options));
    TM_ASSIGN_OR_RETURN(session.topics_, MakeKafkaTopicAccess(connection));
    TM_ASSIGN_OR_RETURN(session.groups_, MakeKafkaGroupAccess(connection));
    return session;
  }
  if (!server.empty()) {
    session.network_ = MakeNetwork();
    session.topics_ = MakeRemoteTopicAccess(*session.network_, server);
    session.dead_letters_ = MakeRemoteDeadLetterAccess(*session.network_, server);
    return session;
  }
  TM_ASSIGN_OR_RETURN(session.engine_, Engine::Open(context.options));
  session.topics_ = std::make_unique<LogTopicAccess>(session.engine_->log());
  session.dead_letters_ = MakeLogDeadLetterAccess(session.engine_->log(), *session.topics_);
  session.groups_ = MakeLogGroupAccess(session.engine_->log());
  return session;
}

Result<GroupAccess*> TopicSession::groups() {
  if (groups_ == nullptr)
    return Status(kUsage, "groups of a running server are asked for at its Kafka address: --brokers HOST:PORT");
  return groups_.get();
}

}  // namespace tidemill
