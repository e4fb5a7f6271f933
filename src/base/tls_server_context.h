#pragma once

#include <memory>
#include <string>

#include "base/file_system.h"
#include "base/status.h"

struct ssl_ctx_st;

namespace tidemill {

enum class ClientCertificate { kNone, kRequested, kRequired };

// PEM files. The key must not have a passphrase.
struct TlsServerOptions {
  std::string certificate_file;  // the server's, then those that lead to its root
  std::string key_file;
  std::string client_ca_file;  // who signs the certificates of clients; needed unless kNone
  ClientCertificate client_certificate = ClientCertificate::kNone;
};

// What a TLS server shows and asks for: TLS 1.2 and 1.3, forward secrecy, no renegotiation, no compression. Immutable;
// connections may outlive it.
class TlsServerContext {
 public:
  // Reads the files once. kFileNotFound, kInvalidConfig: names the file and what is wrong with it.
  static Result<std::shared_ptr<const TlsServerContext>> Load(const TlsServerOptions& options, FileSystem& files);
  ~TlsServerContext();
  TlsServerContext(const TlsServerContext&) = delete;

  ssl_ctx_st* handle() const { return context_; }  // OpenSSL's

 private:
  explicit TlsServerContext(ssl_ctx_st* context) : context_(context) {}
  ssl_ctx_st* const context_;
};

}  // namespace tidemill
