#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"

namespace tidemill {

struct PubsubConnection {
  std::string endpoint;    // "host:port"
  bool plaintext = false;  // an emulator: no TLS, no credentials
  std::string key_json;    // of a service account; empty = what the machine has by default
  std::string roots_pem;   // certificates to trust; empty = gRPC's
};

struct PubsubMessage {
  std::string data;
  std::vector<std::pair<std::string, std::string>> attributes;
  std::string ordering_key;
  // Of received ones.
  std::string id;
  std::string ack_id;
  int64_t publish_time_us = 0;
  int32_t delivery_attempt = 0;  // 0 = the subscription does not count

  int64_t bytes() const;
};

// Received messages as they come. One thread reads, any may cancel.
class PubsubStream {
 public:
  virtual ~PubsubStream() = default;
  // Waits for more; false when the stream is at its end, then Finish says why (OK: the server closed it).
  virtual bool Read(std::vector<PubsubMessage>* messages) = 0;
  virtual Status Finish() = 0;
  virtual void Cancel() = 0;
};

// Calls of one server. Thread-safe; calls wait for the answer, at most half a minute. Errors that may go away by
// themselves are kPubsubUnreachable.
class PubsubClient {
 public:
  static Result<std::unique_ptr<PubsubClient>> Connect(const PubsubConnection& connection);
  virtual ~PubsubClient() = default;
  // `deadline_s`: how long the server waits for an acknowledgement. It sends no more than so much that is not.
  virtual std::unique_ptr<PubsubStream> OpenStream(const std::string& subscription, int deadline_s,
                                                   int64_t messages_max, int64_t bytes_max) = 0;
  virtual Status Acknowledge(const std::string& subscription, std::span<const std::string> ack_ids) = 0;
  // 0 seconds: they are given to others at once.
  virtual Status ModifyDeadline(const std::string& subscription, std::span<const std::string> ack_ids, int seconds) = 0;
  // All or none of them.
  virtual Status Publish(const std::string& topic, std::span<const PubsubMessage> messages) = 0;
};

}  // namespace tidemill
