#pragma once

#include <string>

struct evp_pkey_st;
struct x509_st;

namespace tidemill::testing {

// A key and a certificate for "localhost" that signs itself.
struct SelfSignedCertificate {
  SelfSignedCertificate();
  ~SelfSignedCertificate();
  SelfSignedCertificate(const SelfSignedCertificate&) = delete;

  std::string CertificatePem() const;
  std::string KeyPem() const;

  evp_pkey_st* const key;
  x509_st* const x509;
};

}  // namespace tidemill::testing
