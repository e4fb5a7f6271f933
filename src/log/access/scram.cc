#include "log/access/scram.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "base/base64.h"
#include "log/errors.h"

namespace tidemill {
namespace {

constexpr size_t kMessageBytesMax = 4096;
constexpr size_t kNonceBytes = 24;
constexpr size_t kSaltBytes = 16;
constexpr int kPretendedIterations = 4096;

const EVP_MD* DigestOf(ScramHash hash) { return hash == ScramHash::kSha256 ? EVP_sha256() : EVP_sha512(); }

std::string Hmac(ScramHash hash, std::string_view key, std::string_view text) {
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  HMAC(DigestOf(hash), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()),
       text.size(), out, &size);
  return {reinterpret_cast<char*>(out), size};
}

std::string Digest(ScramHash hash, std::string_view text) {
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), out, &size, DigestOf(hash), nullptr);
  return {reinterpret_cast<char*>(out), size};
}

bool IsSame(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

Status Failed(std::string_view why) { return Status(kAuthenticationFailed, std::string(why)); }

// Takes "<name>=<value>" off the front, up to the next comma.
std::optional<std::string_view> TakeAttribute(char name, std::string_view* text) {
  if (text->size() < 2 || (*text)[0] != name || (*text)[1] != '=') return std::nullopt;
  const std::string_view value =
      text->substr(2, text->find(',') == std::string_view::npos ? std::string_view::npos : text->find(',') - 2);
  text->remove_prefix(std::min(text->size(), 2 + value.size() + 1));
  return value;
}

// "=2C" is a comma and "=3D" an equals sign; another "=" is an error.
std::optional<std::string> DecodeName(std::string_view text) {
  std::string name;
  while (!text.empty()) {
    if (text[0] != '=') {
      name += text[0];
      text.remove_prefix(1);
    } else if (text.starts_with("=2C") || text.starts_with("=3D")) {
      name += text[1] == '2' ? ',' : '=';
      text.remove_prefix(3);
    } else {
      return std::nullopt;
    }
  }
  return name;
}

}  // namespace

ScramCredential MakeScramCredential(ScramHash hash, std::string_view password, std::string salt, int iterations) {
  std::string salted(static_cast<size_t>(EVP_MD_size(DigestOf(hash))), '\0');
  PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()),
                    reinterpret_cast<const unsigned char*>(salt.data()), static_cast<int>(salt.size()), iterations,
                    DigestOf(hash), static_cast<int>(salted.size()), reinterpret_cast<unsigned char*>(salted.data()));
  ScramCredential credential{hash, std::move(salt), iterations, {}, {}};
  credential.stored_key = Digest(hash, Hmac(hash, salted, "Client Key"));
  credential.server_key = Hmac(hash, salted, "Server Key");
  OPENSSL_cleanse(salted.data(), salted.size());
  return credential;
}

bool IsPassword(const ScramCredential& credential, std::string_view password) {
  const ScramCredential given = MakeScramCredential(credential.hash, password, credential.salt, credential.iterations);
  return IsSame(given.stored_key, credential.stored_key);
}

RandomBytes SystemRandomBytes() {
  return [](size_t count) {
    std::string bytes(count, '\0');
    TM_CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(count)) == 1);
    return bytes;
  };
}

ScramExchange::ScramExchange(ScramHash hash, Find find, std::string pretence, const RandomBytes& random)
    : hash_(hash), find_(std::move(find)), pretence_(std::move(pretence)), nonce_(EncodeBase64(random(kNonceBytes))) {}

Result<std::string> ScramExchange::Step(std::string_view message) {
  const State state = std::exchange(state_, State::kFailed);
  if (message.size() > kMessageBytesMax) return Failed("the SCRAM message is too long");
  if (state == State::kFirst) return First(message);
  if (state == State::kLast) return Last(message);
  return Failed("the SCRAM exchange is over");
}

// "n,,n=user,r=nonce": no channel binding, since Kafka has none.
Result<std::string> ScramExchange::First(std::string_view message) {
  const size_t first = message.find(',');
  const size_t second = first == std::string_view::npos ? first : message.find(',', first + 1);
  if (second == std::string_view::npos || (message[0] != 'n' && message[0] != 'y') || first != 1)
    return Failed("malformed first SCRAM message");
  gs2_header_ = message.substr(0, second + 1);
  std::string_view authorization = message.substr(first + 1, second - first - 1);
  std::string_view rest = message.substr(second + 1);
  messages_ = rest;
  const auto name = TakeAttribute('n', &rest);
  const auto client_nonce = TakeAttribute('r', &rest);
  const auto user = DecodeName(name.value_or(std::string_view()));
  if (!name || name->empty() || !user || !client_nonce || client_nonce->empty())
    return Failed("malformed first SCRAM message");
  if (!authorization.empty() && TakeAttribute('a', &authorization) != *name)
    return Failed("a user can't act for another one");
  if (rest.find("tokenauth=") != std::string_view::npos) return Failed("there are no delegation tokens here");
  user_ = *user;
  if (auto found = find_(user_)) {
    credential_ = *std::move(found);
    is_known_ = true;
  } else {
    credential_.salt = Hmac(hash_, pretence_, user_).substr(0, kSaltBytes);
    credential_.iterations = kPretendedIterations;
  }
  whole_nonce_ = std::string(*client_nonce) + nonce_;
  std::string answer =
      fmt::format("r={},s={},i={}", whole_nonce_, EncodeBase64(credential_.salt), credential_.iterations);
  messages_ += "," + answer;
  state_ = State::kLast;
  return answer;
}

// "c=<header>,r=nonce,p=<proof>"
Result<std::string> ScramExchange::Last(std::string_view message) {
  const size_t proof_at = message.rfind(",p=");
  if (proof_at == std::string_view::npos) return Failed("malformed last SCRAM message");
  const std::string_view without_proof = message.substr(0, proof_at);
  std::string_view rest = without_proof;
  const auto binding = TakeAttribute('c', &rest);
  const auto nonce = TakeAttribute('r', &rest);
  const auto proof = DecodeBase64(message.substr(proof_at + 3));
  if (!binding || DecodeBase64(*binding) != gs2_header_ || nonce != whole_nonce_ || !proof)
    return Failed("malformed last SCRAM message");
  const std::string all = messages_ + "," + std::string(without_proof);
  const std::string signature = Hmac(hash_, credential_.stored_key, all);
  if (!is_known_ || proof->size() != signature.size()) return Failed("wrong user name or password");
  std::string client_key = *proof;
  for (size_t i = 0; i < client_key.size(); ++i) client_key[i] = static_cast<char>(client_key[i] ^ signature[i]);
  if (!IsSame(Digest(hash_, client_key), credential_.stored_key)) return Failed("wrong user name or password");
  state_ = State::kDone;
  return "v=" + EncodeBase64(Hmac(hash_, credential_.server_key, all));
}

}  // namespace tidemill
