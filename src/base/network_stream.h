#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"

namespace tidemill {

// Ends what waits on streams, from any thread and for good: waits under way and later ones fail with kNetworkError.
class CancelSignal {
 public:
  CancelSignal();
  ~CancelSignal();
  CancelSignal(const CancelSignal&) = delete;
  CancelSignal& operator=(const CancelSignal&) = delete;
  void Cancel();
  bool is_cancelled() const;
  // Waits, unless or until cancelled. False when it was cancelled.
  bool SleepMs(int64_t ms) const;
  int descriptor() const { return descriptor_; }  // becomes readable

 private:
  int descriptor_ = -1;
};

struct StreamTarget {
  std::string host;
  uint16_t port = 0;
  bool tls = false;
  std::string ca_pem;                    // whom to trust; empty = the system's
  std::string certificate_pem, key_pem;  // of ours, when the server asks for one
  int64_t timeout_ms = 10'000;           // for connecting and the handshake
};

// A connection over which bytes go both ways, TLS if asked for. For one thread, which blocks.
class NetworkStream {
 public:
  virtual ~NetworkStream() = default;
  // All of them, or kTimeout, kNetworkError.
  virtual Status Write(std::string_view bytes, int64_t timeout_ms) = 0;
  // At least one byte, at most `size`; 0 = the other side has closed. kTimeout, kNetworkError.
  virtual Result<size_t> Read(char* into, size_t size, int64_t timeout_ms) = 0;
};

// TCP. Every address of the host is tried. A TLS server must show a certificate of its host's name. Resolving the name
// can't be cancelled.
Result<std::unique_ptr<NetworkStream>> OpenNetworkStream(const StreamTarget& target,
                                                         std::shared_ptr<const CancelSignal> cancel);

}  // namespace tidemill
