#include "server/kafka_listener.h"

#include <random>

#include <unistd.h>

#include "server/http_api.h"

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
  TM_ASSIGN_OR_RETURN(listener->server_, KafkaServer::Start(engine.log(), engine.files(), engine.clock(),
                                                            LogPath(engine.data_dir()), server, &engine.metrics()));
  const uint16_t port = listener->server_->port();
  TM_RETURN_IF_ERROR(WriteFileAtomically(engine.files(), KafkaPortPath(engine.data_dir()), std::to_string(port)));
  console.Notice("Kafka on " + FormatListenAddress(address.address, port));
  return listener;
}

KafkaListener::~KafkaListener() {
  server_.reset();
  (void)engine_.files().Remove(KafkaPortPath(engine_.data_dir()));
}

}  // namespace tidemill
