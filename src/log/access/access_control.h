#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

namespace tidemill {

// The numbers are Kafka's (AclOperation, ResourceType).
enum class AclOperation : int8_t {
  kAll = 2,
  kRead = 3,
  kWrite = 4,
  kCreate = 5,
  kDelete = 6,
  kAlter = 7,
  kDescribe = 8,
  kDescribeConfigs = 10,
  kAlterConfigs = 11,
  kIdempotentWrite = 12,
};
enum class AclResource : int8_t { kTopic = 2, kGroup = 3, kCluster = 4, kTransactionalId = 5 };

inline constexpr std::string_view kClusterName = "kafka-cluster";  // of the one resource of kCluster

struct Acl {
  bool allow = true;
  std::string principal;   // "User:alice"; "User:*" is everybody
  std::string host = "*";  // the address a client comes from
  AclOperation operation = AclOperation::kAll;
  AclResource resource = AclResource::kTopic;
  bool is_prefix = false;
  std::string name = "*";  // "*" is every one; with is_prefix, how names begin
};

struct AccessRules {
  std::vector<Acl> acls;
  std::vector<std::string> super_users;  // principals that may do everything
};

// Who asks.
struct Accessor {
  std::string principal;
  std::string host;
};

// Kafka's authorizer (AclAuthorizer, KIP-11, KIP-290): what no rule allows is denied, and a rule that denies wins. To
// be allowed to read, write, delete or alter is to be allowed to describe; to alter configs, to describe them.
// Immutable; thread-safe.
class AccessControl {
 public:
  explicit AccessControl(AccessRules rules);

  bool Allows(const Accessor& who, AclOperation operation, AclResource resource, std::string_view name) const;
  // Whether there is some resource of this kind that it is allowed for.
  bool AllowsSome(const Accessor& who, AclOperation operation, AclResource resource) const;

 private:
  using Kind = std::pair<AclResource, std::string>;
  template <typename Visit>
  void VisitRules(AclResource resource, std::string_view name, Visit visit) const;

  std::map<Kind, std::vector<Acl>, std::less<>> literal_;
  std::map<AclResource, std::vector<Acl>> prefixes_;
  std::unordered_set<std::string> super_users_;
};

}  // namespace tidemill
