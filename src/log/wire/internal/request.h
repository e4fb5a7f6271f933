#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/frame_server.h"
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

  // Views in the message need to live until this returns.
  template <typename Message>
  void Answer(const Message& message) {
    Encode(message, {});
  }
  template <typename Message>
  void AnswerAndClose(const Message& message) {
    Encode(message, {{}, false, true});
  }
  void AnswerNothing() { reply({{}, true, false}); }
  void CloseConnection() { reply({{}, true, true}); }

 private:
  template <typename Message>
  void Encode(const Message& message, FrameReply answer) {
    std::string out;
    WireWriter writer(&out);
    WriteHeader(writer);
    message.Encode(writer, version);
    Send(std::move(out), writer.status(), std::move(answer));
  }
  void WriteHeader(WireWriter& writer) const;
  void Send(std::string out, const Status& encoded, FrameReply answer);
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
