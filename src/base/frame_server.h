#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/metrics.h"
#include "base/status.h"
#include "base/tls_server_context.h"

namespace tidemill {

struct FrameServerOptions {
  std::string address = "127.0.0.1";
  uint16_t port = 0;      // 0 = any free port
  bool insecure = false;  // allows an address that is not loopback
  int64_t frame_bytes_max = 100 << 20;
  int64_t stranger_frame_bytes_max = 100 << 20;  // until the handler says Trust()
  // Of requests that are being read or handled and answers that are being sent, of all connections together; above it
  // no connection is read from until some of it is gone.
  int64_t buffered_bytes_max = 512 << 20;
  int requests_in_flight_max = 32;  // of one connection; above it the connection is not read from
  int connections_max = 1024;       // above: closed at once
  int connections_per_address_max = 1024;
  std::shared_ptr<const TlsServerContext> tls;  // null: plain
  int64_t idle_timeout_ms = 600'000;            // between frames
  int64_t frame_timeout_ms = 30'000;  // from a frame's first byte to its last, and for an answer that nobody takes; for
                                      // the TLS handshake too
  int threads = 1;
};

// Bytes of an answer: in memory, or where they lie in a file, from which they go to a plain socket without a copy. They
// must be there: an answer that turns out to be shorter ends the connection.
struct FramePiece {
  FramePiece(std::string in_memory) : bytes(std::move(in_memory)) {}  // NOLINT(google-explicit-constructor)
  FramePiece(std::shared_ptr<const ReadableFile> the_file, int64_t the_offset, int64_t the_length)
      : file(std::move(the_file)), offset(the_offset), length(the_length) {}
  int64_t size() const { return file == nullptr ? static_cast<int64_t>(bytes.size()) : length; }

  std::string bytes;
  std::shared_ptr<const ReadableFile> file;  // null: `bytes`
  int64_t offset = 0;
  int64_t length = 0;
};

// What goes back for one frame. The pieces are sent one after the other behind a length that covers them all.
struct FrameReply {
  std::vector<FramePiece> pieces;
  bool silent = false;  // nothing goes back (Kafka's acks=0)
  bool close = false;   // the connection ends after this
};

// One client, as a handler sees it. Lives as long as somebody holds it, which may be longer than the connection.
class FrameConnection {
 public:
  virtual ~FrameConnection() = default;
  virtual uint64_t id() const = 0;              // never used again in this process
  virtual const std::string& peer() const = 0;  // "127.0.0.1:54321"
  virtual bool is_closed() const = 0;           // thread-safe
  // The subject of the client's TLS certificate, as RFC 2253 writes it ("CN=alice,O=shop"); empty without one.
  virtual const std::string& tls_subject() const = 0;
  virtual void Trust() = 0;  // thread-safe
  // No further frame of it is taken in for so long (a quota). Thread-safe; from inside the handler it holds for the
  // very next frame.
  virtual void Pause(int64_t ms) = 0;
  std::shared_ptr<void> session;  // the handler's own; touched by its calls only
};

// A TCP server of frames: a big-endian int32 length, then so many bytes, both ways. The frames of one connection are
// handed to the handler in order, each after the call for the one before has returned; replies go back in that order
// too, whichever is ready first. Memory, time and connections are bounded; a frame's memory is taken as its bytes
// arrive, not when its length does. Thread-safe.
class FrameServer {
 public:
  using Reply = std::function<void(FrameReply)>;
  // Runs on one of the server's threads and must not block. `reply` is called once, from any thread; when it is
  // dropped without a call, the connection is closed.
  using Handler = std::function<void(const std::shared_ptr<FrameConnection>&, std::string frame, Reply reply)>;

  // `protocol`: for errors and the log ("Kafka"), and in small letters for metrics.
  FrameServer(std::string protocol, Handler handler, MetricsRegistry* metrics = nullptr);
  ~FrameServer();  // stops

  // Takes the address; nobody is served yet. kAddressInUse, kUnsafeListen, kInvalidConfig.
  Status Listen(const FrameServerOptions& options);
  void Run();  // after Listen
  Status Start(const FrameServerOptions& options) {
    TM_RETURN_IF_ERROR(Listen(options));
    Run();
    return Status::OK();
  }
  uint16_t port() const;
  int connections() const;
  // Closes every connection and waits for calls of the handler that are under way; replies that come later are dropped.
  void Stop();

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace tidemill
