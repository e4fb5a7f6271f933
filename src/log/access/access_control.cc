#include "log/access/access_control.h"

#include <algorithm>

namespace tidemill {
namespace {

constexpr std::string_view kEverybody = "User:*";

bool IsFor(const Acl& acl, const Accessor& who) {
  return (acl.principal == kEverybody || acl.principal == who.principal) && (acl.host == "*" || acl.host == who.host);
}

bool Denies(const Acl& acl, AclOperation operation) {
  return !acl.allow && (acl.operation == AclOperation::kAll || acl.operation == operation);
}

bool Implies(AclOperation allowed, AclOperation operation) {
  if (allowed == AclOperation::kAll || allowed == operation) return true;
  if (operation == AclOperation::kDescribe) {
    return allowed == AclOperation::kRead || allowed == AclOperation::kWrite || allowed == AclOperation::kDelete ||
           allowed == AclOperation::kAlter;
  }
  return operation == AclOperation::kDescribeConfigs && allowed == AclOperation::kAlterConfigs;
}

}  // namespace

AccessControl::AccessControl(AccessRules rules) : super_users_(rules.super_users.begin(), rules.super_users.end()) {
  for (Acl& acl : rules.acls) {
    std::vector<Acl>& place = acl.is_prefix ? prefixes_[acl.resource] : literal_[{acl.resource, acl.name}];
    place.push_back(std::move(acl));
  }
}

template <typename Visit>
void AccessControl::VisitRules(AclResource resource, std::string_view name, Visit visit) const {
  for (const std::string_view key : {name, std::string_view("*")}) {
    const auto found = literal_.find(Kind(resource, key));
    if (found != literal_.end()) std::ranges::for_each(found->second, visit);
    if (name == "*") break;
  }
  const auto prefixed = prefixes_.find(resource);
  if (prefixed == prefixes_.end()) return;
  for (const Acl& acl : prefixed->second) {
    if (name.starts_with(acl.name)) visit(acl);
  }
}

bool AccessControl::Allows(const Accessor& who, AclOperation operation, AclResource resource,
                           std::string_view name) const {
  if (super_users_.contains(who.principal)) return true;
  bool allowed = false, denied = false;
  VisitRules(resource, name, [&](const Acl& acl) {
    if (!IsFor(acl, who)) return;
    denied = denied || Denies(acl, operation);
    allowed = allowed || (acl.allow && Implies(acl.operation, operation));
  });
  return allowed && !denied;
}

bool AccessControl::AllowsSome(const Accessor& who, AclOperation operation, AclResource resource) const {
  if (super_users_.contains(who.principal)) return true;
  // Whatever is allowed is named by a rule; what a name or the beginning of names is denied, so is that rule.
  for (auto it = literal_.lower_bound(Kind(resource, "")); it != literal_.end() && it->first.first == resource; ++it) {
    if (Allows(who, operation, resource, it->first.second)) return true;
  }
  const auto prefixed = prefixes_.find(resource);
  return prefixed != prefixes_.end() && std::ranges::any_of(prefixed->second, [&](const Acl& acl) {
           return Allows(who, operation, resource, acl.name);
         });
}

}  // namespace tidemill
