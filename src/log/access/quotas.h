#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/clock.h"

namespace tidemill {

enum class QuotaKind { kProduce, kFetch };

// Bytes a second for clients. `user` and `client_id`: a name, "*" for each that has no rule of its own, or empty where
// that half does not matter.
struct Quota {
  std::string user;
  std::string client_id;
  int64_t produce_bytes_per_second = 0;  // 0: no limit
  int64_t fetch_bytes_per_second = 0;
};

// Holds clients to their byte rates (KIP-13, KIP-124): a request is let through, and its client then waits for as long
// as it was too fast. The rule for user and client id goes before that for the user, and that before the client id's,
// as in Kafka; a rule for users is shared by all clients of each. Thread-safe.
class Quotas {
 public:
  Quotas(std::vector<Quota> rules, const Clock& clock);

  // Counts `bytes` and says for how many ms this client is to be kept waiting: 0 to a minute.
  int64_t Charge(QuotaKind kind, const std::string& user, const std::string& client_id, int64_t bytes);
  size_t size() const {  // allowances that are being kept count of
    std::lock_guard lock(mutex_);
    return buckets_.size();
  }

 private:
  using Key = std::tuple<QuotaKind, size_t, std::string, std::string>;  // of what shares one allowance
  struct Bucket {
    double bytes = 0;  // that may still be used; below 0 there is a debt
    int64_t filled_ns = 0;
  };
  const Quota* RuleFor(QuotaKind kind, const std::string& user, const std::string& client_id) const;
  void ForgetFull(int64_t now_ns);

  const std::vector<Quota> rules_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::map<Key, Bucket> buckets_;
};

}  // namespace tidemill
