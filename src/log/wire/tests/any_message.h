#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/status.h"
#include "log/wire/wire_reader.h"
#include "log/wire/wire_writer.h"

namespace tidemill::testing {

// A message of the Kafka protocol whose type is known at run time only.
class AnyMessage {
 public:
  virtual ~AnyMessage() = default;
  virtual std::string_view name() const = 0;
  virtual int16_t min_version() const = 0;
  virtual int16_t max_version() const = 0;
  // A new one of the same type, with defaults.
  virtual std::unique_ptr<AnyMessage> Fresh() const = 0;
  // Gives every field that the version has a random value (edge values often, null where it may be). Text and bytes are
  // views of strings that live as long as this message.
  virtual void Fill(Random& random, int16_t version) = 0;
  virtual Status Decode(WireReader& reader, int16_t version) = 0;
  // Keeps what was read before a failure.
  virtual void Read(WireReader& reader, int16_t version) = 0;
  virtual void Encode(WireWriter& writer, int16_t version) const = 0;
  // The fields that the version has under Kafka's names; bytes and uuids in hexadecimal digits.
  virtual std::string Json(int16_t version) = 0;
  // Memory that the message holds in vectors.
  virtual size_t HeldBytes() = 0;
  // Both of the same type.
  virtual bool Equals(const AnyMessage& other) const = 0;
};

// One of each type, requests and responses, in a fixed order.
std::vector<std::unique_ptr<AnyMessage>> AllMessages();

}  // namespace tidemill::testing
