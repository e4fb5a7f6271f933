#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/network_stream.h"
#include "base/status.h"

namespace tidemill {

struct HttpRequest {
  std::string method = "POST";
  std::string url;  // http:// or https:// only
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  int64_t timeout_ms = 10'000;
  int64_t response_bytes_max = 1 << 20;
  // Loopback, link-local, private and metadata addresses are refused (kAddressRefused) unless one of these names the
  // host, an address or a CIDR block, or is "*".
  std::vector<std::string> allow_addresses;
};

struct HttpResponse {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

// Outgoing calls. Thread-safe. Redirects are not followed. Connections are kept alive and reused.
class Network {
 public:
  virtual ~Network() = default;
  // `done` is called once, on a thread of the network (never inside Fetch): with the response, or kNetworkError,
  // kTimeout, kAddressRefused, kLimitExceeded.
  virtual void Fetch(HttpRequest request, std::function<void(Result<HttpResponse>)> done) = 0;
  // A connection of one's own, for protocols other than HTTP. Blocks. The address is what the operator configured: it
  // may be any. A network without sockets answers kNetworkError.
  virtual Result<std::unique_ptr<NetworkStream>> Connect(const StreamTarget& target,
                                                         std::shared_ptr<const CancelSignal> cancel);
};

// Boost.Beast on one thread of its own; OpenSSL for https. Destruction cancels what is in flight.
std::unique_ptr<Network> MakeNetwork();

}  // namespace tidemill
