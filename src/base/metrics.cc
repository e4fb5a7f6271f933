#include "base/metrics.h"

#include <bit>
#include <charconv>
#include <cmath>

#include "base/status.h"

namespace tidemill {
namespace {

constexpr size_t kLabelSetsMax = 10'000;

void AppendEscaped(std::string_view text, bool quotes, std::string* out) {
  for (char c : text) {
    if (c == '\\') {
      *out += "\\\\";
    } else if (c == '\n') {
      *out += "\\n";
    } else if (c == '"' && quotes) {
      *out += "\\\"";
    } else {
      *out += c;
    }
  }
}

std::string FormatDouble(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  char text[64];
  const auto end = std::to_chars(text, text + sizeof(text), value);
  return std::string(text, end.ptr);
}

void AppendSample(std::string_view name, std::string_view suffix, const Labels& labels, std::string_view le,
                  std::string_view value, std::string* out) {
  *out += name;
  *out += suffix;
  if (!labels.empty() || !le.empty()) {
    char separator = '{';
    for (const auto& [key, text] : labels) {
      *out += separator;
      *out += key;
      *out += "=\"";
      AppendEscaped(text, true, out);
      *out += '"';
      separator = ',';
    }
    if (!le.empty()) {
      *out += separator;
      *out += "le=\"";
      *out += le;
      *out += '"';
    }
    *out += '}';
  }
  *out += ' ';
  *out += value;
  *out += '\n';
}

void AppendHead(std::string_view name, std::string_view help, std::string_view type, std::string* out) {
  *out += "# HELP ";
  *out += name;
  *out += ' ';
  AppendEscaped(help, false, out);
  *out += "\n# TYPE ";
  *out += name;
  *out += ' ';
  *out += type;
  *out += '\n';
}

struct Bound {
  int64_t us;
  std::string_view text;
};

// Close together from 1 to 100 ms, where latencies are promised.
constexpr Bound kBounds[] = {
    {10, "1e-05"},      {50, "5e-05"},      {100, "0.0001"},      {250, "0.00025"},        {500, "0.0005"},
    {1'000, "0.001"},   {1'500, "0.0015"},  {2'000, "0.002"},     {3'000, "0.003"},        {4'000, "0.004"},
    {5'000, "0.005"},   {6'000, "0.006"},   {8'000, "0.008"},     {10'000, "0.01"},        {12'000, "0.012"},
    {15'000, "0.015"},  {20'000, "0.02"},   {25'000, "0.025"},    {30'000, "0.03"},        {40'000, "0.04"},
    {50'000, "0.05"},   {75'000, "0.075"},  {100'000, "0.1"},     {150'000, "0.15"},       {250'000, "0.25"},
    {500'000, "0.5"},   {1'000'000, "1"},   {2'500'000, "2.5"},   {5'000'000, "5"},        {10'000'000, "10"},
    {30'000'000, "30"}, {60'000'000, "60"}, {300'000'000, "300"}, {3'600'000'000, "3600"},
};

void AppendHistogram(std::string_view name, const Labels& labels, const Histogram& histogram, std::string* out) {
  int64_t below = 0;
  for (const Bound& bound : kBounds) {
    below = histogram.CountAtMostMicros(bound.us);
    AppendSample(name, "_bucket", labels, bound.text, std::to_string(below), out);
  }
  // Updates go on while we render: +Inf must not be below a bucket that was read before it.
  const std::string all = std::to_string(std::max(below, histogram.count()));
  AppendSample(name, "_bucket", labels, "+Inf", all, out);
  AppendSample(name, "_sum", labels, "", FormatDouble(histogram.sum_seconds()), out);
  AppendSample(name, "_count", labels, "", all, out);
}

template <typename T>
T* FindOrMake(std::map<Labels, std::unique_ptr<T>>& sets, Labels labels) {
  auto it = sets.find(labels);
  if (it == sets.end()) {
    if (sets.size() >= kLabelSetsMax) labels = {{"overflow", "true"}};
    it = sets.try_emplace(std::move(labels)).first;
    if (it->second == nullptr) it->second = std::make_unique<T>();
  }
  return it->second.get();
}

}  // namespace

int Histogram::BucketOf(int64_t us) {
  if (us < 16) return us < 0 ? 0 : static_cast<int>(us);
  const int exponent = std::bit_width(static_cast<uint64_t>(us)) - 1;
  const int bucket = (exponent - 3) * 16 + static_cast<int>((us >> (exponent - 4)) & 15);
  return bucket < kBuckets ? bucket : kBuckets - 1;
}

int64_t Histogram::UpperBoundOf(int bucket) {
  if (bucket < 16) return bucket;
  const int exponent = bucket / 16 + 3;
  return (static_cast<int64_t>(16 + bucket % 16 + 1) << (exponent - 4)) - 1;
}

void Histogram::ObserveMicros(int64_t us, int64_t times) {
  if (us < 0) us = 0;
  buckets_[BucketOf(us)].fetch_add(times, std::memory_order_relaxed);
  sum_us_.fetch_add(us * times, std::memory_order_relaxed);
  count_.fetch_add(times, std::memory_order_relaxed);
}

int64_t Histogram::count() const { return count_.load(std::memory_order_relaxed); }

double Histogram::sum_seconds() const { return static_cast<double>(sum_us_.load(std::memory_order_relaxed)) * 1e-6; }

double Histogram::QuantileSeconds(double q) const {
  int64_t counts[kBuckets];
  int64_t total = 0;
  for (int i = 0; i < kBuckets; ++i) total += counts[i] = buckets_[i].load(std::memory_order_relaxed);
  if (total == 0) return 0;
  const int64_t rank = std::max<int64_t>(1, static_cast<int64_t>(std::ceil(q * static_cast<double>(total))));
  int64_t seen = 0;
  for (int i = 0; i < kBuckets; ++i) {
    seen += counts[i];
    if (seen >= rank) return static_cast<double>(UpperBoundOf(i)) * 1e-6;
  }
  return static_cast<double>(UpperBoundOf(kBuckets - 1)) * 1e-6;
}

int64_t Histogram::CountAtMostMicros(int64_t us) const {
  int64_t n = 0;
  for (int i = 0; i < kBuckets && UpperBoundOf(i) <= us; ++i) n += buckets_[i].load(std::memory_order_relaxed);
  return n;
}

Counter* MetricsRegistry::GetCounter(std::string_view name, std::string_view help, Labels labels) {
  std::lock_guard lock(mutex_);
  Family& family = families_[std::string(name)];
  TM_CHECK(family.gauges.empty() && family.histograms.empty());
  if (family.help.empty()) family.help = help;
  return FindOrMake(family.counters, std::move(labels));
}

Gauge* MetricsRegistry::GetGauge(std::string_view name, std::string_view help, Labels labels) {
  std::lock_guard lock(mutex_);
  Family& family = families_[std::string(name)];
  TM_CHECK(family.counters.empty() && family.histograms.empty());
  if (family.help.empty()) family.help = help;
  return FindOrMake(family.gauges, std::move(labels));
}

Histogram* MetricsRegistry::GetHistogram(std::string_view name, std::string_view help, Labels labels) {
  std::lock_guard lock(mutex_);
  Family& family = families_[std::string(name)];
  TM_CHECK(family.counters.empty() && family.gauges.empty());
  if (family.help.empty()) family.help = help;
  return FindOrMake(family.histograms, std::move(labels));
}

void MetricsRegistry::AddCollector(std::function<void()> collect) {
  std::lock_guard lock(mutex_);
  collectors_.push_back(std::move(collect));
}

std::string MetricsRegistry::RenderText() {
  std::vector<std::function<void()>> collectors;
  {
    std::lock_guard lock(mutex_);
    collectors = collectors_;
  }
  for (const auto& collect : collectors) collect();  // without the lock: a collector may call Get*
  std::lock_guard lock(mutex_);
  std::string out;
  for (const auto& [name, family] : families_) {
    if (!family.counters.empty()) {
      AppendHead(name, family.help, "counter", &out);
      for (const auto& [labels, counter] : family.counters) {
        AppendSample(name, "", labels, "", std::to_string(counter->value()), &out);
      }
    } else if (!family.gauges.empty()) {
      AppendHead(name, family.help, "gauge", &out);
      for (const auto& [labels, gauge] : family.gauges)
        AppendSample(name, "", labels, "", FormatDouble(gauge->value()), &out);
    } else {
      AppendHead(name, family.help, "histogram", &out);
      for (const auto& [labels, histogram] : family.histograms) AppendHistogram(name, labels, *histogram, &out);
    }
  }
  return out;
}

std::vector<std::pair<Labels, int64_t>> MetricsRegistry::CounterValues(std::string_view name) const {
  std::lock_guard lock(mutex_);
  std::vector<std::pair<Labels, int64_t>> values;
  const auto family = families_.find(name);
  if (family == families_.end()) return values;
  for (const auto& [labels, counter] : family->second.counters) values.emplace_back(labels, counter->value());
  return values;
}

int64_t MetricsRegistry::SumCounter(std::string_view name) const {
  std::lock_guard lock(mutex_);
  const auto it = families_.find(name);
  if (it == families_.end()) return 0;
  int64_t sum = 0;
  for (const auto& [labels, counter] : it->second.counters) sum += counter->value();
  return sum;
}

}  // namespace tidemill
