#pragma once

#include <memory>
#include <string>

#include "base/status.h"
#include "log/wire/kafka_server.h"
#include "server/console.h"
#include "server/engine.h"

namespace tidemill {

struct KafkaListenerOptions {
  std::string address;     // "127.0.0.1:9092", port 0 = any free one
  std::string advertised;  // "HOST:PORT" for clients; empty: `address`, or this machine's name where that is a wildcard
  bool insecure = false;
  std::string security_file;  // empty: everybody may do everything
};

// The Kafka server of a running process: says where it listens on stderr and in <data-dir>/kafka.port, and removes that
// file when it stops.
class KafkaListener {
 public:
  // `engine` outlives it. kUsage for an address that is none, and what KafkaServer::Start says.
  static Result<std::unique_ptr<KafkaListener>> Start(Engine& engine, const KafkaListenerOptions& options,
                                                      Console& console);
  ~KafkaListener();

 private:
  explicit KafkaListener(Engine& engine) : engine_(engine) {}
  Engine& engine_;
  std::unique_ptr<KafkaServer> server_;
};

}  // namespace tidemill
