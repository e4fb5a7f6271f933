#include "log/wire/internal/request.h"

#include <fmt/format.h>

#include "base/logging.h"
#include "log/wire/messages/message_header.h"

namespace tidemill::wire {

std::string HostOf(const FrameConnection& connection) {
  const std::string& peer = connection.peer();
  return "/" + peer.substr(0, peer.rfind(':'));
}

void KafkaRequest::WriteHeader(WireWriter& writer) const {
  ResponseHeader header;
  header.correlation_id = correlation_id;
  header.Encode(writer, ResponseHeaderVersion(*api, version));
}

void KafkaRequest::Send(std::string out, const Status& encoded, FrameReply answer) {
  if (!encoded.ok()) {
    LogError(fmt::format("Kafka: {} v{} to {}: {}", api->name, version, connection->peer(), encoded.ToString()));
    return CloseConnection();
  }
  answer.pieces.push_back(std::move(out));
  reply(std::move(answer));
}

}  // namespace tidemill::wire
