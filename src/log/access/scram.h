#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"

namespace tidemill {

enum class ScramHash { kSha256, kSha512 };

// What a server keeps of a password (RFC 5802, RFC 7677): enough to check it, not enough to log in with it.
struct ScramCredential {
  ScramHash hash = ScramHash::kSha512;
  std::string salt;
  int iterations = 0;
  std::string stored_key;
  std::string server_key;
};

// Takes some milliseconds, on purpose: PBKDF2 with `iterations`.
ScramCredential MakeScramCredential(ScramHash hash, std::string_view password, std::string salt, int iterations);
// The same time for a wrong password as for the right one.
bool IsPassword(const ScramCredential& credential, std::string_view password);

// Cryptographic randomness: so many bytes.
using RandomBytes = std::function<std::string(size_t count)>;
RandomBytes SystemRandomBytes();

// The server's half of one SCRAM exchange. A name that is not known is asked for its password like any other, so that
// an answer does not tell who has an account. One thread.
class ScramExchange {
 public:
  // `find`: the credential of a user; nullopt when there is none. `pretence`: a secret of this server, which makes up
  // the salt of those; the same one each time, or a second try would show the difference.
  using Find = std::function<std::optional<ScramCredential>(const std::string& user)>;
  ScramExchange(ScramHash hash, Find find, std::string pretence, const RandomBytes& random);

  // The client's first message, then its last one; gives ours. kAuthenticationFailed.
  Result<std::string> Step(std::string_view message);
  bool done() const { return state_ == State::kDone; }
  const std::string& user() const { return user_; }

 private:
  enum class State { kFirst, kLast, kDone, kFailed };
  Result<std::string> First(std::string_view message);
  Result<std::string> Last(std::string_view message);

  const ScramHash hash_;
  const Find find_;
  const std::string pretence_;
  const std::string nonce_;
  State state_ = State::kFirst;
  std::string user_;
  bool is_known_ = false;
  ScramCredential credential_;
  std::string gs2_header_;
  std::string whole_nonce_;
  std::string messages_;  // the client's first without its header, and ours
};

}  // namespace tidemill
