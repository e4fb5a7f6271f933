#include "log/access/sasl.h"

#include <utility>

#include "log/errors.h"

namespace tidemill {
namespace {

constexpr size_t kScramSaltBytes = 16;
constexpr int kScramIterations = 4096;
constexpr size_t kPretenceBytes = 32;
constexpr size_t kPlainBytesMax = 4096;

constexpr std::pair<SaslMechanism, std::string_view> kMechanismNames[] = {
    {SaslMechanism::kPlain, "PLAIN"},
    {SaslMechanism::kScramSha256, "SCRAM-SHA-256"},
    {SaslMechanism::kScramSha512, "SCRAM-SHA-512"},
};

// RFC 4616: [who to act for] NUL user NUL password.
class PlainExchange final : public SaslExchange {
 public:
  explicit PlainExchange(std::shared_ptr<const SaslUsers> users) : users_(std::move(users)) {}

  Result<std::string> Step(std::string_view message) override {
    const size_t first = message.find('\0');
    const size_t second = first == std::string_view::npos ? first : message.find('\0', first + 1);
    // A third NUL is no part of a password (and a key with zeros behind it is the same key to HMAC).
    if (std::exchange(is_over_, true) || second == std::string_view::npos ||
        message.find('\0', second + 1) != std::string_view::npos || message.size() > kPlainBytesMax)
      return Status(kAuthenticationFailed, "malformed PLAIN message");
    const std::string_view act_for = message.substr(0, first);
    const std::string name(message.substr(first + 1, second - first - 1));
    if (!act_for.empty() && act_for != name) return Status(kAuthenticationFailed, "a user can't act for another one");
    user_ = name;
    if (!users_->IsPassword(name, message.substr(second + 1)))
      return Status(kAuthenticationFailed, "wrong user name or password");
    done_ = true;
    return std::string();
  }
  bool done() const override { return done_; }
  const std::string& user() const override { return user_; }

 private:
  const std::shared_ptr<const SaslUsers> users_;
  std::string user_;
  bool is_over_ = false;
  bool done_ = false;
};

class ScramSaslExchange final : public SaslExchange {
 public:
  ScramSaslExchange(ScramHash hash, const std::shared_ptr<const SaslUsers>& users)
      : scram_(
            hash, [users, hash](const std::string& name) { return users->Find(name, hash); }, users->pretence(),
            users->random()) {}
  Result<std::string> Step(std::string_view message) override { return scram_.Step(message); }
  bool done() const override { return scram_.done(); }
  const std::string& user() const override { return scram_.user(); }

 private:
  ScramExchange scram_;
};

}  // namespace

std::string_view NameOf(SaslMechanism mechanism) {
  for (const auto& [known, name] : kMechanismNames) {
    if (known == mechanism) return name;
  }
  return "";
}

std::optional<SaslMechanism> FindSaslMechanism(std::string_view name) {
  for (const auto& [mechanism, known] : kMechanismNames) {
    if (known == name) return mechanism;
  }
  return std::nullopt;
}

SaslUsers::SaslUsers(const std::vector<User>& users, std::vector<SaslMechanism> mechanisms, RandomBytes random)
    : mechanisms_(std::move(mechanisms)),
      random_(std::move(random)),
      pretence_(random_(kPretenceBytes)),
      nobody_(MakeScramCredential(ScramHash::kSha512, random_(kPretenceBytes), random_(kScramSaltBytes),
                                  kScramIterations)) {
  for (const User& user : users) {
    users_[user.name] = {
        MakeScramCredential(ScramHash::kSha256, user.password, random_(kScramSaltBytes), kScramIterations),
        MakeScramCredential(ScramHash::kSha512, user.password, random_(kScramSaltBytes), kScramIterations)};
  }
}

std::optional<ScramCredential> SaslUsers::Find(const std::string& user, ScramHash hash) const {
  const auto found = users_.find(user);
  if (found == users_.end()) return std::nullopt;
  return hash == ScramHash::kSha256 ? found->second.sha256 : found->second.sha512;
}

bool SaslUsers::IsPassword(const std::string& user, std::string_view password) const {
  const auto found = users_.find(user);
  return tidemill::IsPassword(found == users_.end() ? nobody_ : found->second.sha512, password);
}

std::unique_ptr<SaslExchange> MakeSaslExchange(SaslMechanism mechanism, std::shared_ptr<const SaslUsers> users) {
  if (mechanism == SaslMechanism::kPlain) return std::make_unique<PlainExchange>(std::move(users));
  return std::make_unique<ScramSaslExchange>(
      mechanism == SaslMechanism::kScramSha256 ? ScramHash::kSha256 : ScramHash::kSha512, users);
}

}  // namespace tidemill
