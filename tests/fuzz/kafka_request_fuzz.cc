// Requests of the Kafka protocol, of any bytes: the first two choose message and version. Decoding must not read
// outside or take memory out of proportion; what decodes must encode to bytes that decode to the same.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "log/groups/consumer_subscription.h"
#include "log/groups/topic_pattern.h"
#include "log/wire/messages/message_list.h"
#include "log/wire/wire_reader.h"
#include "log/wire/wire_writer.h"

namespace {

using namespace tidemill;

template <typename Message>
void DecodeAndBack(std::string_view bytes, uint8_t choice) {
  const auto version =
      static_cast<int16_t>(Message::kMinVersion + choice % (Message::kMaxVersion - Message::kMinVersion + 1));
  WireReader reader(bytes);
  auto message = Message::Decode(reader, version);
  if (!message.ok()) return;
  std::string encoded;
  WireWriter writer(&encoded);
  message->Encode(writer, version);
  WireReader second(encoded);
  auto again = Message::Decode(second, version);
  if (!writer.status().ok() || !again.ok() || second.remaining() != 0 || !(*again == *message)) std::abort();
}

// What groups read of the bytes that consumers hand to each other through us.
void ReadSubscription(std::string_view bytes, uint8_t) { (void)ReadSubscribedTopics(bytes); }
void MatchPattern(std::string_view bytes, uint8_t) {
  const std::string regex(bytes);
  if (!IsTopicPattern(regex)) return;
  for (const std::string& name : MatchTopicPattern(regex, {{"orders", {}}, {"orders.eu", {}}})) {
    if (name != "orders" && name != "orders.eu") std::abort();
  }
}

using Decoder = void (*)(std::string_view bytes, uint8_t choice);

#define TIDEMILL_DECODER(Message) &DecodeAndBack<wire::Message>,
constexpr Decoder kDecoders[] = {&DecodeAndBack<wire::RequestHeader>,
                                 &DecodeAndBack<wire::ConsumerProtocolSubscription>,
                                 &DecodeAndBack<wire::ConsumerProtocolAssignment>,
                                 &ReadSubscription,
                                 &MatchPattern,
                                 TIDEMILL_WIRE_REQUESTS(TIDEMILL_DECODER)};
#undef TIDEMILL_DECODER

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data + 2), size - 2);
  kDecoders[data[0] % std::size(kDecoders)](bytes, data[1]);
  return 0;
}
