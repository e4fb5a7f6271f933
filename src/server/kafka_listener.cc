#include "server/kafka_listener.h"

#include <random>

#include <unistd.h>

#include "base/errors.h"
#include "server/http_api.h"
#include "server/kafka_security_file.h"

namespace tidemill {
namespace {

constexpr int kKafkaThreads = 2;

bool IsWildcard(const std::string& address) { return address == "0.0.0.0" || address == "::"; }

std::string ThisMachine() {
  char name[256] = {};
  return ::gethostname(name, sizeof name - 1) == 0 ? name : "localhost";
}

}  // namespace

Result<std::unique_ptr<KafkaListener>> KafkaListener::Start(Engine& engine, const KafkaListenerOptions& options,
                                                            Console& console) {
  TM_ASSIGN_OR_RETURN(const ListenOptions address, ParseListenAddress(options.address));
  KafkaServerOptions server;
  server.listen.address = address.address;
  server.listen.port = address.port;
  server.listen.insecure = options.insecure;
  server.listen.threads = kKafkaThreads;
  if (!options.security_file.empty()) {
    TM_ASSIGN_OR_RETURN(KafkaSecurityFile file, LoadKafkaSecurityFile(options.security_file, engine.files()));
    server.security = std::move(file.security);
    server.listen.tls = std::move(file.tls);
    server.listen.insecure = options.insecure || file.is_safe_for_others;
    if (file.connections_per_address_max > 0)
      server.listen.connections_per_address_max = file.connections_per_address_max;
  }
  if (!options.advertised.empty()) {
    TM_ASSIGN_OR_RETURN(const ListenOptions advertised, ParseListenAddress(options.advertised));
    server.advertised_host = advertised.address;
    server.advertised_port = advertised.port;
  } else if (IsWildcard(address.address)) {
    server.advertised_host = ThisMachine();
  }
  std::random_device random;
  server.seed = (uint64_t{random()} << 32) | random();
  std::unique_ptr<KafkaListener> listener(new KafkaListener(engine));
  auto started = KafkaServer::Start(engine.log(), engine.files(), engine.clock(), LogPath(engine.data_dir()), server,
                                    &engine.metrics());
  if (started.status().Is(kUnsafeListen)) {
    return started.status().WithNote(
        "Kafka clients from elsewhere are let in with TLS and users: --kafka-security FILE (docs/kafka-security.md)");
  }
  if (!started.ok()) return started.status();
  listener->server_ = *std::move(started);
  const uint16_t port = listener->server_->port();
  TM_RETURN_IF_ERROR(WriteFileAtomically(engine.files(), KafkaPortPath(engine.data_dir()), std::to_string(port)));
  console.Notice("Kafka on " + FormatListenAddress(address.address, port) +
                 (server.listen.tls != nullptr ? " (TLS)" : ""));
  return listener;
}

KafkaListener::~KafkaListener() {
  server_.reset();
  (void)engine_.files().Remove(KafkaPortPath(engine_.data_dir()));
}

}  // namespace tidemill
