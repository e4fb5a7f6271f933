// Clients saying who they are.
#include <algorithm>

#include <fmt/format.h>

#include "base/logging.h"
#include "log/errors.h"
#include "log/wire/internal/handlers.h"
#include "log/wire/messages/sasl_authenticate.h"
#include "log/wire/messages/sasl_handshake.h"

namespace tidemill::wire {

namespace {

constexpr int64_t kRefusalDelayMs = 100;  // Kafka's connection.failed.authentication.delay.ms: guessing takes time

void AnswerHandshake(Broker& broker, const CallPtr<SaslHandshakeRequest>& call) {
  SaslHandshakeResponse response;
  KafkaSession& session = *call->session;
  if (broker.security.users == nullptr || session.is_known) {
    response.error_code = Code(KafkaError::kIllegalSaslState);
    return call->Answer(response);
  }
  const auto& mechanisms = broker.security.users->mechanisms();
  for (const SaslMechanism mechanism : mechanisms) response.mechanisms.push_back(NameOf(mechanism));
  const auto wanted = FindSaslMechanism(call->message.mechanism);
  if (!wanted || std::ranges::find(mechanisms, *wanted) == mechanisms.end()) {
    response.error_code = Code(KafkaError::kUnsupportedSaslMechanism);
    return call->Answer(response);
  }
  session.exchange = MakeSaslExchange(*wanted, broker.security.users);
  session.takes_bare_tokens = call->version == 0;
  call->Answer(response);
}

// A name that anybody could have sent must not write lines of its own into the log.
std::string Shown(const std::string& name) {
  const bool is_plain = std::ranges::all_of(name, [](char c) { return c >= ' ' && c <= '~'; });
  return is_plain && name.size() <= 128 ? "'" + name + "'" : "a name that is not shown";
}

// The exchange's answer to one message of the client, who is known afterwards when it was the last.
Result<std::string> Continue(KafkaSession& session, FrameConnection& connection, std::string_view message) {
  if (session.exchange == nullptr) return Status(kAuthenticationFailed, "there was no SaslHandshake before");
  Result<std::string> answer = session.exchange->Step(message);
  if (!answer.ok()) {
    LogWarning(fmt::format("Kafka: {} as {} was refused: {}", connection.peer(), Shown(session.exchange->user()),
                           answer.status().message()));
    session.exchange.reset();
  } else if (session.exchange->done()) {
    session.takes_bare_tokens = false;
    connection.Trust();
    session.BecomeUser(session.exchange->user(), HostOf(connection).substr(1));
    session.exchange.reset();
  }
  return answer;
}

}  // namespace

void HandleSaslHandshake(Broker& broker, const CallPtr<SaslHandshakeRequest>& call) {
  broker.slow.Post([&broker, call] { AnswerHandshake(broker, call); });
}

void HandleSaslAuthenticate(Broker& broker, const CallPtr<SaslAuthenticateRequest>& call) {
  broker.slow.Post([&broker, call] {
    const Result<std::string> answer = Continue(*call->session, *call->connection, call->message.auth_bytes);
    if (answer.ok()) {
      SaslAuthenticateResponse response;
      response.auth_bytes = *answer;
      return call->Answer(response);
    }
    broker.timers.PostAfter(kRefusalDelayMs, [call, why = answer.status().message()] {
      SaslAuthenticateResponse response;
      response.error_code = Code(KafkaError::kSaslAuthenticationFailed);
      response.error_message = why;
      call->AnswerAndClose(response);
    });
  });
}

void HandleBareToken(Broker& broker, const std::shared_ptr<FrameConnection>& connection,
                     const std::shared_ptr<KafkaSession>& session, std::string token, FrameServer::Reply reply) {
  broker.slow.Post([&broker, connection, session, token = std::move(token), reply = std::move(reply)] {
    Result<std::string> answer = Continue(*session, *connection, token);
    if (answer.ok()) return reply({{*std::move(answer)}});
    // There is no way to say why.
    broker.timers.PostAfter(kRefusalDelayMs, [reply] { reply({{}, true, true}); });
  });
}

}  // namespace tidemill::wire
