#include "server/schema_registry_listener.h"

#include "server/http_api.h"
#include "server/http_schema_registry.h"

namespace tidemill {

Result<std::unique_ptr<SchemaRegistryListener>> SchemaRegistryListener::Start(Engine& engine,
                                                                              const std::string& address, bool insecure,
                                                                              Console& console) {
  TM_ASSIGN_OR_RETURN(const ListenOptions listen, ParseListenAddress(address));
  HttpServerOptions options;
  options.address = listen.address;
  options.port = listen.port;
  options.insecure = insecure;
  options.body_bytes_max = kSchemaRegistryBodyBytesMax;
  std::unique_ptr<SchemaRegistryListener> listener(new SchemaRegistryListener(engine));
  MountSchemaRegistryRoutes(listener->server_, engine.schemas());
  TM_RETURN_IF_ERROR(listener->server_.Start(options));
  TM_RETURN_IF_ERROR(WriteFileAtomically(engine.files(), SchemaRegistryPortPath(engine.data_dir()),
                                         std::to_string(listener->server_.port())));
  console.Notice("Schema registry on http://" + FormatListenAddress(options.address, listener->server_.port()));
  return listener;
}

SchemaRegistryListener::~SchemaRegistryListener() {
  server_.Stop();
  (void)engine_.files().Remove(SchemaRegistryPortPath(engine_.data_dir()));
}

}  // namespace tidemill
