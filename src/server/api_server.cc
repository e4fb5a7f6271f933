#include "server/api_server.h"

#include "server/http_api.h"

namespace tidemill {

Result<std::unique_ptr<ApiServer>> ApiServer::Start(Engine& engine, JobList& jobs, const std::string& address,
                                                    bool insecure, Console& console) {
  TM_ASSIGN_OR_RETURN(const ListenOptions listen, ParseListenAddress(address));
  HttpServerOptions options;
  options.address = listen.address;
  options.port = listen.port;
  options.insecure = insecure;
  std::unique_ptr<ApiServer> api(new ApiServer(engine));
  MountHttpApi(api->server_, {&engine, &jobs, &api->topics_});
  TM_RETURN_IF_ERROR(api->server_.Start(options));
  TM_RETURN_IF_ERROR(WriteFileAtomically(engine.files(), HttpPortPath(engine.data_dir()), std::to_string(api->port())));
  console.Notice("HTTP on http://" + FormatListenAddress(options.address, api->port()));
  return api;
}

ApiServer::~ApiServer() {
  server_.Stop();
  (void)engine_.files().Remove(HttpPortPath(engine_.data_dir()));
}

}  // namespace tidemill
