#include "base/tls_server_context.h"

#include <vector>

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "base/errors.h"
#include "base/owned.h"

namespace tidemill {
namespace {

constexpr int64_t kPemBytesMax = 1 << 20;

using BioPtr = Owned<BIO, BIO_free_all>;
using CertificatePtr = Owned<X509, X509_free>;
using KeyPtr = Owned<EVP_PKEY, EVP_PKEY_free>;
using ContextPtr = Owned<SSL_CTX, SSL_CTX_free>;

// The first thing that OpenSSL has to say since the last call, in its words.
std::string OpenSslReason() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  const char* reason = ERR_reason_error_string(code);
  return reason == nullptr ? "unknown error" : reason;
}

// Keys with a passphrase are refused; without this OpenSSL would ask the terminal for it.
int NoPassphrase(char*, int, int, void*) { return -1; }

Result<BioPtr> OpenPem(FileSystem& files, const std::string& path, std::string* content) {
  TM_ASSIGN_OR_RETURN(*content, ReadFile(files, path, kPemBytesMax));
  return BioPtr(BIO_new_mem_buf(content->data(), static_cast<int>(content->size())));
}

Result<std::vector<CertificatePtr>> ReadCertificates(FileSystem& files, const std::string& path) {
  std::string content;
  TM_ASSIGN_OR_RETURN(BioPtr bio, OpenPem(files, path, &content));
  std::vector<CertificatePtr> certificates;
  while (X509* certificate = PEM_read_bio_X509(bio.get(), nullptr, &NoPassphrase, nullptr))
    certificates.emplace_back(certificate);
  ERR_clear_error();  // the end of the file is one
  if (certificates.empty())
    return Status(kInvalidConfig, fmt::format("'{}' has no certificate in PEM (-----BEGIN CERTIFICATE-----)", path));
  return certificates;
}

Status UseCertificate(SSL_CTX* context, const TlsServerOptions& options, FileSystem& files) {
  TM_ASSIGN_OR_RETURN(std::vector<CertificatePtr> chain, ReadCertificates(files, options.certificate_file));
  if (SSL_CTX_use_certificate(context, chain[0].get()) != 1)
    return Status(kInvalidConfig, fmt::format("certificate '{}': {}", options.certificate_file, OpenSslReason()));
  for (size_t i = 1; i < chain.size(); ++i) {
    if (SSL_CTX_add1_chain_cert(context, chain[i].get()) != 1)
      return Status(kInvalidConfig, fmt::format("certificate '{}': {}", options.certificate_file, OpenSslReason()));
  }
  std::string content;
  TM_ASSIGN_OR_RETURN(BioPtr bio, OpenPem(files, options.key_file, &content));
  const KeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, &NoPassphrase, nullptr));
  OPENSSL_cleanse(content.data(), content.size());
  if (key == nullptr) {
    (void)OpenSslReason();
    return Status(kInvalidConfig, fmt::format("'{}' has no private key in PEM without a passphrase", options.key_file));
  }
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1 || SSL_CTX_check_private_key(context) != 1) {
    return Status(kInvalidConfig, fmt::format("key '{}' does not fit certificate '{}': {}", options.key_file,
                                              options.certificate_file, OpenSslReason()));
  }
  return Status::OK();
}

Status TrustClients(SSL_CTX* context, const TlsServerOptions& options, FileSystem& files) {
  if (options.client_certificate == ClientCertificate::kNone) return Status::OK();
  if (options.client_ca_file.empty())
    return Status(kInvalidConfig, "certificates of clients are asked for, but there is no client CA file");
  TM_ASSIGN_OR_RETURN(const std::vector<CertificatePtr> trusted, ReadCertificates(files, options.client_ca_file));
  for (const CertificatePtr& certificate : trusted) {
    if (X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate.get()) != 1 ||
        SSL_CTX_add_client_CA(context, certificate.get()) != 1)
      return Status(kInvalidConfig, fmt::format("client CA '{}': {}", options.client_ca_file, OpenSslReason()));
  }
  const bool required = options.client_certificate == ClientCertificate::kRequired;
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | (required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), nullptr);
  return Status::OK();
}

}  // namespace

Result<std::shared_ptr<const TlsServerContext>> TlsServerContext::Load(const TlsServerOptions& options,
                                                                       FileSystem& files) {
  ContextPtr context(SSL_CTX_new(TLS_server_method()));
  if (context == nullptr) return Status(kInternalError, "no TLS context: " + OpenSslReason());
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  // Of TLS 1.2 only what has forward secrecy and authenticated encryption.
  if (SSL_CTX_set_cipher_list(context.get(), "ECDHE+AESGCM:ECDHE+CHACHA20") != 1)
    return Status(kInternalError, "no TLS ciphers: " + OpenSslReason());
  // A resumed session would not show the client's certificate again to a server with other rules.
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_TICKET);
  SSL_CTX_set_num_tickets(context.get(), 0);
  TM_RETURN_IF_ERROR(UseCertificate(context.get(), options, files));
  TM_RETURN_IF_ERROR(TrustClients(context.get(), options, files));
  return std::shared_ptr<const TlsServerContext>(new TlsServerContext(context.release()));
}

TlsServerContext::~TlsServerContext() { SSL_CTX_free(context_); }

}  // namespace tidemill
