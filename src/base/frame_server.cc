#include "base/frame_server.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "base/errors.h"
#include "base/frame_output.h"
#include "base/listen_socket.h"
#include "base/logging.h"

namespace tidemill {
namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using boost::system::error_code;
using Strand = asio::strand<asio::io_context::executor_type>;

constexpr size_t kFirstPiece = 64 << 10;  // memory taken for a frame before its bytes are there
constexpr size_t kReservedPiece = 2 << 20;
constexpr auto kRoomPoll = std::chrono::milliseconds(20);

// What clients of other protocols send first, read as a length.
std::string GuessOf(uint32_t length) {
  switch (length) {
    case 0x47455420:  // "GET "
    case 0x504f5354:  // "POST"
    case 0x48454144:  // "HEAD"
      return ": it looks like HTTP";
    default:
      return (length >> 16) == 0x1603 ? ": it looks like TLS, which is not switched on here" : "";
  }
}

// Empty when the client showed no certificate.
std::string SubjectOf(SSL* tls) {
  std::string subject;
  X509* certificate = SSL_get1_peer_certificate(tls);
  if (certificate == nullptr) return subject;
  BIO* out = BIO_new(BIO_s_mem());
  if (X509_NAME_print_ex(out, X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253) >= 0) {
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(out, &bytes);
    subject.assign(bytes, static_cast<size_t>(size));
  }
  BIO_free(out);
  X509_free(certificate);
  return subject;
}

}  // namespace

class FrameServer::Impl : public std::enable_shared_from_this<Impl> {
 public:
  class Session;

  Impl(std::string protocol, Handler handler, MetricsRegistry* metrics)
      : protocol_(std::move(protocol)), handler_(std::move(handler)) {
    if (metrics == nullptr) return;
    std::string name = "tidemill_" + protocol_;
    for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    in_ = metrics->GetCounter(name + "_request_bytes_total", "Bytes of requests that clients sent");
    out_ = metrics->GetCounter(name + "_response_bytes_total", "Bytes that went back to clients");
    open_ = metrics->GetGauge(name + "_connections", "Open connections of clients");
  }

  Status Listen(const FrameServerOptions& options);
  void Run();
  void Stop();
  void Accept();

  void Remove(uint64_t id, const std::string& address) {
    std::lock_guard lock(mutex_);
    sessions_.erase(id);
    if (const auto count = by_address_.find(address); count != by_address_.end() && --count->second == 0)
      by_address_.erase(count);
    if (open_ != nullptr) open_->Set(static_cast<double>(sessions_.size()));
  }
  int connections() const {
    std::lock_guard lock(mutex_);
    return static_cast<int>(sessions_.size());
  }

  const std::string protocol_;
  const Handler handler_;
  FrameServerOptions options_;
  asio::io_context io_;
  std::optional<tcp::acceptor> acceptor_;
  std::optional<asio::ssl::context> tls_;
  std::atomic<int64_t> buffered_{0};
  std::atomic<bool> running_{false};
  uint16_t port_ = 0;
  Counter* in_ = nullptr;
  Counter* out_ = nullptr;
  Gauge* open_ = nullptr;

 private:
  mutable std::mutex mutex_;
  void Take(tcp::socket socket);

  std::unordered_map<uint64_t, std::shared_ptr<Session>> sessions_;
  std::unordered_map<std::string, int> by_address_;  // connections of each
  uint64_t next_id_ = 1;
  std::vector<std::thread> threads_;
};

// One connection. Everything but `Answer` and `is_closed` runs on its strand.
class FrameServer::Impl::Session final : public FrameConnection, public std::enable_shared_from_this<Session> {
 public:
  Session(std::shared_ptr<Impl> server, tcp::socket socket, const tcp::endpoint& peer, uint64_t id)
      : server_(std::move(server)),
        socket_(std::move(socket)),
        strand_(asio::make_strand(server_->io_)),
        deadline_(server_->io_),
        room_(server_->io_),
        id_(id),
        address_(peer.address().to_string()),
        peer_(address_ + ":" + std::to_string(peer.port())) {
    error_code ignored;
    socket_.set_option(tcp::no_delay(true), ignored);
    socket_.native_non_blocking(true, ignored);  // for FrameOutput
    if (server_->tls_) tls_.emplace(socket_, *server_->tls_);
  }

  uint64_t id() const override { return id_; }
  const std::string& peer() const override { return peer_; }
  bool is_closed() const override { return closed_.load(std::memory_order_acquire); }
  const std::string& tls_subject() const override { return tls_subject_; }
  void Trust() override { trusted_ = true; }
  void Pause(int64_t ms) override {
    asio::dispatch(strand_, [self = shared_from_this(), until = Now() + std::chrono::milliseconds(ms)] {
      self->paused_until_ = std::max(self->paused_until_, until);
    });
  }

  void Begin() {
    asio::post(strand_, [self = shared_from_this()] {
      self->Watch();
      self->tls_ ? self->ShakeHands() : self->ReadLength();
    });
  }
  void CloseSoon() {
    asio::post(strand_, [self = shared_from_this()] { self->Close(); });
  }

 private:
  // An answer that is owed, in the order of the requests.
  struct Owed {
    int64_t held_bytes = 0;  // in memory, of the request, later of the answer
    std::optional<FrameReply> reply;
  };

  // Hands a reply over from any thread, once; ends the connection when nobody did.
  class Ticket {
   public:
    Ticket(std::weak_ptr<Session> session, uint64_t number) : session_(std::move(session)), number_(number) {}
    ~Ticket() {
      if (!used_.exchange(true)) Hand(FrameReply{{}, true, true});
    }
    void Use(FrameReply reply) {
      if (!used_.exchange(true)) Hand(std::move(reply));
    }

   private:
    void Hand(FrameReply reply) {
      const std::shared_ptr<Session> session = session_.lock();
      if (session == nullptr || session->is_closed()) return;
      // Weak again: what is still queued when the server has stopped must not keep it alive.
      asio::post(session->strand_, [weak = session_, number = number_, reply = std::move(reply)]() mutable {
        if (const auto self = weak.lock()) self->Answer(number, std::move(reply));
      });
    }
    const std::weak_ptr<Session> session_;
    const uint64_t number_;
    std::atomic<bool> used_{false};
  };

  // `done` is called on the strand with an error_code and the number of bytes.
  template <typename Buffers, typename Done>
  void ReadAll(const Buffers& buffers, Done done) {
    if (tls_) {
      asio::async_read(*tls_, buffers, asio::bind_executor(strand_, std::move(done)));
    } else {
      asio::async_read(socket_, buffers, asio::bind_executor(strand_, std::move(done)));
    }
  }

  void ShakeHands() {
    frame_began_ = true;  // for the time that it may take
    tls_->async_handshake(asio::ssl::stream_base::server,
                          asio::bind_executor(strand_, [self = shared_from_this()](error_code error) {
                            if (self->closed_) return;
                            if (error) {
                              LogWarning(fmt::format("{} connection from {} closed: no TLS: {}",
                                                     self->server_->protocol_, self->peer_, error.message()));
                              return self->Close();
                            }
                            self->tls_subject_ = SubjectOf(self->tls_->native_handle());
                            self->touched_ = Now();
                            self->ReadLength();
                          }));
  }

  void ReadLength() {
    if (closed_ || reading_) return;
    if (static_cast<int>(owed_.size()) >= server_->options_.requests_in_flight_max) return;  // Answer goes on
    reading_ = true;
    frame_began_ = false;
    ReadAll(asio::buffer(head_.data(), 1), [self = shared_from_this()](error_code error, size_t) {
      if (error) return self->Close();
      self->frame_began_ = true;
      self->touched_ = Now();
      self->ReadRestOfLength();
    });
  }

  void ReadRestOfLength() {
    ReadAll(asio::buffer(head_.data() + 1, 3), [self = shared_from_this()](error_code error, size_t) {
      if (error) return self->Close();
      uint32_t length = 0;
      for (const unsigned char byte : self->head_) length = length << 8 | byte;
      const FrameServerOptions& options = self->server_->options_;
      const int64_t allowed = self->trusted_ ? options.frame_bytes_max
                                             : std::min(options.frame_bytes_max, options.stranger_frame_bytes_max);
      if (length == 0 || length > static_cast<uint64_t>(allowed)) {
        LogWarning(fmt::format("{} connection from {} closed: its request is to have {} bytes, {} are allowed{}",
                               self->server_->protocol_, self->peer_, static_cast<int32_t>(length), allowed,
                               GuessOf(length)));
        return self->Close();
      }
      self->left_ = length;
      self->frame_.clear();
      self->frame_.reserve(std::min<size_t>(length, kReservedPiece));  // costs memory when its bytes come
      self->WaitForRoom();
    });
  }

  // A frame is let in whole, or pieces of many would hold the memory that each needs to get done. Until there is room
  // for it, and while the connection is paused, the client waits.
  void WaitForRoom() {
    if (closed_) return;
    if (const auto pause = paused_until_ - Now(); pause > pause.zero()) return LookAgain(pause);
    const auto bytes = static_cast<int64_t>(left_);
    const int64_t before = server_->buffered_.fetch_add(bytes);
    if (before > 0 && before + bytes > server_->options_.buffered_bytes_max) {
      server_->buffered_ -= bytes;
      return LookAgain(kRoomPoll);
    }
    held_ = bytes;
    touched_ = Now();
    ReadPiece();
  }
  void LookAgain(std::chrono::nanoseconds after) {
    is_waiting_ = true;
    room_.expires_after(after);
    room_.async_wait(asio::bind_executor(strand_, [self = shared_from_this()](error_code error) {
      self->is_waiting_ = false;
      if (!error) self->WaitForRoom();
    }));
  }

  void ReadPiece() {
    const size_t before = frame_.size();
    const size_t piece = std::min(left_, std::max(kFirstPiece, before));
    frame_.resize(before + piece);
    ReadAll(asio::buffer(frame_.data() + before, piece), [self = shared_from_this(), piece](error_code error, size_t) {
      if (error || self->closed_) return self->Close();
      self->left_ -= piece;
      if (self->left_ > 0) return self->ReadPiece();
      self->HandOver();
    });
  }

  void HandOver() {
    touched_ = Now();
    frame_began_ = false;
    reading_ = false;
    const int64_t bytes = std::exchange(held_, 0);
    if (server_->in_ != nullptr) server_->in_->Add(bytes);
    owed_.push_back({bytes, std::nullopt});
    auto ticket = std::make_shared<Ticket>(weak_from_this(), first_owed_ + owed_.size() - 1);
    server_->handler_(shared_from_this(), std::exchange(frame_, {}),
                      [ticket](FrameReply reply) { ticket->Use(std::move(reply)); });
    ReadLength();
  }

  void Answer(uint64_t number, FrameReply reply) {
    if (closed_) return;
    if (tls_ && !LoadPieces(reply.pieces)) return Close();
    int64_t bytes = 0;  // in memory
    for (const FramePiece& piece : reply.pieces) bytes += static_cast<int64_t>(piece.bytes.size());
    Owed& owed = owed_[number - first_owed_];
    server_->buffered_ += bytes - owed.held_bytes;  // the request is gone, its answer takes its place
    owed.held_bytes = bytes;
    owed.reply = std::move(reply);
    Send();
  }

  // Everything that is ready and in turn.
  void Send() {
    if (sending_ || closed_ || owed_.empty() || !owed_.front().reply) return;
    sending_ = true;
    touched_ = Now();
    while (!owed_.empty() && owed_.front().reply && !closing_) {
      Owed& owed = owed_.front();
      sending_bytes_ += owed.held_bytes;
      closing_ = owed.reply->close;
      output_.Add(std::move(*owed.reply));
      owed_.pop_front();
      ++first_owed_;
    }
    tls_ ? SendEncrypted() : SendPlain();
  }

  void SendPlain() {
    switch (output_.SendTo(socket_.native_handle())) {
      case FrameOutput::Progress::kDone:
        return Sent();
      case FrameOutput::Progress::kFailed:
        return Close();
      case FrameOutput::Progress::kBlocked:
        break;
    }
    socket_.async_wait(tcp::socket::wait_write,
                       asio::bind_executor(strand_, [self = shared_from_this()](error_code error) {
                         if (self->closed_) return;
                         error ? self->Close() : self->SendPlain();
                       }));
  }
  void SendEncrypted() {
    std::vector<asio::const_buffer> buffers;
    for (const std::string_view view : output_.Views()) buffers.emplace_back(view.data(), view.size());
    asio::async_write(*tls_, buffers,
                      asio::bind_executor(strand_, [self = shared_from_this()](error_code error, size_t) {
                        if (self->closed_) return;
                        error ? self->Close() : self->Sent();
                      }));
  }
  void Sent() {
    sending_ = false;
    server_->buffered_ -= std::exchange(sending_bytes_, 0);
    if (server_->out_ != nullptr) server_->out_->Add(output_.bytes());
    output_.Clear();
    touched_ = Now();
    if (closing_) return Close();
    Send();
    ReadLength();
  }

  // Ends a connection that has been silent, or stuck in a frame or an answer, for too long.
  void Watch() {
    if (closed_) return;
    const FrameServerOptions& options = server_->options_;
    const bool busy = frame_began_ || sending_;
    // Whoever waits for an answer of ours is not idle.
    const auto limit = std::chrono::milliseconds(busy ? options.frame_timeout_ms : options.idle_timeout_ms);
    if (is_waiting_) touched_ = Now();  // through no fault of the client's
    if (Now() - touched_ > limit && (busy || owed_.empty())) return Close();
    deadline_.expires_after(std::chrono::milliseconds(
        std::clamp<int64_t>(std::min(options.frame_timeout_ms, options.idle_timeout_ms) / 4, 10, 5000)));
    deadline_.async_wait(asio::bind_executor(strand_, [self = shared_from_this()](error_code error) {
      if (!error) self->Watch();
    }));
  }

  void Close() {
    if (closed_.exchange(true)) return;
    int64_t bytes = std::exchange(held_, 0) + std::exchange(sending_bytes_, 0);
    for (const Owed& owed : owed_) bytes += owed.held_bytes;
    server_->buffered_ -= bytes;
    owed_.clear();
    error_code ignored;
    socket_.shutdown(tcp::socket::shutdown_both, ignored);
    socket_.close(ignored);
    deadline_.cancel();
    room_.cancel();
    server_->Remove(id_, address_);
  }

  static std::chrono::steady_clock::time_point Now() { return std::chrono::steady_clock::now(); }

  const std::shared_ptr<Impl> server_;
  tcp::socket socket_;
  std::optional<asio::ssl::stream<tcp::socket&>> tls_;
  Strand strand_;
  asio::steady_timer deadline_;
  asio::steady_timer room_;
  const uint64_t id_;
  const std::string address_;
  const std::string peer_;
  std::string tls_subject_;
  std::atomic<bool> closed_{false};
  std::atomic<bool> trusted_{false};

  std::array<unsigned char, 4> head_{};
  std::string frame_;
  size_t left_ = 0;   // of the frame, still to be read
  int64_t held_ = 0;  // counted in buffered_ for the frame that is being read
  bool reading_ = false;
  bool frame_began_ = false;
  bool is_waiting_ = false;  // the frame, for room or for the end of a pause
  std::chrono::steady_clock::time_point touched_ = Now();
  std::chrono::steady_clock::time_point paused_until_{};

  std::deque<Owed> owed_;
  uint64_t first_owed_ = 0;  // number of owed_.front()
  bool sending_ = false;
  int64_t sending_bytes_ = 0;
  bool closing_ = false;  // once what is being sent has gone out
  FrameOutput output_;
};

Status FrameServer::Impl::Listen(const FrameServerOptions& options) {
  options_ = options;
  TM_ASSIGN_OR_RETURN(const ListenSocket listening,
                      OpenListenSocket({options.address, options.port, options.insecure}, protocol_));
  acceptor_.emplace(io_, listening.is_ipv6 ? tcp::v6() : tcp::v4(), listening.fd);
  port_ = listening.port;
  if (options.tls != nullptr) {
    SSL_CTX_up_ref(options.tls->handle());  // the asio context gives one back
    tls_.emplace(options.tls->handle());
  }
  return Status::OK();
}

void FrameServer::Impl::Run() {
  running_ = true;
  Accept();
  for (int i = 0; i < std::max(1, options_.threads); ++i) threads_.emplace_back([this] { io_.run(); });
}

void FrameServer::Impl::Accept() {
  acceptor_->async_accept([self = shared_from_this()](error_code error, tcp::socket socket) {
    if (!self->running_) return;
    if (!error) {
      self->Take(std::move(socket));
    } else if (error == asio::error::no_descriptors) {
      std::this_thread::sleep_for(kRoomPoll);  // the queue of the kernel holds them meanwhile
    }
    self->Accept();
  });
}

void FrameServer::Impl::Take(tcp::socket socket) {
  error_code error;
  const tcp::endpoint peer = socket.remote_endpoint(error);
  if (error) return;  // gone already
  std::lock_guard lock(mutex_);
  if (static_cast<int>(sessions_.size()) >= options_.connections_max) return;
  int& of_address = by_address_[peer.address().to_string()];
  if (of_address >= options_.connections_per_address_max) return;
  ++of_address;
  const uint64_t id = next_id_++;
  const auto session = std::make_shared<Session>(shared_from_this(), std::move(socket), peer, id);
  sessions_.emplace(id, session);
  if (open_ != nullptr) open_->Set(static_cast<double>(sessions_.size()));
  session->Begin();
}

void FrameServer::Impl::Stop() {
  if (!running_.exchange(false)) return;
  asio::post(io_, [self = shared_from_this()] {
    error_code ignored;
    self->acceptor_->close(ignored);
    std::lock_guard lock(self->mutex_);
    for (const auto& [id, session] : self->sessions_) session->CloseSoon();
  });
  // Without acceptor and connections nothing is left to do, and the threads end.
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

FrameServer::FrameServer(std::string protocol, Handler handler, MetricsRegistry* metrics)
    : impl_(std::make_shared<Impl>(std::move(protocol), std::move(handler), metrics)) {}
FrameServer::~FrameServer() { Stop(); }
Status FrameServer::Listen(const FrameServerOptions& options) { return impl_->Listen(options); }
void FrameServer::Run() { impl_->Run(); }
uint16_t FrameServer::port() const { return impl_->port_; }
int FrameServer::connections() const { return impl_->connections(); }
void FrameServer::Stop() { impl_->Stop(); }

}  // namespace tidemill
