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

std::vector<FramePiece> KafkaRequest::Interleave(std::string_view out, const std::vector<ExternalRecords>& places,
                                                 std::vector<FramePiece> records) {
  TM_CHECK(places.size() == records.size());
  std::vector<FramePiece> pieces;
  size_t at = 0;
  for (size_t i = 0; i < places.size(); ++i) {
    TM_CHECK(static_cast<int64_t>(places[i].bytes.size()) == records[i].size());
    pieces.emplace_back(std::string(out.substr(at, places[i].position - at)));
    pieces.push_back(std::move(records[i]));
    at = places[i].position;
  }
  pieces.emplace_back(std::string(out.substr(at)));
  return pieces;
}

void KafkaRequest::Send(std::vector<FramePiece> pieces, const Status& encoded, FrameReply answer) {
  if (!encoded.ok()) {
    LogError(fmt::format("Kafka: {} v{} to {}: {}", api->name, version, connection->peer(), encoded.ToString()));
    return CloseConnection();
  }
  answer.pieces = std::move(pieces);
  Finish(std::move(answer));
}

void KafkaRequest::Finish(FrameReply answer) {
  if (metrics.seconds != nullptr) metrics.seconds->ObserveMicros(clock->NowMicros() - began_us);
  reply(std::move(answer));
}

}  // namespace tidemill::wire
