#pragma once

#include <cstdint>
#include <string>

#include "base/status.h"

namespace tidemill {

struct ListenOptions {
  std::string address = "127.0.0.1";  // "localhost" or numeric
  uint16_t port = 0;                  // 0 = any free port
  bool insecure = false;              // allows an address that is not loopback
};

// A TCP socket that listens; whoever takes it closes `fd`.
struct ListenSocket {
  int fd = -1;
  bool is_ipv6 = false;
  uint16_t port = 0;
};

// `what`: for errors, "HTTP". kInvalidConfig, kUnsafeListen, kAddressInUse, kNetworkError.
Result<ListenSocket> OpenListenSocket(const ListenOptions& options, std::string_view what);

}  // namespace tidemill
