#include "base/metrics.h"

#include <cmath>

#include <gtest/gtest.h>

namespace tidemill {
namespace {

TEST(Metrics, RendersPrometheusText) {
  MetricsRegistry registry;
  Counter* rows = registry.GetCounter("tidemill_records_in_total", "Rows in", {{"operator", "a\"b\\c\nd"}});
  rows->Add(3);
  EXPECT_EQ(rows, registry.GetCounter("tidemill_records_in_total", "Rows in", {{"operator", "a\"b\\c\nd"}}));
  registry.GetCounter("tidemill_records_in_total", "Rows in", {{"operator", "z"}})->Add(4);
  EXPECT_EQ(registry.SumCounter("tidemill_records_in_total"), 7);
  EXPECT_EQ(registry.SumCounter("absent"), 0);
  Gauge* gauge = registry.GetGauge("tidemill_busy_ratio", "Busy");
  registry.AddCollector([&] { gauge->Set(0.25); });
  registry.GetHistogram("tidemill_latency_seconds", "Latency")->ObserveMicros(1'500, 2);
  const std::string text = registry.RenderText();
  EXPECT_NE(text.find("# HELP tidemill_records_in_total Rows in\n# TYPE tidemill_records_in_total counter\n"
                      "tidemill_records_in_total{operator=\"a\\\"b\\\\c\\nd\"} 3\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("tidemill_busy_ratio 0.25\n"), std::string::npos) << text;
  EXPECT_NE(text.find("tidemill_latency_seconds_bucket{le=\"0.001\"} 0\n"), std::string::npos) << text;
  EXPECT_NE(text.find("tidemill_latency_seconds_bucket{le=\"0.003\"} 2\n"), std::string::npos) << text;
  EXPECT_NE(text.find("tidemill_latency_seconds_bucket{le=\"+Inf\"} 2\n"), std::string::npos) << text;
  EXPECT_NE(text.find("tidemill_latency_seconds_sum 0.003\n"), std::string::npos) << text;
}

TEST(Metrics, LabelSetsAreBounded) {
  MetricsRegistry registry;
  Counter* last = nullptr;
  for (int i = 0; i < 10'010; ++i) last = registry.GetCounter("c_total", "C", {{"topic", std::to_string(i)}});
  EXPECT_EQ(last, registry.GetCounter("c_total", "C", {{"topic", "another"}}));
  EXPECT_NE(last, registry.GetCounter("c_total", "C", {{"topic", "5"}}));
}

TEST(Histogram, QuantilesAreWithinSixPercent) {
  Histogram histogram;
  EXPECT_EQ(histogram.QuantileSeconds(0.5), 0);
  for (int us = 1; us <= 100'000; ++us) histogram.ObserveMicros(us);
  for (double q : {0.01, 0.5, 0.9, 0.99, 1.0}) {
    const double exact = std::ceil(q * 100'000) * 1e-6;
    EXPECT_NEAR(histogram.QuantileSeconds(q), exact, exact * 0.0626) << q;
  }
  EXPECT_NEAR(static_cast<double>(histogram.CountAtMostMicros(50'000)), 50'000, 50'000 * 0.0626);
  histogram.ObserveMicros(INT64_MAX / 2);
  histogram.ObserveMicros(-5);
  EXPECT_EQ(histogram.count(), 100'002);
  EXPECT_EQ(histogram.CountAtMostMicros(0), 1);
}

}  // namespace
}  // namespace tidemill
