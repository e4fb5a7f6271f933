#include "server/http_server.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <nlohmann/json.hpp>

#include "base/listen_socket.h"
#include "base/logging.h"
#include "log/errors.h"
#include "server/errors.h"

namespace tidemill {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;
using boost::system::error_code;

constexpr uint32_t kHeaderBytesMax = 16 * 1024;

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string PercentDecode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && HexDigit(text[i + 1]) >= 0 && HexDigit(text[i + 2]) >= 0) {
      out += static_cast<char>(HexDigit(text[i + 1]) * 16 + HexDigit(text[i + 2]));
      i += 2;
    } else if (plus_is_space && text[i] == '+') {
      out += ' ';
    } else {
      out += text[i];
    }
  }
  return out;
}

std::vector<std::string_view> SplitPath(std::string_view path) {
  std::vector<std::string_view> parts;
  size_t start = 0;
  while (start <= path.size()) {
    const size_t end = std::min(path.find('/', start), path.size());
    if (end > start) parts.push_back(path.substr(start, end - start));
    start = end + 1;
  }
  return parts;
}

std::map<std::string, std::string> ParseQuery(std::string_view query) {
  std::map<std::string, std::string> values;
  while (!query.empty()) {
    const size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    const size_t equals = std::min(pair.find('='), pair.size());
    if (!pair.empty()) {
      values[PercentDecode(pair.substr(0, equals), true)] =
          equals < pair.size() ? PercentDecode(pair.substr(equals + 1), true) : std::string();
    }
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  return values;
}

struct RouteEntry {
  std::string method;
  std::vector<std::string> parts;
  HttpServer::AsyncHandler handler;
  std::string pattern;

  bool Matches(const std::vector<std::string_view>& path, std::map<std::string, std::string>* parameters) const {
    if (path.size() != parts.size()) return false;
    for (size_t i = 0; i < parts.size(); ++i) {
      const std::string& part = parts[i];
      if (part.size() > 2 && part.front() == '{') {
        (*parameters)[part.substr(1, part.size() - 2)] = PercentDecode(path[i], false);
      } else if (part != path[i]) {
        return false;
      }
    }
    return true;
  }
};

std::string JsonText(const nlohmann::json& body) {
  return body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

ServerResponse Problem(int status, std::string_view title, std::string_view detail) {
  nlohmann::json body = {{"type", "about:blank"}, {"title", title}, {"status", status}, {"detail", detail}};
  return {status, "application/problem+json", JsonText(body), {}};
}

}  // namespace

int HttpStatusOf(const Status& error) {
  if (error.Is(kDiskFull)) return 507;
  if (error.Is(kNotFound) || error.Is(kFileNotFound) || error.Is(kUnknownTopic) || error.Is(kUnknownPartition))
    return 404;
  if (error.Is(kTopicExists)) return 409;
  if (error.Is(kLimitExceeded) || error.Is(kRecordTooLarge)) return 413;
  if (error.code().retriable) return 503;
  return error.code().domain == ErrorDomain::kInternal ? 500 : 400;
}

ServerResponse JsonResponse(const nlohmann::json& body, int http_status) {
  return {http_status, "application/json", JsonText(body), {}};
}

ServerResponse ProblemResponse(int http_status, const Status& error) {
  nlohmann::json body = {{"type", "about:blank"},
                         {"title", error.code().title},
                         {"status", http_status},
                         {"detail", error.message()},
                         {"code", "TM" + std::to_string(error.code().number)}};
  if (error.position()) {
    body["position"] = {
        {"file", error.position()->file}, {"line", error.position()->line}, {"column", error.position()->column}};
  }
  if (!error.hint().empty()) body["hint"] = error.hint();
  if (!error.notes().empty()) body["notes"] = error.notes();
  return {http_status, "application/problem+json", JsonText(body), {}};
}

ServerResponse ErrorResponse(const Status& error) { return ProblemResponse(HttpStatusOf(error), error); }

struct HttpServer::Impl {
  class Session;

  void Handle(ServerRequest& request, HttpServer::Reply reply) const {
    const std::vector<std::string_view> path = SplitPath(request.path);
    std::set<std::string> allowed;
    for (const RouteEntry& route : routes) {
      std::map<std::string, std::string> parameters;
      if (!route.Matches(path, &parameters)) continue;
      allowed.insert(route.method);
      if (route.method != request.method && !(request.method == "HEAD" && route.method == "GET")) continue;
      request.path_parameters = std::move(parameters);
      return route.handler(request, std::move(reply));
    }
    if (allowed.empty()) return reply(Problem(404, "not found", "no route for " + request.path));
    std::string list;
    for (const std::string& method : allowed) list += (list.empty() ? "" : ", ") + method;
    ServerResponse response =
        Problem(405, "method not allowed", request.method + " is not served here; allowed: " + list);
    response.headers.emplace_back("Allow", list);
    reply(std::move(response));
  }

  void Accept();

  HttpServerOptions options;
  std::vector<RouteEntry> routes;
  asio::io_context io{1};
  std::optional<tcp::acceptor> acceptor;
  std::unique_ptr<asio::thread_pool> handlers;
  std::thread io_thread;
  std::set<std::shared_ptr<Session>> sessions;  // touched by the io thread only
  std::atomic<uint16_t> port{0};
  bool running = false;
  // Replies that handlers still owe.
  std::mutex owed_mutex;
  std::condition_variable none_owed;
  int owed = 0;
};

// One connection. Everything but the handler runs on the io thread.
class HttpServer::Impl::Session : public std::enable_shared_from_this<Session> {
 public:
  Session(Impl& server, tcp::socket socket) : server_(server), stream_(std::move(socket)) {}

  void Start() { Read(); }
  void Close() {
    error_code ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_both, ignored);
    stream_.socket().close(ignored);
  }
  void Refuse() {
    Reply(Problem(503, "too many connections",
                  "the server serves at most " + std::to_string(server_.options.connections_max) +
                      " connections at a time"),
          11, false, false);
  }

 private:
  void Read() {
    parser_.emplace();
    parser_->header_limit(kHeaderBytesMax);
    parser_->body_limit(static_cast<uint64_t>(server_.options.body_bytes_max));
    stream_.expires_after(std::chrono::milliseconds(server_.options.idle_timeout_ms));
    http::async_read_header(stream_, buffer_, *parser_,
                            [self = shared_from_this()](error_code error, size_t) { self->OnHeader(error); });
  }

  void OnHeader(error_code error) {
    if (error) return Fail(error);
    if (beast::iequals(parser_->get()[http::field::expect], "100-continue")) {
      auto go_on =
          std::make_shared<http::response<http::empty_body>>(http::status::continue_, parser_->get().version());
      http::async_write(stream_, *go_on, [self = shared_from_this(), go_on](error_code failed, size_t) {
        failed ? self->Fail(failed) : self->ReadBody();
      });
      return;
    }
    ReadBody();
  }

  void ReadBody() {
    http::async_read(stream_, buffer_, *parser_,
                     [self = shared_from_this()](error_code error, size_t) { self->OnRead(error); });
  }

  void OnRead(error_code error) {
    if (error) return Fail(error);
    http::request<http::string_body> message = parser_->release();
    auto request = std::make_shared<ServerRequest>();
    request->method = std::string(message.method_string());
    const std::string target(message.target());
    const size_t question = std::min(target.find('?'), target.size());
    request->path = target.substr(0, question);
    if (question < target.size()) request->query = ParseQuery(std::string_view(target).substr(question + 1));
    for (const auto& field : message) {
      std::string name(field.name_string());
      for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      request->headers[std::move(name)] = std::string(field.value());
    }
    request->body = std::move(message.body());
    const unsigned version = message.version();
    const bool keep_alive = message.keep_alive();
    stream_.expires_never();
    asio::post(*server_.handlers, [self = shared_from_this(), request, version, keep_alive] {
      const bool head = request->method == "HEAD";
      {
        std::lock_guard lock(self->server_.owed_mutex);
        ++self->server_.owed;
      }
      self->server_.Handle(*request, [self, version, keep_alive, head](ServerResponse response) {
        asio::post(self->stream_.get_executor(),
                   [self, response = std::move(response), version, keep_alive, head]() mutable {
                     self->Reply(std::move(response), version, keep_alive, head);
                   });
        // The lock is held while notifying: Stop may destroy the server as soon as it can take it.
        std::lock_guard lock(self->server_.owed_mutex);
        --self->server_.owed;
        self->server_.none_owed.notify_all();
      });
    });
  }

  void Reply(ServerResponse response, unsigned version, bool keep_alive, bool head) {
    auto message =
        std::make_shared<http::response<http::string_body>>(static_cast<http::status>(response.status), version);
    message->set(http::field::server, "tidemill");
    message->set(http::field::content_type, response.content_type);
    for (const auto& [name, value] : response.headers) message->set(name, value);
    message->keep_alive(keep_alive);
    message->body() = std::move(response.body);
    message->prepare_payload();
    if (head) message->body().clear();
    stream_.expires_after(std::chrono::milliseconds(server_.options.idle_timeout_ms));
    http::async_write(stream_, *message, [self = shared_from_this(), message](error_code error, size_t) {
      if (error || !message->keep_alive()) return self->Finish();
      self->Read();
    });
  }

  void Fail(error_code error) {
    if (error == http::error::body_limit) {
      return Reply(Problem(413, "body too large",
                           "at most " + std::to_string(server_.options.body_bytes_max) + " bytes are taken"),
                   11, false, false);
    }
    if (error == http::error::header_limit)
      return Reply(Problem(431, "headers too large", "at most 16 KiB are taken"), 11, false, false);
    const bool malformed = error.category() == make_error_code(http::error::bad_method).category() &&
                           error != http::error::end_of_stream && error != http::error::partial_message;
    if (malformed) return Reply(Problem(400, "malformed request", error.message()), 11, false, false);
    Finish();
  }

  void Finish() {
    Close();
    server_.sessions.erase(shared_from_this());
  }

  Impl& server_;
  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
};

void HttpServer::Impl::Accept() {
  acceptor->async_accept([this](error_code error, tcp::socket socket) {
    if (error == asio::error::operation_aborted || !acceptor->is_open()) return;
    if (error) {
      // Out of descriptors, say: try again soon instead of spinning.
      auto pause = std::make_shared<asio::steady_timer>(io, std::chrono::milliseconds(50));
      pause->async_wait([this, pause](error_code) { Accept(); });
      return;
    }
    socket.set_option(tcp::no_delay(true), error);
    const bool full = static_cast<int>(sessions.size()) >= options.connections_max;
    auto session = std::make_shared<Session>(*this, std::move(socket));
    sessions.insert(session);
    full ? session->Refuse() : session->Start();
    Accept();
  });
}

HttpServer::HttpServer() : impl_(std::make_unique<Impl>()) {}
HttpServer::~HttpServer() { Stop(); }

void HttpServer::Route(std::string method, std::string pattern, Handler handler) {
  RouteAsync(std::move(method), std::move(pattern),
             [handler = std::move(handler)](const ServerRequest& request, HttpServer::Reply reply) {
               reply(handler(request));
             });
}

void HttpServer::RouteAsync(std::string method, std::string pattern, AsyncHandler handler) {
  TM_CHECK(!impl_->running);
  RouteEntry entry{std::move(method), {}, std::move(handler), pattern};
  for (std::string_view part : SplitPath(pattern)) entry.parts.emplace_back(part);
  impl_->routes.push_back(std::move(entry));
}

std::vector<std::pair<std::string, std::string>> HttpServer::routes() const {
  std::vector<std::pair<std::string, std::string>> all;
  for (const RouteEntry& route : impl_->routes) all.emplace_back(route.method, route.pattern);
  return all;
}

Status HttpServer::Start(const HttpServerOptions& options) {
  impl_->options = options;
  TM_ASSIGN_OR_RETURN(const ListenSocket listening,
                      OpenListenSocket({options.address, options.port, options.insecure}, "HTTP"));
  impl_->acceptor.emplace(impl_->io, listening.is_ipv6 ? tcp::v6() : tcp::v4(), listening.fd);
  impl_->port = listening.port;
  impl_->handlers = std::make_unique<asio::thread_pool>(options.handler_threads);
  impl_->running = true;
  impl_->Accept();
  impl_->io_thread = std::thread([impl = impl_.get()] { impl->io.run(); });
  return Status::OK();
}

uint16_t HttpServer::port() const { return impl_->port; }

void HttpServer::Stop() {
  if (!impl_->running) return;
  impl_->running = false;
  asio::post(impl_->io, [impl = impl_.get()] {
    error_code ignored;
    impl->acceptor->close(ignored);
  });
  impl_->handlers->join();  // running handlers finish; their replies are posted to the io thread
  {
    std::unique_lock lock(impl_->owed_mutex);
    impl_->none_owed.wait(lock, [this] { return impl_->owed == 0; });
  }
  asio::post(impl_->io, [impl = impl_.get()] {
    for (const auto& session : impl->sessions) session->Close();
    impl->sessions.clear();
    impl->io.stop();
  });
  impl_->io_thread.join();
  impl_->handlers.reset();
}

}  // namespace tidemill
