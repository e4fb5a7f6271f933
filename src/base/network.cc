#include "base/network.h"

#include <atomic>
#include <deque>
#include <map>
#include <set>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>

#include "base/address_policy.h"
#include "base/errors.h"
#include "base/url.h"

namespace tidemill {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace ssl = asio::ssl;
using tcp = asio::ip::tcp;
using boost::system::error_code;

constexpr size_t kIdlePerHostMax = 64;
constexpr size_t kIdleHostsMax = 256;
constexpr auto kIdleMax = std::chrono::seconds(30);
constexpr int kInFlightMax = 16'384;
constexpr uint32_t kHeaderBytesMax = 64 * 1024;

struct Connection {
  explicit Connection(asio::io_context& io) : stream(io) {}
  beast::tcp_stream stream;
  std::unique_ptr<ssl::stream<beast::tcp_stream&>> tls;  // null for http
  beast::flat_buffer buffer;
  std::string peer;  // the numeric address it is connected to
  std::chrono::steady_clock::time_point idle_since;

  // Calls `f` with the stream to talk over.
  template <typename F>
  void With(F&& f) {
    if (tls) {
      f(*tls);
    } else {
      f(stream);
    }
  }
};

// True when the server has closed it, or has sent something nobody asked for.
bool IsStale(Connection& connection) {
  tcp::socket& socket = connection.stream.socket();
  error_code error;
  socket.non_blocking(true, error);
  if (error) return true;
  char byte;
  socket.receive(asio::buffer(&byte, 1), tcp::socket::message_peek, error);
  return error != asio::error::would_block && error != asio::error::try_again;
}

bool HasControlCharacter(std::string_view text) {
  for (char c : text) {
    if ((static_cast<unsigned char>(c) < ' ' && c != '\t') || c == 0x7f) return true;
  }
  return false;
}

class Exchange;

class BeastNetwork final : public Network {
 public:
  BeastNetwork();
  ~BeastNetwork() override;
  void Fetch(HttpRequest request, std::function<void(Result<HttpResponse>)> done) override;
  Result<std::unique_ptr<NetworkStream>> Connect(const StreamTarget& target,
                                                 std::shared_ptr<const CancelSignal> cancel) override {
    return OpenNetworkStream(target, std::move(cancel));
  }

  // The rest runs on the network's thread only.
  asio::io_context& io() { return io_; }
  ssl::context& tls() { return tls_; }
  std::unique_ptr<Connection> TakeIdle(const std::string& key, const HttpRequest& request, const Url& url);
  void PutIdle(const std::string& key, std::unique_ptr<Connection> connection);
  void Remove(const std::shared_ptr<Exchange>& exchange);

 private:
  asio::io_context io_{1};
  ssl::context tls_{ssl::context::tls_client};
  asio::executor_work_guard<asio::io_context::executor_type> work_{io_.get_executor()};
  std::map<std::string, std::deque<std::unique_ptr<Connection>>> idle_;
  std::set<std::shared_ptr<Exchange>> exchanges_;
  std::atomic<int> in_flight_{0};
  std::thread thread_;
};

// One request and its answer: (resolve, connect, handshake | idle connection), write, read. Whatever comes first of
// answer, error, timeout and shutdown calls `done_`, once.
class Exchange : public std::enable_shared_from_this<Exchange> {
 public:
  Exchange(BeastNetwork& network, HttpRequest request, std::function<void(Result<HttpResponse>)> done)
      : network_(network),
        request_(std::move(request)),
        done_(std::move(done)),
        resolver_(network.io()),
        timer_(network.io()) {}

  void Start() {
    if (Status status = Prepare(); !status.ok()) return Finish(std::move(status));
    timer_.expires_after(std::chrono::milliseconds(request_.timeout_ms));
    timer_.async_wait([self = shared_from_this()](error_code error) {
      if (!error)
        self->Finish(Status(
            kTimeout, self->Name() + " did not answer within " + std::to_string(self->request_.timeout_ms) + " ms"));
    });
    connection_ = network_.TakeIdle(pool_key_, request_, url_);
    reused_ = connection_ != nullptr;
    if (reused_) return Write();
    Resolve();
  }

  void Finish(Result<HttpResponse> result) {
    if (!done_) return;
    auto done = std::move(done_);
    done_ = nullptr;
    timer_.cancel();
    resolver_.cancel();
    if (connection_) {
      // Handlers still under way hold the exchange, and so the connection, until they have been told.
      error_code ignored;
      connection_->stream.socket().close(ignored);
    }
    network_.Remove(shared_from_this());
    done(std::move(result));
  }

 private:
  std::string Name() const {
    return request_.method + " " + (url_.tls ? "https://" : "http://") + url_.host + ":" + std::to_string(url_.port);
  }

  void Fail(std::string_view what, error_code error) {
    if (error == http::error::body_limit || error == http::error::header_limit ||
        error == http::error::buffer_overflow) {
      return Finish(Status(kLimitExceeded, Name() + ": the answer is larger than " +
                                               std::to_string(request_.response_bytes_max) + " bytes"));
    }
    Finish(Status(kNetworkError, Name() + ": " + std::string(what) + ": " + error.message()));
  }

  Status Prepare() {
    TM_ASSIGN_OR_RETURN(url_, ParseUrl(request_.url));
    pool_key_ = (url_.tls ? "s|" : "p|") + url_.host + "|" + std::to_string(url_.port);
    message_.method_string(request_.method);
    message_.target(url_.target);
    message_.version(11);
    std::string host = url_.host.find(':') == std::string::npos ? url_.host : "[" + url_.host + "]";
    if (url_.port != (url_.tls ? 443 : 80)) host += ":" + std::to_string(url_.port);
    message_.set(http::field::host, host);
    message_.set(http::field::user_agent, "tidemill");
    for (const auto& [name, value] : request_.headers) {
      const bool bad_name =
          name.empty() || name.find_first_of(" :\t") != std::string::npos || HasControlCharacter(name);
      if (bad_name || HasControlCharacter(value))
        return Status(kInvalidConfig, "header '" + name + "' has a character that HTTP forbids");
      message_.set(name, value);
    }
    message_.body() = std::move(request_.body);
    message_.prepare_payload();
    return Status::OK();
  }

  void Resolve() {
    resolver_.async_resolve(url_.host, std::to_string(url_.port),
                            [self = shared_from_this()](error_code error, tcp::resolver::results_type results) {
                              if (!self->done_) return;
                              if (error) return self->Fail("resolving the host", error);
                              self->Connect(results);
                            });
  }

  // The addresses are checked here, and exactly these are connected to: a name that resolves differently a moment later
  // changes nothing.
  void Connect(const tcp::resolver::results_type& results) {
    std::vector<tcp::endpoint> allowed;
    Status refused(kNetworkError, Name() + ": the host has no address");
    for (const auto& entry : results) {
      Status check = CheckAddress(url_.host, entry.endpoint().address().to_string(), request_.allow_addresses);
      if (check.ok()) {
        allowed.push_back(entry.endpoint());
      } else {
        refused = std::move(check);
      }
    }
    if (allowed.empty()) return Finish(std::move(refused));
    connection_ = std::make_unique<Connection>(network_.io());
    endpoints_ = std::move(allowed);
    connection_->stream.async_connect(endpoints_,
                                      [self = shared_from_this()](error_code error, const tcp::endpoint& endpoint) {
                                        if (!self->done_) return;
                                        if (error) return self->Fail("connecting", error);
                                        self->connection_->peer = endpoint.address().to_string();
                                        error_code ignored;
                                        self->connection_->stream.socket().set_option(tcp::no_delay(true), ignored);
                                        if (self->url_.tls) return self->Handshake();
                                        self->Write();
                                      });
  }

  void Handshake() {
    auto& tls = connection_->tls;
    tls = std::make_unique<ssl::stream<beast::tcp_stream&>>(connection_->stream, network_.tls());
    error_code numeric;
    asio::ip::make_address(url_.host, numeric);
    if (numeric) SSL_set_tlsext_host_name(tls->native_handle(), url_.host.c_str());  // SNI is for names only
    tls->set_verify_mode(ssl::verify_peer);
    tls->set_verify_callback(ssl::host_name_verification(url_.host));
    tls->async_handshake(ssl::stream_base::client, [self = shared_from_this()](error_code error) {
      if (!self->done_) return;
      if (error) return self->Fail("TLS handshake", error);
      self->Write();
    });
  }

  void Write() {
    connection_->With([this](auto& stream) {
      http::async_write(stream, message_, [self = shared_from_this()](error_code error, size_t) {
        if (!self->done_) return;
        if (error) return self->Retry("sending", error);
        self->Read();
      });
    });
  }

  void Read() {
    parser_.emplace();
    parser_->body_limit(static_cast<uint64_t>(std::max<int64_t>(0, request_.response_bytes_max)));
    parser_->header_limit(kHeaderBytesMax);
    if (request_.method == "HEAD") parser_->skip(true);
    connection_->With([this](auto& stream) {
      http::async_read(stream, connection_->buffer, *parser_, [self = shared_from_this()](error_code error, size_t) {
        if (!self->done_) return;
        if (error) return self->Retry("reading the answer", error);
        self->Answer();
      });
    });
  }

  // A server may close an idle connection at the very moment we reuse it. Then the request goes again over a new one,
  // but only where sending twice is harmless (RFC 9110 9.2.2, or the receiver was given an idempotency key).
  void Retry(std::string_view what, error_code error) {
    const bool safe = request_.method != "POST" && request_.method != "PATCH";
    const bool nothing_came = !parser_ || !parser_->got_some();
    if (reused_ && nothing_came && (safe || message_.find("Idempotency-Key") != message_.end())) {
      reused_ = false;
      parser_.reset();
      connection_.reset();
      return Resolve();
    }
    Fail(what, error);
  }

  void Answer() {
    auto message = parser_->release();
    HttpResponse response;
    response.status = static_cast<int>(message.result_int());
    for (const auto& field : message)
      response.headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
    response.body = std::move(message.body());
    if (message.keep_alive() && connection_->buffer.size() == 0) network_.PutIdle(pool_key_, std::move(connection_));
    Finish(std::move(response));
  }

  BeastNetwork& network_;
  HttpRequest request_;
  std::function<void(Result<HttpResponse>)> done_;
  Url url_;
  std::string pool_key_;
  tcp::resolver resolver_;
  asio::steady_timer timer_;
  std::vector<tcp::endpoint> endpoints_;
  std::unique_ptr<Connection> connection_;
  bool reused_ = false;
  http::request<http::string_body> message_;
  std::optional<http::response_parser<http::string_body>> parser_;
};

BeastNetwork::BeastNetwork() {
  error_code ignored;
  tls_.set_default_verify_paths(ignored);
  tls_.set_options(ssl::context::default_workarounds | ssl::context::no_tlsv1 | ssl::context::no_tlsv1_1, ignored);
  thread_ = std::thread([this] { io_.run(); });
}

BeastNetwork::~BeastNetwork() {
  asio::post(io_, [this] {
    const auto exchanges = exchanges_;
    for (const auto& exchange : exchanges)
      exchange->Finish(Status(kNetworkError, "cancelled: the network is shutting down"));
    idle_.clear();
    io_.stop();
  });
  thread_.join();
}

void BeastNetwork::Fetch(HttpRequest request, std::function<void(Result<HttpResponse>)> done) {
  const bool full = in_flight_.fetch_add(1) >= kInFlightMax;
  auto exchange = std::make_shared<Exchange>(*this, std::move(request), std::move(done));
  asio::post(io_, [this, exchange, full] {
    exchanges_.insert(exchange);
    if (full)
      return exchange->Finish(Status(kLimitExceeded, std::to_string(kInFlightMax) + " calls are in flight already"));
    exchange->Start();
  });
}

std::unique_ptr<Connection> BeastNetwork::TakeIdle(const std::string& key, const HttpRequest& request, const Url& url) {
  const auto it = idle_.find(key);
  if (it == idle_.end()) return nullptr;
  std::unique_ptr<Connection> found;
  const auto oldest = std::chrono::steady_clock::now() - kIdleMax;
  std::deque<std::unique_ptr<Connection>> refused;
  while (!found && !it->second.empty()) {
    auto candidate = std::move(it->second.back());  // the newest: the others grow old and go
    it->second.pop_back();
    if (candidate->idle_since < oldest || IsStale(*candidate)) continue;
    if (!CheckAddress(url.host, candidate->peer, request.allow_addresses).ok()) {
      refused.push_front(std::move(candidate));  // made for a caller who may do more than this one
      continue;
    }
    found = std::move(candidate);
  }
  for (auto& connection : refused) it->second.push_back(std::move(connection));
  if (it->second.empty()) idle_.erase(it);
  return found;
}

void BeastNetwork::PutIdle(const std::string& key, std::unique_ptr<Connection> connection) {
  if (idle_.size() >= kIdleHostsMax && !idle_.contains(key)) idle_.erase(idle_.begin());
  auto& connections = idle_[key];
  const auto now = std::chrono::steady_clock::now();
  connection->idle_since = now;
  while (!connections.empty() &&
         (connections.size() >= kIdlePerHostMax || connections.front()->idle_since < now - kIdleMax)) {
    connections.pop_front();
  }
  connections.push_back(std::move(connection));
}

void BeastNetwork::Remove(const std::shared_ptr<Exchange>& exchange) {
  if (exchanges_.erase(exchange) > 0) in_flight_.fetch_sub(1);
}

}  // namespace

Result<std::unique_ptr<NetworkStream>> Network::Connect(const StreamTarget& target,
                                                        std::shared_ptr<const CancelSignal>) {
  return Status(kNetworkError, target.host + ": this network has no streams");
}

std::unique_ptr<Network> MakeNetwork() { return std::make_unique<BeastNetwork>(); }

}  // namespace tidemill
