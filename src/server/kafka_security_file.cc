#include "server/kafka_security_file.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <yaml-cpp/yaml.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/errors.h"
#include "connect/guard/secrets.h"

namespace tidemill {
namespace {

constexpr int64_t kSecurityFileBytesMax = 4 << 20;
constexpr size_t kUsersMax = 10'000;
constexpr size_t kAclsMax = 100'000;
constexpr size_t kNameBytesMax = 1024;
constexpr size_t kPasswordBytesMax = 1024;

const std::vector<std::pair<std::string, AclOperation>> kAclOperationNames = {
    {"all", AclOperation::kAll},
    {"read", AclOperation::kRead},
    {"write", AclOperation::kWrite},
    {"create", AclOperation::kCreate},
    {"delete", AclOperation::kDelete},
    {"alter", AclOperation::kAlter},
    {"describe", AclOperation::kDescribe},
    {"describe_configs", AclOperation::kDescribeConfigs},
    {"alter_configs", AclOperation::kAlterConfigs},
    {"idempotent_write", AclOperation::kIdempotentWrite},
};

struct AclTarget {
  std::string key;
  AclResource resource;
  bool is_prefix;
};
const std::vector<AclTarget> kAclTargets = {
    {"topic", AclResource::kTopic, false},
    {"topic_prefix", AclResource::kTopic, true},
    {"group", AclResource::kGroup, false},
    {"group_prefix", AclResource::kGroup, true},
    {"transactional_id", AclResource::kTransactionalId, false},
    {"transactional_id_prefix", AclResource::kTransactionalId, true},
    {"cluster", AclResource::kCluster, false},
};

// One file being read. Each function checks the shape of its part before it takes a value; yaml-cpp then throws only
// while the text is parsed.
class SecurityFileReader {
 public:
  SecurityFileReader(std::string path, FileSystem& files) : path_(std::move(path)), files_(files) {
    const size_t slash = path_.rfind('/');
    if (slash != std::string::npos) folder_ = path_.substr(0, slash);
  }

  Result<KafkaSecurityFile> Read() {
    TM_ASSIGN_OR_RETURN(const std::string text, ReadFile(files_, path_, kSecurityFileBytesMax));
    YAML::Node root;
    try {
      root = YAML::Load(text);
    } catch (const YAML::ParserException& error) {
      return Status(kInvalidConfig, error.msg).At({path_, error.mark.line + 1, error.mark.column + 1});
    }
    using Take = std::function<Status(const YAML::Node&)>;
    TM_RETURN_IF_ERROR(TakeMap(
        root, "a security file",
        {{"tls", Take([&](const YAML::Node& node) { return TakeTls(node); })},
         {"sasl", Take([&](const YAML::Node& node) { return TakeSasl(node); })},
         {"users", Take([&](const YAML::Node& node) { return TakeUsers(node); })},
         {"super_users", Take([&](const YAML::Node& node) { return TakeSuperUsers(node); })},
         {"acls", Take([&](const YAML::Node& node) { return TakeAcls(node); })},
         {"quotas", Take([&](const YAML::Node& node) { return TakeQuotas(node); })},
         {"connections_per_address_max", Take([&](const YAML::Node& node) { return TakeConnections(node); })}}));
    return Finish(root);
  }

 private:
  using Taker = std::function<Status(const YAML::Node&)>;
  using Takers = std::vector<std::pair<std::string, Taker>>;

  Status Wrong(const YAML::Node& node, std::string message) const {
    const YAML::Mark mark = node.Mark();
    return Status(kInvalidConfig, std::move(message)).At({path_, mark.line + 1, mark.column + 1});
  }
  std::string Path(const std::string& given) const {
    return given.starts_with('/') || folder_.empty() ? given : JoinPath(folder_, given);
  }

  Status TakeMap(const YAML::Node& node, std::string_view what, const Takers& takers) const {
    if (!node.IsMap()) return Wrong(node, fmt::format("{} is a map of keys and values", what));
    std::vector<std::string> known, seen;
    for (const auto& [key, take] : takers) known.push_back(key);
    for (const auto& item : node) {
      const std::string key = item.first.IsScalar() ? item.first.Scalar() : "";
      const auto found = std::ranges::find(takers, key, &Takers::value_type::first);
      if (found == takers.end()) {
        const std::string nearest = NearestName(key, known);
        return Wrong(item.first, fmt::format("{} has no key '{}'; it has: {}", what, key, fmt::join(known, ", ")))
            .WithHint(nearest.empty() ? "" : fmt::format("did you mean '{}'?", nearest));
      }
      if (std::ranges::find(seen, key) != seen.end()) return Wrong(item.first, fmt::format("'{}' comes twice", key));
      seen.push_back(key);
      TM_RETURN_IF_ERROR(found->second(item.second));
    }
    return Status::OK();
  }
  Status TakeList(const YAML::Node& node, std::string_view what, size_t count_max, const Taker& take) const {
    if (!node.IsSequence()) return Wrong(node, fmt::format("{} is a list", what));
    if (node.size() > count_max) return Wrong(node, fmt::format("{} has more than {} entries", what, count_max));
    for (const auto& item : node) TM_RETURN_IF_ERROR(take(item));
    return Status::OK();
  }
  Status TakeText(const YAML::Node& node, std::string_view what, std::string* text) const {
    if (!node.IsScalar() || node.Scalar().empty() || node.Scalar().size() > kNameBytesMax)
      return Wrong(node, fmt::format("{} is a text of 1 to {} bytes", what, kNameBytesMax));
    *text = node.Scalar();
    return Status::OK();
  }
  Taker Text(std::string_view what, std::string* text) const {
    return [=, this](const YAML::Node& node) { return TakeText(node, what, text); };
  }
  // A secret never gets into an error.
  Status TakePassword(const YAML::Node& node, std::string* password) const {
    if (!node.IsScalar()) return Wrong(node, "a password is a text");
    const Result<std::string> resolved = ResolveSecrets(node.Scalar(), files_);
    if (!resolved.ok()) return Wrong(node, resolved.status().message());
    if (resolved->empty() || resolved->size() > kPasswordBytesMax)
      return Wrong(node, fmt::format("a password has 1 to {} bytes", kPasswordBytesMax));
    *password = *resolved;
    return Status::OK();
  }

  Status TakeTls(const YAML::Node& node) {
    TlsServerOptions tls;
    std::string when;
    TM_RETURN_IF_ERROR(TakeMap(node, "tls",
                               {{"certificate", Text("a certificate's path", &tls.certificate_file)},
                                {"key", Text("a key's path", &tls.key_file)},
                                {"client_ca", Text("a certificate's path", &tls.client_ca_file)},
                                {"client_certificate", Text("client_certificate", &when)}}));
    if (tls.certificate_file.empty() || tls.key_file.empty()) return Wrong(node, "tls needs 'certificate' and 'key'");
    if (when.empty()) when = tls.client_ca_file.empty() ? "none" : "required";
    const std::vector<std::pair<std::string, ClientCertificate>> kWhen = {{"none", ClientCertificate::kNone},
                                                                          {"requested", ClientCertificate::kRequested},
                                                                          {"required", ClientCertificate::kRequired}};
    const auto found = std::ranges::find(kWhen, when, &decltype(kWhen)::value_type::first);
    if (found == kWhen.end())
      return Wrong(node["client_certificate"],
                   fmt::format("client_certificate is none, requested or required, not '{}'", when));
    tls.client_certificate = found->second;
    if (tls.client_certificate != ClientCertificate::kNone && tls.client_ca_file.empty())
      return Wrong(node["client_certificate"], "client_certificate needs 'client_ca'");
    for (std::string* path : {&tls.certificate_file, &tls.key_file, &tls.client_ca_file}) {
      if (!path->empty()) *path = Path(*path);
    }
    auto loaded = TlsServerContext::Load(tls, files_);
    if (!loaded.ok()) return loaded.status().At({path_, node.Mark().line + 1, node.Mark().column + 1});
    result_.tls = *std::move(loaded);
    needs_certificate_ = tls.client_certificate == ClientCertificate::kRequired;
    return Status::OK();
  }

  Status TakeSasl(const YAML::Node& node) {
    return TakeMap(node, "sasl", {{"mechanisms", [&](const YAML::Node& list) {
                                     mechanisms_.emplace();
                                     return TakeList(list, "mechanisms", 3, [&](const YAML::Node& item) {
                                       const auto found =
                                           FindSaslMechanism(item.IsScalar() ? item.Scalar() : std::string());
                                       if (!found)
                                         return Wrong(item, "a mechanism is SCRAM-SHA-512, SCRAM-SHA-256 or PLAIN");
                                       mechanisms_->push_back(*found);
                                       return Status::OK();
                                     });
                                   }}});
  }

  Status TakeUsers(const YAML::Node& node) {
    if (!node.IsMap() || node.size() > kUsersMax)
      return Wrong(node, fmt::format("users is a map of up to {} names, each with a password", kUsersMax));
    for (const auto& item : node) {
      SaslUsers::User user;
      TM_RETURN_IF_ERROR(TakeText(item.first, "a user's name", &user.name));
      TM_RETURN_IF_ERROR(TakeMap(item.second, "a user", {{"password", [&](const YAML::Node& password) {
                                                            return TakePassword(password, &user.password);
                                                          }}}));
      if (user.password.empty()) return Wrong(item.second, fmt::format("user '{}' has no password", user.name));
      if (std::ranges::find(users_, user.name, &SaslUsers::User::name) != users_.end())
        return Wrong(item.first, fmt::format("user '{}' comes twice", user.name));
      users_.push_back(std::move(user));
    }
    return Status::OK();
  }

  Status TakePrincipal(const YAML::Node& node, std::string* principal) const {
    TM_RETURN_IF_ERROR(TakeText(node, "a principal", principal));
    if (!principal->starts_with("User:") || principal->size() == 5)
      return Wrong(node, fmt::format("'{}' is no principal: those are 'User:<name>'", *principal));
    return Status::OK();
  }

  Status TakeSuperUsers(const YAML::Node& node) {
    return TakeList(node, "super_users", kUsersMax,
                    [&](const YAML::Node& item) { return TakePrincipal(item, &rules_.super_users.emplace_back()); });
  }

  Status TakeAcls(const YAML::Node& node) {
    return TakeList(node, "acls", kAclsMax, [&](const YAML::Node& item) { return TakeAcl(item); });
  }

  Status TakeAcl(const YAML::Node& node) {
    Acl acl;
    acl.name.clear();
    std::vector<AclOperation> operations;
    int targets = 0;
    Takers takers = {{"principal", [&](const YAML::Node& value) { return TakePrincipal(value, &acl.principal); }},
                     {"host", Text("a host", &acl.host)},
                     {"permission",
                      [&](const YAML::Node& value) {
                        acl.allow = value.IsScalar() && value.Scalar() == "allow";
                        return acl.allow || (value.IsScalar() && value.Scalar() == "deny")
                                   ? Status::OK()
                                   : Wrong(value, "permission is allow or deny");
                      }},
                     {"operations", [&](const YAML::Node& value) { return TakeOperations(value, &operations); }}};
    for (const AclTarget& target : kAclTargets) {
      takers.emplace_back(target.key, [&, target](const YAML::Node& value) {
        ++targets;
        acl.resource = target.resource;
        acl.is_prefix = target.is_prefix;
        return TakeText(value, fmt::format("'{}'", target.key), &acl.name);
      });
    }
    TM_RETURN_IF_ERROR(TakeMap(node, "an acl", takers));
    if (acl.principal.empty()) return Wrong(node, "an acl needs 'principal'");
    if (operations.empty()) return Wrong(node, "an acl needs 'operations'");
    if (targets != 1)
      return Wrong(node,
                   "an acl is about one of topic, topic_prefix, group, group_prefix, transactional_id, "
                   "transactional_id_prefix, cluster");
    if (acl.resource == AclResource::kCluster) acl.name = kClusterName;
    for (const AclOperation operation : operations) {
      acl.operation = operation;
      rules_.acls.push_back(acl);
    }
    return Status::OK();
  }

  Status TakeOperations(const YAML::Node& node, std::vector<AclOperation>* operations) const {
    return TakeList(node, "operations", kAclOperationNames.size(), [&](const YAML::Node& item) {
      const auto found = std::ranges::find(kAclOperationNames, item.IsScalar() ? item.Scalar() : std::string(),
                                           &decltype(kAclOperationNames)::value_type::first);
      if (found == kAclOperationNames.end()) {
        std::vector<std::string> names;
        for (const auto& [name, operation] : kAclOperationNames) names.push_back(name);
        return Wrong(item, fmt::format("an operation is one of {}", fmt::join(names, ", ")));
      }
      operations->push_back(found->second);
      return Status::OK();
    });
  }

  Status TakeQuotas(const YAML::Node& node) {
    return TakeList(node, "quotas", kUsersMax, [&](const YAML::Node& item) {
      Quota quota;
      const auto bytes = [&](int64_t* rate) {
        return Taker([this, rate](const YAML::Node& value) {
          const auto parsed = ParseBytes(value.IsScalar() ? value.Scalar() : std::string());
          if (!parsed.ok() || *parsed < 1) return Wrong(value, "a rate is a number of bytes a second, e.g. 10 MB");
          *rate = *parsed;
          return Status::OK();
        });
      };
      TM_RETURN_IF_ERROR(TakeMap(item, "a quota",
                                 {{"user", Text("a user's name", &quota.user)},
                                  {"client_id", Text("a client id", &quota.client_id)},
                                  {"produce_bytes_per_second", bytes(&quota.produce_bytes_per_second)},
                                  {"fetch_bytes_per_second", bytes(&quota.fetch_bytes_per_second)}}));
      if (quota.user.empty() && quota.client_id.empty())
        return Wrong(item, "a quota is for a 'user', a 'client_id' or both; \"*\" means each");
      if (quota.produce_bytes_per_second == 0 && quota.fetch_bytes_per_second == 0)
        return Wrong(item, "a quota needs 'produce_bytes_per_second' or 'fetch_bytes_per_second'");
      result_.security.quotas.push_back(std::move(quota));
      return Status::OK();
    });
  }

  Status TakeConnections(const YAML::Node& node) {
    if (!node.IsScalar() || !YAML::convert<int>::decode(node, result_.connections_per_address_max) ||
        result_.connections_per_address_max < 1)
      return Wrong(node, "connections_per_address_max is a number from 1 on");
    return Status::OK();
  }

  Result<KafkaSecurityFile> Finish(const YAML::Node& root) {
    if (mechanisms_ && users_.empty()) return Wrong(root["sasl"], "sasl needs 'users'");
    if (!users_.empty()) {
      if (!mechanisms_) {
        mechanisms_ = {SaslMechanism::kScramSha512, SaslMechanism::kScramSha256};
        // In the clear it would show the password to whoever listens.
        if (result_.tls != nullptr) mechanisms_->push_back(SaslMechanism::kPlain);
      }
      if (mechanisms_->empty()) return Wrong(root["sasl"], "sasl needs at least one mechanism");
      result_.security.users = std::make_shared<SaslUsers>(users_, *mechanisms_, SystemRandomBytes());
    }
    const bool proves_identity = !users_.empty() || needs_certificate_;
    if ((root["acls"] || root["super_users"]) && !proves_identity)
      return Wrong(root,
                   "acls are of no use while nobody has to prove who they are: add 'users', or 'client_ca' to tls");
    if (root["acls"]) result_.security.access = std::make_shared<AccessControl>(std::move(rules_));
    result_.is_safe_for_others = result_.tls != nullptr && proves_identity;
    return std::move(result_);
  }

  const std::string path_;
  std::string folder_;
  FileSystem& files_;
  KafkaSecurityFile result_;
  std::vector<SaslUsers::User> users_;
  std::optional<std::vector<SaslMechanism>> mechanisms_;
  AccessRules rules_;
  bool needs_certificate_ = false;
};

}  // namespace

Result<KafkaSecurityFile> LoadKafkaSecurityFile(const std::string& path, FileSystem& files) {
  return SecurityFileReader(path, files).Read();
}

}  // namespace tidemill
