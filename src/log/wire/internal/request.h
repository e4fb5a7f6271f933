#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/frame_server.h"
#include "base/metrics.h"
#include "log/wire/api.h"
#include "log/wire/internal/session.h"
#include "log/wire/wire_writer.h"

namespace tidemill::wire {

inline std::optional<std::string> Text(const std::optional<std::string_view>& view) {
  return view ? std::optional<std::string>(*view) : std::nullopt;
}

inline std::optional<std::string_view> View(const std::optional<std::string>& text) {
  return text ? std::optional<std::string_view>(*text) : std::nullopt;
}

// A client's address without its port, as Kafka writes it: "/127.0.0.1".
std::string HostOf(const FrameConnection& connection);

// How often an API was asked, and how long its answers took.
struct ApiMetrics {
  Counter* requests = nullptr;
  Histogram* seconds = nullptr;
};

// One request under way. Answered once, from any thread; dropped without an answer, its connection is closed.
struct KafkaRequest {
  std::shared_ptr<FrameConnection> connection;
  std::shared_ptr<KafkaSession> session;
  std::string frame;  // what the views of a decoded message point into
  size_t body = 0;    // where the message begins in it
  const ApiInfo* api = nullptr;
  int16_t version = 0;
  int32_t correlation_id = 0;
  std::string client_id;
  FrameServer::Reply reply;
  const Clock* clock = nullptr;
  int64_t began_us = 0;
  ApiMetrics metrics;  // all or none are null

  // Views in the message need to live until this returns.
  template <typename Message>
  void Answer(const Message& message) {
    Encode(message, {});
  }
  template <typename Message>
  void AnswerAndClose(const Message& message) {
    Encode(message, {{}, false, true});
  }
  // `records`: the bytes of the message's fields of type records that are not empty, in their order; of the views
  // themselves only the length is looked at.
  template <typename Message>
  void AnswerWithRecords(const Message& message, std::vector<FramePiece> records) {
    std::string out;
    std::vector<ExternalRecords> places;
    WireWriter writer(&out, &places);
    WriteHeader(writer);
    message.Encode(writer, version);
    Send(Interleave(out, places, std::move(records)), writer.status(), {});
  }
  void AnswerNothing() { Finish({{}, true, false}); }
  void CloseConnection() { Finish({{}, true, true}); }

 private:
  template <typename Message>
  void Encode(const Message& message, FrameReply answer) {
    std::string out;
    WireWriter writer(&out);
    WriteHeader(writer);
    message.Encode(writer, version);
    std::vector<FramePiece> pieces;
    pieces.emplace_back(std::move(out));
    Send(std::move(pieces), writer.status(), std::move(answer));
  }
  void WriteHeader(WireWriter& writer) const;
  static std::vector<FramePiece> Interleave(std::string_view out, const std::vector<ExternalRecords>& places,
                                            std::vector<FramePiece> records);
  void Finish(FrameReply answer);
  void Send(std::vector<FramePiece> pieces, const Status& encoded, FrameReply answer);
};

// A request with its decoded message, whose views point into the frame: it stays where it is.
template <typename Message>
struct Call : KafkaRequest {
  explicit Call(KafkaRequest request) : KafkaRequest(std::move(request)) {}
  Call(const Call&) = delete;
  Message message;
};

template <typename Message>
using CallPtr = std::shared_ptr<Call<Message>>;

}  // namespace tidemill::wire
