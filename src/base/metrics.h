#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tidemill {

using Labels = std::vector<std::pair<std::string, std::string>>;

// Updates are lock-free and may come from any thread.
class Counter {
 public:
  void Add(int64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> value_{0};
};

class Gauge {
 public:
  void Set(double v) { value_.store(v, std::memory_order_relaxed); }
  double value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
};

// Log-linear buckets (16 per power of two) over 1 us .. 1 h when used for seconds; quantiles are exact to 6 %.
class Histogram {
 public:
  void ObserveSeconds(double seconds) { ObserveMicros(static_cast<int64_t>(seconds * 1e6)); }
  void ObserveMicros(int64_t us, int64_t times = 1);
  int64_t count() const;
  double sum_seconds() const;
  // q in [0, 1]; 0 when empty.
  double QuantileSeconds(double q) const;
  int64_t CountAtMostMicros(int64_t us) const;

 private:
  static constexpr int kBuckets = 16 * 34;
  static int BucketOf(int64_t us);
  static int64_t UpperBoundOf(int bucket);
  std::atomic<int64_t> buckets_[kBuckets]{};
  std::atomic<int64_t> count_{0};
  std::atomic<int64_t> sum_us_{0};
};

// The process's metrics, named as interfaces.md section A6 says. Get* finds or makes; the pointer lives as long as the
// registry. Thread-safe; call it when opening, not per batch. A family has at most 10,000 label sets: above that one
// shared "overflow" set is returned.
class MetricsRegistry {
 public:
  Counter* GetCounter(std::string_view name, std::string_view help, Labels labels = {});
  Gauge* GetGauge(std::string_view name, std::string_view help, Labels labels = {});
  Histogram* GetHistogram(std::string_view name, std::string_view help, Labels labels = {});
  // Called on every scrape, before rendering.
  void AddCollector(std::function<void()> collect);
  // Prometheus text format 0.0.4.
  std::string RenderText();
  // Sum of a counter family over its label sets; 0 when absent. For status pages and tests.
  int64_t SumCounter(std::string_view name) const;
  // Every label set of a counter family with its value.
  std::vector<std::pair<Labels, int64_t>> CounterValues(std::string_view name) const;

 private:
  struct Family {
    std::string help;
    std::map<Labels, std::unique_ptr<Counter>> counters;
    std::map<Labels, std::unique_ptr<Gauge>> gauges;
    std::map<Labels, std::unique_ptr<Histogram>> histograms;
  };
  mutable std::mutex mutex_;
  std::map<std::string, Family, std::less<>> families_;
  std::vector<std::function<void()>> collectors_;
};

}  // namespace tidemill
