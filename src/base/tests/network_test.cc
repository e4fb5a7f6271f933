#include "base/network.h"

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <mutex>
#include <thread>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/errors.h"
#include "base/simulated_network.h"
#include "base/tests/self_signed_certificate.h"

namespace tidemill {
namespace {

using testing::SelfSignedCertificate;

// A server for one test: gives each connection to `serve` on a thread of its own.
class Server {
 public:
  using Read = std::function<ssize_t(char*, size_t)>;
  using Write = std::function<void(const std::string&)>;
  explicit Server(std::function<void(int connection, Read, Write)> serve,
                  const SelfSignedCertificate* certificate = nullptr)
      : serve_(std::move(serve)) {
    if (certificate != nullptr) {
      // OpenSSL writes without MSG_NOSIGNAL; a client that refuses the certificate may be gone by then.
      std::signal(SIGPIPE, SIG_IGN);
      tls_ = SSL_CTX_new(TLS_server_method());
      SSL_CTX_use_certificate(tls_, certificate->x509);
      SSL_CTX_use_PrivateKey(tls_, certificate->key);
    }
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    socklen_t size = sizeof(address);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    ::listen(listener_, 16);
    acceptor_ = std::thread([this] { Accept(); });
  }
  ~Server() {
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    for (int fd : sockets_) ::shutdown(fd, SHUT_RDWR);
    for (auto& thread : threads_) thread.join();
    for (int fd : sockets_) ::close(fd);
    ::close(listener_);
    SSL_CTX_free(tls_);
  }
  std::string Url(const std::string& path = "/", const std::string& host = "127.0.0.1") const {
    return (tls_ ? "https://" : "http://") + host + ":" + std::to_string(port_) + path;
  }
  int connections() const { return connections_; }

 private:
  void Accept() {
    while (true) {
      const int fd = ::accept(listener_, nullptr, nullptr);
      if (fd < 0) return;
      sockets_.push_back(fd);
      const int number = ++connections_;
      threads_.emplace_back([this, fd, number] {
        if (tls_ == nullptr) {
          serve_(
              number, [fd](char* out, size_t n) { return ::recv(fd, out, n, 0); },
              // A client that has gone is no failure of the server's.
              [fd](const std::string& bytes) { (void)::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL); });
        } else {
          SSL* ssl = SSL_new(tls_);
          SSL_set_fd(ssl, fd);
          if (SSL_accept(ssl) == 1) {
            serve_(
                number,
                [ssl](char* out, size_t n) { return static_cast<ssize_t>(SSL_read(ssl, out, static_cast<int>(n))); },
                [ssl](const std::string& bytes) { SSL_write(ssl, bytes.data(), static_cast<int>(bytes.size())); });
          }
          SSL_free(ssl);
        }
        ::shutdown(fd, SHUT_RDWR);
      });
    }
  }

  std::function<void(int, Read, Write)> serve_;
  SSL_CTX* tls_ = nullptr;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<int> connections_{0};
  std::vector<int> sockets_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

// Reads one request with its body; empty when the client has gone.
std::string ReadRequest(const Server::Read& read) {
  std::string bytes;
  char buffer[4096];
  while (true) {
    const size_t head = bytes.find("\r\n\r\n");
    if (head != std::string::npos) {
      const size_t at = bytes.find("Content-Length: ");
      const size_t length = at < head ? static_cast<size_t>(std::atoi(bytes.c_str() + at + 16)) : 0;
      if (bytes.size() >= head + 4 + length) return bytes;
    }
    const ssize_t n = read(buffer, sizeof(buffer));
    if (n <= 0) return "";
    bytes.append(buffer, static_cast<size_t>(n));
  }
}

std::string Ok(const std::string& body) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\nX-Test: yes\r\n\r\n" + body;
}

void Echo(int, Server::Read read, Server::Write write) {
  for (std::string request = ReadRequest(read); !request.empty(); request = ReadRequest(read)) write(Ok(request));
}

HttpRequest Request(const std::string& url, std::string method = "POST", std::string body = "hello") {
  HttpRequest request;
  request.method = std::move(method);
  request.url = url;
  request.body = std::move(body);
  request.timeout_ms = 5'000;
  request.allow_addresses = {"127.0.0.0/8", "localhost"};
  return request;
}

Result<HttpResponse> Call(Network& network, HttpRequest request) {
  std::promise<Result<HttpResponse>> promise;
  network.Fetch(std::move(request), [&](Result<HttpResponse> result) { promise.set_value(std::move(result)); });
  return promise.get_future().get();
}

TEST(Network, SendsHeadersAndBodyAndReusesTheConnection) {
  Server server(Echo);
  auto network = MakeNetwork();
  HttpRequest request = Request(server.Url("/hook?a=1"));
  request.headers = {{"Idempotency-Key", "k1"}, {"Content-Type", "application/json"}};
  for (int i = 0; i < 5; ++i) {
    const auto response = Call(*network, request);
    ASSERT_TRUE(response.ok()) << response.status().ToString();
    EXPECT_EQ(response->status, 200);
    EXPECT_TRUE(response->body.starts_with("POST /hook?a=1 HTTP/1.1\r\nHost: 127.0.0.1:")) << response->body;
    EXPECT_NE(response->body.find("Idempotency-Key: k1\r\n"), std::string::npos);
    EXPECT_TRUE(response->body.ends_with("\r\n\r\nhello"));
    EXPECT_EQ(response->headers.back().first, "X-Test");
  }
  EXPECT_EQ(server.connections(), 1);
}

TEST(Network, RefusesPrivateAddressesEvenOnAnOpenConnection) {
  Server server(Echo);
  auto network = MakeNetwork();
  ASSERT_TRUE(Call(*network, Request(server.Url())).ok());
  HttpRequest strict = Request(server.Url());
  strict.allow_addresses.clear();
  EXPECT_TRUE(Call(*network, strict).status().Is(kAddressRefused));
  strict.url = server.Url("/", "localhost");
  EXPECT_TRUE(Call(*network, strict).status().Is(kAddressRefused));
  EXPECT_EQ(server.connections(), 1);
}

TEST(Network, LimitsTimeAndSize) {
  Server silent([](int, Server::Read read, Server::Write) {
    while (!ReadRequest(read).empty()) {
    }
  });
  Server echo(Echo);
  auto network = MakeNetwork();
  HttpRequest slow = Request(silent.Url());
  slow.timeout_ms = 50;
  EXPECT_TRUE(Call(*network, slow).status().Is(kTimeout));
  HttpRequest big = Request(echo.Url(), "POST", std::string(10'000, 'x'));
  big.response_bytes_max = 9'000;
  EXPECT_TRUE(Call(*network, big).status().Is(kLimitExceeded));
  big.response_bytes_max = 11'000;
  EXPECT_TRUE(Call(*network, big).ok());
}

TEST(Network, BadRequestsAndDeadServers) {
  auto network = MakeNetwork();
  EXPECT_TRUE(Call(*network, Request("gopher://x/")).status().Is(kInvalidConfig));
  HttpRequest injected = Request("http://127.0.0.1:1/");
  injected.headers = {{"X", "a\r\nEvil: 1"}};
  EXPECT_TRUE(Call(*network, injected).status().Is(kInvalidConfig));
  EXPECT_TRUE(Call(*network, Request("http://127.0.0.1:1/")).status().Is(kNetworkError));
  Server garbage([](int, Server::Read read, Server::Write write) {
    ReadRequest(read);
    write("SSH-2.0-hello\r\n\r\n");
  });
  EXPECT_TRUE(Call(*network, Request(garbage.Url())).status().Is(kNetworkError));
}

// The first connection answers once and takes the second request without an answer.
TEST(Network, RepeatsOnAStaleConnectionOnlyWhatIsSafeToRepeat) {
  for (const bool with_key : {true, false}) {
    Server server([](int number, Server::Read read, Server::Write write) {
      ReadRequest(read);
      write(Ok("first"));
      const bool is_asked = !ReadRequest(read).empty();  // or the client has gone
      if (is_asked && number > 1) write(Ok("second"));
    });
    auto network = MakeNetwork();
    HttpRequest request = Request(server.Url());
    if (with_key) request.headers = {{"Idempotency-Key", "k"}};
    ASSERT_TRUE(Call(*network, request).ok());
    const auto again = Call(*network, request);
    EXPECT_EQ(again.ok(), with_key);
    if (!with_key) {
      EXPECT_TRUE(again.status().Is(kNetworkError));
    }
    EXPECT_EQ(server.connections(), with_key ? 2 : 1);
  }
}

TEST(Network, DestructionCancels) {
  Server silent([](int, Server::Read read, Server::Write) { ReadRequest(read), ReadRequest(read); });
  auto network = MakeNetwork();
  std::atomic<int> cancelled{0};
  for (int i = 0; i < 10; ++i) {
    network->Fetch(Request(silent.Url()),
                   [&](const Result<HttpResponse>& result) { cancelled += result.status().Is(kNetworkError); });
  }
  network.reset();
  EXPECT_EQ(cancelled, 10);
}

TEST(Network, TlsChecksTheCertificate) {
  SelfSignedCertificate certificate;
  Server server(Echo, &certificate);
  {
    auto network = MakeNetwork();
    const auto untrusted = Call(*network, Request(server.Url("/", "localhost")));
    EXPECT_TRUE(untrusted.status().Is(kNetworkError));
    EXPECT_NE(untrusted.status().message().find("TLS handshake"), std::string::npos) << untrusted.status().ToString();
  }
  const std::string path = ::testing::TempDir() + "/tidemill-ca-" + std::to_string(::getpid()) + ".pem";
  std::FILE* file = std::fopen(path.c_str(), "w");
  PEM_write_X509(file, certificate.x509);
  std::fclose(file);
  ::setenv("SSL_CERT_FILE", path.c_str(), 1);
  {
    auto network = MakeNetwork();
    for (int i = 0; i < 3; ++i) {
      const auto response = Call(*network, Request(server.Url("/", "localhost")));
      EXPECT_TRUE(response.ok()) << response.status().ToString();
    }
    // Trusted, but made for another name.
    EXPECT_TRUE(Call(*network, Request(server.Url("/", "127.0.0.1"))).status().Is(kNetworkError));
  }
  ::unsetenv("SSL_CERT_FILE");
  std::remove(path.c_str());
}

TEST(SimulatedNetwork, AnswersInOrderAndLosesAsTold) {
  int seen = 0;
  SimulatedNetwork network([&](const HttpRequest& request) -> Result<HttpResponse> {
    ++seen;
    return HttpResponse{200, {}, request.body};
  });
  std::string log;
  const auto done = [&](Result<HttpResponse> result) { log += result.ok() ? result->body : "!"; };
  for (const char* body : {"a", "b", "c"}) network.Fetch(Request("http://x/", "POST", body), done);
  EXPECT_EQ(log, "");
  EXPECT_EQ(network.Deliver(1), 1);
  EXPECT_EQ(network.Deliver(), 2);
  EXPECT_EQ(log, "abc");
  network.SetLoss(1, 0);
  network.Fetch(Request("http://x/"), done);
  network.Deliver();
  EXPECT_EQ(seen, 3);
  network.SetLoss(0, 1);
  network.Fetch(Request("http://x/"), done);
  network.Deliver();
  EXPECT_EQ(seen, 4);
  EXPECT_EQ(log, "abc!!");
}

}  // namespace
}  // namespace tidemill
