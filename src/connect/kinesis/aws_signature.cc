#include "connect/kinesis/aws_signature.h"

#include <algorithm>
#include <array>
#include <ctime>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

namespace tidemill {
namespace {

using Sha256Digest = std::array<unsigned char, SHA256_DIGEST_LENGTH>;

std::string HexOf(const Sha256Digest& digest) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : digest) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

Sha256Digest Sha256Of(std::string_view text) {
  Sha256Digest digest;
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  return digest;
}

Sha256Digest HmacOf(std::string_view key, std::string_view text) {
  Sha256Digest digest;
  unsigned int size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()),
       text.size(), digest.data(), &size);
  return digest;
}

std::string_view ViewOf(const Sha256Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

// Without blanks at the ends, and runs of blanks as one.
std::string Squeezed(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c != ' ' && c != '\t') {
      out += c;
    } else if (!out.empty() && out.back() != ' ') {
      out += ' ';
    }
  }
  if (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

}  // namespace

std::string AwsDateTime(int64_t seconds) {
  const auto time = static_cast<std::time_t>(seconds);
  std::tm parts{};
  gmtime_r(&time, &parts);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y%m%dT%H%M%SZ", &parts)};
}

std::string SignAwsRequest(const AwsRequest& request, std::string_view region, std::string_view service,
                           std::string_view date_time, const AwsCredentials& credentials) {
  auto headers = request.headers;
  std::sort(headers.begin(), headers.end());
  std::string canonical = request.method + "\n" + request.path + "\n" + request.query + "\n";
  std::string names;
  for (const auto& [name, value] : headers) {
    canonical += name + ":" + Squeezed(value) + "\n";
    names += (names.empty() ? "" : ";") + name;
  }
  canonical += "\n" + names + "\n" + HexOf(Sha256Of(request.body));

  const std::string date(date_time.substr(0, 8));
  const std::string scope = date + "/" + std::string(region) + "/" + std::string(service) + "/aws4_request";
  const std::string to_sign =
      "AWS4-HMAC-SHA256\n" + std::string(date_time) + "\n" + scope + "\n" + HexOf(Sha256Of(canonical));
  const Sha256Digest of_date = HmacOf("AWS4" + credentials.secret_key, date);
  const Sha256Digest of_region = HmacOf(ViewOf(of_date), region);
  const Sha256Digest of_service = HmacOf(ViewOf(of_region), service);
  const Sha256Digest key = HmacOf(ViewOf(of_service), "aws4_request");
  return "AWS4-HMAC-SHA256 Credential=" + credentials.access_key_id + "/" + scope + ", SignedHeaders=" + names +
         ", Signature=" + HexOf(HmacOf(ViewOf(key), to_sign));
}

}  // namespace tidemill
