#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "log/access/scram.h"

namespace tidemill {

enum class SaslMechanism { kPlain, kScramSha256, kScramSha512 };

std::string_view NameOf(SaslMechanism mechanism);  // as on the wire: "SCRAM-SHA-512"
std::optional<SaslMechanism> FindSaslMechanism(std::string_view name);

// Who may log in, and how. Immutable; thread-safe.
class SaslUsers {
 public:
  struct User {
    std::string name;
    std::string password;
  };
  // Keeps what is needed to check the passwords, not them. A user costs some milliseconds.
  SaslUsers(const std::vector<User>& users, std::vector<SaslMechanism> mechanisms, RandomBytes random);

  const std::vector<SaslMechanism>& mechanisms() const { return mechanisms_; }
  std::optional<ScramCredential> Find(const std::string& user, ScramHash hash) const;
  // Takes milliseconds, whether or not there is such a user.
  bool IsPassword(const std::string& user, std::string_view password) const;
  const std::string& pretence() const { return pretence_; }
  const RandomBytes& random() const { return random_; }

 private:
  struct Credentials {
    ScramCredential sha256, sha512;
  };
  std::map<std::string, Credentials> users_;
  const std::vector<SaslMechanism> mechanisms_;
  const RandomBytes random_;
  const std::string pretence_;
  const ScramCredential nobody_;  // what an unknown user's password is compared with
};

// A client proving who it is: one message of its after the other, until done(). One thread at a time.
class SaslExchange {
 public:
  virtual ~SaslExchange() = default;
  // kAuthenticationFailed: what a client may be told. May take milliseconds.
  virtual Result<std::string> Step(std::string_view message) = 0;
  virtual bool done() const = 0;
  virtual const std::string& user() const = 0;  // as far as it is known; proven once done
};

std::unique_ptr<SaslExchange> MakeSaslExchange(SaslMechanism mechanism, std::shared_ptr<const SaslUsers> users);

}  // namespace tidemill
