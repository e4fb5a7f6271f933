#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/frame_server.h"
#include "base/metrics.h"
#include "base/status.h"
#include "log/access/access_control.h"
#include "log/access/quotas.h"
#include "log/access/sasl.h"
#include "log/log.h"

namespace tidemill {

// Who may connect, and what they may do there. As it is here: everybody, everything.
struct KafkaSecurity {
  // Null: nobody is asked for a password. A client without one is User:ANONYMOUS, or, with a TLS certificate,
  // User:<its subject>.
  std::shared_ptr<const SaslUsers> users;
  std::shared_ptr<const AccessControl> access;  // null: whoever is let in may do everything
  std::vector<Quota> quotas;
};

struct KafkaServerOptions {
  FrameServerOptions listen;
  KafkaSecurity security;
  // Where clients are told to connect; empty and 0: the address and port that are listened on.
  std::string advertised_host;
  uint16_t advertised_port = 0;
  std::string cluster_id = "tidemill";
  bool auto_create_topics = true;  // a client that asks for a topic makes it
  TopicConfig topic_defaults;      // of topics made here, where the client says nothing
  uint64_t seed = 0;               // of the ids of group members: another one at each start
};

// A Kafka broker over the embedded log: one node, which leads every partition and coordinates every group. Clients
// connect with the Kafka protocol, in the versions that ApiVersions names. Thread-safe.
class KafkaServer {
 public:
  // `log_directory` is that of `log`: what is kept of producers' transactions lies beside its topics. All outlive the
  // server. Listens when it returns. kAddressInUse, kUnsafeListen, kInvalidConfig, and errors of files.
  static Result<std::unique_ptr<KafkaServer>> Start(Log& log, FileSystem& files, const Clock& clock,
                                                    const std::string& log_directory, const KafkaServerOptions& options,
                                                    MetricsRegistry* metrics = nullptr);
  virtual ~KafkaServer() = default;  // stops: requests under way end with their connections
  virtual uint16_t port() const = 0;
};

}  // namespace tidemill
