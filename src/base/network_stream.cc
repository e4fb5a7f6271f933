#include "base/network_stream.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/errors.h"
#include "base/owned.h"

namespace tidemill {
namespace {

using StreamContext = Owned<SSL_CTX, SSL_CTX_free>;
using StreamBio = Owned<BIO, BIO_free_all>;
using StreamCertificate = Owned<X509, X509_free>;
using StreamKey = Owned<EVP_PKEY, EVP_PKEY_free>;
using SteadyTime = std::chrono::steady_clock::time_point;

SteadyTime After(int64_t ms) { return std::chrono::steady_clock::now() + std::chrono::milliseconds(ms); }

std::string TlsReason() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  const char* reason = ERR_reason_error_string(code);
  return reason == nullptr ? "unknown error" : reason;
}

Status NoAnswer(const std::string& name, int64_t timeout_ms) {
  return Status(kTimeout, name + " did not answer within " + std::to_string(timeout_ms) + " ms");
}

Status TrustPem(SSL_CTX* context, const std::string& pem) {
  const StreamBio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  int count = 0;
  while (X509* read = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) {
    const StreamCertificate certificate(read);
    if (X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate.get()) == 1) ++count;
  }
  ERR_clear_error();  // the end is one
  return count > 0 ? Status::OK() : Status(kInvalidConfig, "the CA has no certificate in PEM");
}

// Keys with a passphrase are refused; without this OpenSSL would ask the terminal.
int NoStreamPassphrase(char*, int, int, void*) { return -1; }

Status ShowCertificate(SSL_CTX* context, const StreamTarget& target) {
  const StreamBio chain(
      BIO_new_mem_buf(target.certificate_pem.data(), static_cast<int>(target.certificate_pem.size())));
  const StreamCertificate first(PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr));
  if (first == nullptr || SSL_CTX_use_certificate(context, first.get()) != 1)
    return Status(kInvalidConfig, "the certificate is not one in PEM");
  while (X509* next = PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr)) {
    if (SSL_CTX_add0_chain_cert(context, next) != 1) X509_free(next);
  }
  ERR_clear_error();
  const StreamBio bio(BIO_new_mem_buf(target.key_pem.data(), static_cast<int>(target.key_pem.size())));
  const StreamKey key(PEM_read_bio_PrivateKey(bio.get(), nullptr, &NoStreamPassphrase, nullptr));
  if (key == nullptr || SSL_CTX_use_PrivateKey(context, key.get()) != 1 || SSL_CTX_check_private_key(context) != 1) {
    ERR_clear_error();
    return Status(kInvalidConfig, "the key is not one in PEM, has a passphrase, or is not the certificate's");
  }
  return Status::OK();
}

class SocketStream final : public NetworkStream {
 public:
  SocketStream(std::string name, std::shared_ptr<const CancelSignal> cancel)
      : name_(std::move(name)), cancel_(std::move(cancel)) {}
  ~SocketStream() override {
    if (tls_ != nullptr) SSL_free(tls_);
    if (socket_ >= 0) close(socket_);
  }

  Status Connect(const StreamTarget& target) {
    const SteadyTime end = After(target.timeout_ms);
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV;
    addrinfo* found = nullptr;
    const int failed = getaddrinfo(target.host.c_str(), std::to_string(target.port).c_str(), &hints, &found);
    if (failed != 0) return Status(kNetworkError, name_ + ": " + gai_strerror(failed));
    const Owned<addrinfo, freeaddrinfo> addresses(found);
    Status status(kNetworkError, name_ + ": the host has no address");
    for (const addrinfo* address = found; address != nullptr; address = address->ai_next) {
      status = ConnectTo(*address, target, end);
      if (status.ok() || cancel_->is_cancelled()) break;
    }
    TM_RETURN_IF_ERROR(status);
    const int on = 1;
    (void)setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    (void)setsockopt(socket_, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    return target.tls ? Handshake(target, end) : Status::OK();
  }

  Status Write(std::string_view bytes, int64_t timeout_ms) override {
    const SteadyTime end = After(timeout_ms);
    while (!bytes.empty()) {
      int64_t wrote = 0;
      short want = POLLOUT;
      if (tls_ != nullptr) {
        ERR_clear_error();
        wrote = SSL_write(tls_, bytes.data(), static_cast<int>(std::min<size_t>(bytes.size(), 1 << 20)));
        if (wrote <= 0) TM_RETURN_IF_ERROR(TlsWants(static_cast<int>(wrote), "sending", &want));
      } else {
        wrote = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (wrote < 0 && errno != EAGAIN && errno != EINTR) return Failed("sending", errno);
      }
      if (wrote > 0) {
        bytes.remove_prefix(static_cast<size_t>(wrote));
        continue;
      }
      TM_RETURN_IF_ERROR(Wait(want, end, timeout_ms));
    }
    return Status::OK();
  }

  Result<size_t> Read(char* into, size_t size, int64_t timeout_ms) override {
    const SteadyTime end = After(timeout_ms);
    while (true) {
      short want = POLLIN;
      if (tls_ != nullptr) {
        ERR_clear_error();
        const int got = SSL_read(tls_, into, static_cast<int>(std::min<size_t>(size, 1 << 20)));
        if (got > 0) return static_cast<size_t>(got);
        if (SSL_get_error(tls_, got) == SSL_ERROR_ZERO_RETURN) return size_t{0};
        TM_RETURN_IF_ERROR(TlsWants(got, "reading", &want));
      } else {
        const ssize_t got = recv(socket_, into, size, 0);
        if (got >= 0) return static_cast<size_t>(got);
        if (errno != EAGAIN && errno != EINTR) return Failed("reading", errno);
      }
      TM_RETURN_IF_ERROR(Wait(want, end, timeout_ms));
    }
  }

 private:
  Status Failed(std::string_view what, int error) const {
    return Status(kNetworkError, name_ + ": " + std::string(what) + ": " + std::strerror(error));
  }

  Status Wait(short events, SteadyTime end, int64_t timeout_ms) const {
    while (true) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now()).count();
      pollfd polled[2] = {{socket_, events, 0}, {cancel_->descriptor(), POLLIN, 0}};
      const int ready = poll(polled, 2, static_cast<int>(std::clamp<int64_t>(left, 0, 3'600'000)));
      if (polled[1].revents != 0) return Status(kNetworkError, name_ + ": cancelled");
      if (ready > 0) return Status::OK();
      if (ready < 0 && errno != EINTR) return Failed("waiting", errno);
      if (left <= 0) return NoAnswer(name_, timeout_ms);
    }
  }

  Status ConnectTo(const addrinfo& address, const StreamTarget& target, SteadyTime end) {
    if (socket_ >= 0) close(socket_);
    socket_ = socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (socket_ < 0) return Failed("socket", errno);
    if (connect(socket_, address.ai_addr, address.ai_addrlen) == 0) return Status::OK();
    if (errno != EINPROGRESS) return Failed("connecting", errno);
    TM_RETURN_IF_ERROR(Wait(POLLOUT, end, target.timeout_ms));
    int error = 0;
    socklen_t length = sizeof error;
    if (getsockopt(socket_, SOL_SOCKET, SO_ERROR, &error, &length) != 0) error = errno;
    return error == 0 ? Status::OK() : Failed("connecting", error);
  }

  Status Handshake(const StreamTarget& target, SteadyTime end) {
    const StreamContext context(SSL_CTX_new(TLS_client_method()));
    if (context == nullptr) return Status(kNetworkError, name_ + ": TLS: " + TlsReason());
    SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    if (target.ca_pem.empty()) {
      SSL_CTX_set_default_verify_paths(context.get());
    } else {
      TM_RETURN_IF_ERROR(TrustPem(context.get(), target.ca_pem));
    }
    if (!target.certificate_pem.empty()) TM_RETURN_IF_ERROR(ShowCertificate(context.get(), target));
    tls_ = SSL_new(context.get());
    if (tls_ == nullptr) return Status(kNetworkError, name_ + ": TLS: " + TlsReason());
    in6_addr numeric;
    X509_VERIFY_PARAM* names = SSL_get0_param(tls_);
    if (inet_pton(AF_INET, target.host.c_str(), &numeric) == 1 ||
        inet_pton(AF_INET6, target.host.c_str(), &numeric) == 1) {
      X509_VERIFY_PARAM_set1_ip_asc(names, target.host.c_str());
    } else {
      X509_VERIFY_PARAM_set1_host(names, target.host.data(), target.host.size());
      SSL_set_tlsext_host_name(tls_, target.host.c_str());
    }
    SSL_set_fd(tls_, socket_);
    while (true) {
      ERR_clear_error();
      const int done = SSL_connect(tls_);
      if (done == 1) return Status::OK();
      const long verified = SSL_get_verify_result(tls_);
      if (verified != X509_V_OK) {
        return Status(kNetworkError, name_ + ": TLS: " + X509_verify_cert_error_string(verified));
      }
      short want = 0;
      TM_RETURN_IF_ERROR(TlsWants(done, "TLS handshake", &want));
      TM_RETURN_IF_ERROR(Wait(want, end, target.timeout_ms));
    }
  }

  Status TlsWants(int result, const char* what, short* want) const {
    const int system = errno;
    switch (SSL_get_error(tls_, result)) {
      case SSL_ERROR_WANT_READ:
        *want = POLLIN;
        return Status::OK();
      case SSL_ERROR_WANT_WRITE:
        *want = POLLOUT;
        return Status::OK();
      case SSL_ERROR_SYSCALL:
        if (system != 0) return Failed(what, system);
        [[fallthrough]];
      default:
        return Status(kNetworkError, name_ + ": " + what + ": " + TlsReason());
    }
  }

  const std::string name_;
  const std::shared_ptr<const CancelSignal> cancel_;
  int socket_ = -1;
  SSL* tls_ = nullptr;
};

}  // namespace

CancelSignal::CancelSignal() : descriptor_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) { TM_CHECK(descriptor_ >= 0); }

CancelSignal::~CancelSignal() { close(descriptor_); }

void CancelSignal::Cancel() { (void)eventfd_write(descriptor_, 1); }

bool CancelSignal::is_cancelled() const { return !SleepMs(0); }

bool CancelSignal::SleepMs(int64_t ms) const {
  const SteadyTime end = After(ms);
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now()).count();
    pollfd polled{descriptor_, POLLIN, 0};
    const int ready = poll(&polled, 1, static_cast<int>(std::clamp<int64_t>(left, 0, 3'600'000)));
    if (ready > 0) return false;
    if (left <= 0) return true;
  }
}

Result<std::unique_ptr<NetworkStream>> OpenNetworkStream(const StreamTarget& target,
                                                         std::shared_ptr<const CancelSignal> cancel) {
  auto stream = std::make_unique<SocketStream>(target.host + ":" + std::to_string(target.port), std::move(cancel));
  TM_RETURN_IF_ERROR(stream->Connect(target));
  return std::unique_ptr<NetworkStream>(std::move(stream));
}

}  // namespace tidemill
