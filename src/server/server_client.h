#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/network.h"
#include "base/status.h"

namespace tidemill {

// Calls a running server, blocking. An answer of 400 and above becomes the error that its problem document tells.
// kNetworkError (exit code 4) when it can't be reached.
class ServerClient {
 public:
  // `base_url`: "http://127.0.0.1:8080". `network` outlives it.
  ServerClient(Network& network, std::string base_url) : network_(network), base_url_(std::move(base_url)) {}
  Result<std::string> Get(const std::string& target);
  Result<std::string> Post(const std::string& target, const std::string& content_type, std::string body);
  Result<std::string> Delete(const std::string& target);
  // The error that an answer of 400 and above tells: a problem document, or Feast's.
  static Status ErrorOf(int status, const std::string& body);

 private:
  Result<std::string> Call(HttpRequest request);
  Network& network_;
  const std::string base_url_;
};

}  // namespace tidemill
