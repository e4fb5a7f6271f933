#include "log/access/quotas.h"

#include <algorithm>
#include <cmath>

namespace tidemill {
namespace {

constexpr double kBurstSeconds = 1;  // what may be used at once after a rest
constexpr int64_t kPauseMsMax = 60'000;
constexpr size_t kBucketsMax = 10'000;  // clients choose their ids

int64_t RateOf(const Quota& quota, QuotaKind kind) {
  return kind == QuotaKind::kProduce ? quota.produce_bytes_per_second : quota.fetch_bytes_per_second;
}

// How closely a half of a rule fits: 2 by name, 1 by "*", 0 where it does not matter, -1 not at all.
int Fit(const std::string& rule, const std::string& name) {
  if (rule.empty()) return 0;
  if (rule == "*") return 1;
  return rule == name ? 2 : -1;
}

}  // namespace

Quotas::Quotas(std::vector<Quota> rules, const Clock& clock) : rules_(std::move(rules)), clock_(clock) {}

const Quota* Quotas::RuleFor(QuotaKind kind, const std::string& user, const std::string& client_id) const {
  const Quota* best = nullptr;
  int best_fit = -1;
  for (const Quota& rule : rules_) {
    const int of_user = Fit(rule.user, user), of_client = Fit(rule.client_id, client_id);
    if (of_user < 0 || of_client < 0 || RateOf(rule, kind) <= 0) continue;
    const int fit = of_user * 3 + of_client;
    if (fit > best_fit) {
      best = &rule;
      best_fit = fit;
    }
  }
  return best;
}

int64_t Quotas::Charge(QuotaKind kind, const std::string& user, const std::string& client_id, int64_t bytes) {
  if (rules_.empty()) return 0;
  const Quota* rule = RuleFor(kind, user, client_id);
  if (rule == nullptr) return 0;
  const auto rate = static_cast<double>(RateOf(*rule, kind));
  const int64_t now_ns = clock_.MonotonicNanos();
  std::lock_guard lock(mutex_);
  if (buckets_.size() >= kBucketsMax) ForgetFull(now_ns);
  const auto [found, is_new] =
      buckets_.try_emplace(Key(kind, static_cast<size_t>(rule - rules_.data()), rule->user.empty() ? "" : user,
                               rule->client_id.empty() ? "" : client_id));
  Bucket& bucket = found->second;
  const double burst = rate * kBurstSeconds;
  const double filled = static_cast<double>(now_ns - bucket.filled_ns) / 1e9 * rate;
  bucket.bytes = is_new ? burst : std::min(burst, bucket.bytes + filled);
  bucket.filled_ns = now_ns;
  bucket.bytes -= static_cast<double>(bytes);
  if (bucket.bytes >= 0) return 0;
  return std::min<int64_t>(kPauseMsMax, static_cast<int64_t>(std::ceil(-bucket.bytes / rate * 1000)));
}

// Those that would be as new; when none is, all: better a burst too many than memory without a bound.
void Quotas::ForgetFull(int64_t now_ns) {
  std::erase_if(buckets_, [&](const auto& item) {
    const auto& [key, bucket] = item;
    const auto rate = static_cast<double>(RateOf(rules_[std::get<1>(key)], std::get<0>(key)));
    return bucket.bytes + static_cast<double>(now_ns - bucket.filled_ns) / 1e9 * rate >= rate * kBurstSeconds;
  });
  if (buckets_.size() >= kBucketsMax) buckets_.clear();
}

}  // namespace tidemill
