// Decoding newline-delimited JSON into Arrow columns: five columns of a fourteen-field, ~290-byte card event.
//
// One iteration decodes all rows once, 8,192 at a time as the engine does. Peers in the same run, on the same bytes:
// simdjson on demand (what a program written by hand would do), simdjson's DOM, and Arrow's own JSON reader with the
// same five columns. Prints the median of the rounds.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include <arrow/api.h>
#include <arrow/io/memory.h>
#include <arrow/json/api.h>
#include <simdjson.h>

#include "base/random.h"
#include "data/format.h"

namespace {

using tidemill::DataType;
using tidemill::TypeKind;

constexpr int kRows = 200'000;
constexpr int kRounds = 7;

// One event a line; `ends` are the positions behind the line ends.
std::string MakeEvents(std::vector<size_t>& ends) {
  tidemill::Random random(42);
  std::string text;
  for (int i = 0; i < kRows; ++i) {
    char line[600];
    const int length = std::snprintf(
        line, sizeof(line),
        "{\"transaction_id\":\"%016llx\",\"event_time\":\"2024-05-%02d "
        "%02d:%02d:%02d.%03d\",\"customer_id\":%llu,\"terminal_id\":%llu,"
        "\"amount\":%.2f,\"currency\":\"EUR\",\"country\":\"DE\",\"channel\":\"%s\",\"merchant\":\"Merchant %llu "
        "GmbH\","
        "\"mcc\":%llu,\"lat\":%.5f,\"lon\":%.5f,\"device\":\"%08llx\",\"is_fraud\":%d}\n",
        static_cast<unsigned long long>(random.Next()), static_cast<int>(random.Uniform(28)) + 1,
        static_cast<int>(random.Uniform(24)), static_cast<int>(random.Uniform(60)),
        static_cast<int>(random.Uniform(60)), static_cast<int>(random.Uniform(1000)),
        static_cast<unsigned long long>(random.Uniform(5000)), static_cast<unsigned long long>(random.Uniform(10000)),
        random.Double() * 500, random.Uniform(2) == 0 ? "online" : "terminal",
        static_cast<unsigned long long>(random.Uniform(100000)), static_cast<unsigned long long>(random.Uniform(9999)),
        47 + random.Double() * 7, 6 + random.Double() * 9, static_cast<unsigned long long>(random.Next() >> 32),
        random.Uniform(100) == 0 ? 1 : 0);
    text.append(line, static_cast<size_t>(length));
    ends.push_back(text.size());
  }
  return text;
}

double MedianSeconds(const std::function<void()>& work) {
  work();
  std::vector<double> seconds;
  for (int round = 0; round < kRounds; ++round) {
    const auto start = std::chrono::steady_clock::now();
    work();
    seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  std::sort(seconds.begin(), seconds.end());
  return seconds[seconds.size() / 2];
}

class FailOnReject final : public tidemill::RejectSink {
 public:
  void Reject(tidemill::RejectedRow row) override {
    std::fprintf(stderr, "reject: %s\n", row.detail.c_str());
    std::abort();
  }
};

void DecodeOurs(tidemill::RowDecoder& decoder, const std::vector<tidemill::EncodedRow>& rows) {
  FailOnReject rejects;
  for (size_t at = 0; at < rows.size(); at += tidemill::kBatchRowsMax) {
    const size_t n = std::min<size_t>(tidemill::kBatchRowsMax, rows.size() - at);
    auto output = decoder.Decode(std::span(rows).subspan(at, n), rejects);
    if (!output.ok() || output->rows->num_rows() != static_cast<int64_t>(n)) std::abort();
  }
}

void DecodeOnDemand(simdjson::ondemand::parser& parser, const std::vector<tidemill::EncodedRow>& rows) {
  std::vector<int64_t> customers, terminals;
  std::vector<double> amounts;
  std::string ids, times;
  for (const auto& row : rows) {
    if (customers.size() == tidemill::kBatchRowsMax) {
      customers.clear(), terminals.clear(), amounts.clear(), ids.clear(), times.clear();
    }
    simdjson::ondemand::document document =
        parser.iterate(row.bytes.data(), row.bytes.size(), row.bytes.size() + simdjson::SIMDJSON_PADDING);
    simdjson::ondemand::object object = document.get_object();
    ids += std::string_view(object["transaction_id"]);
    times += std::string_view(object["event_time"]);  // left as text: the peer is spared the parsing of time
    customers.push_back(int64_t(object["customer_id"]));
    terminals.push_back(int64_t(object["terminal_id"]));
    amounts.push_back(double(object["amount"]));
  }
}

void DecodeDom(simdjson::dom::parser& parser, const std::vector<tidemill::EncodedRow>& rows) {
  int64_t sum = 0;
  for (const auto& row : rows) {
    simdjson::dom::element element = parser.parse(row.bytes.data(), row.bytes.size(), false);
    sum += int64_t(element["customer_id"]) + int64_t(element["terminal_id"]) +
           static_cast<int64_t>(double(element["amount"])) +
           static_cast<int64_t>(std::string_view(element["transaction_id"]).size() +
                                std::string_view(element["event_time"]).size());
  }
  if (sum == 0) std::abort();
}

void DecodeArrow(const std::string& text) {
  auto read = arrow::json::ReadOptions::Defaults();
  read.use_threads = false;
  auto parse = arrow::json::ParseOptions::Defaults();
  parse.unexpected_field_behavior = arrow::json::UnexpectedFieldBehavior::Ignore;
  parse.explicit_schema =
      arrow::schema({arrow::field("transaction_id", arrow::utf8()),
                     arrow::field("event_time", arrow::timestamp(arrow::TimeUnit::MILLI)),
                     arrow::field("customer_id", arrow::int64()), arrow::field("terminal_id", arrow::int64()),
                     arrow::field("amount", arrow::float64())});
  auto input = std::make_shared<arrow::io::BufferReader>(arrow::Buffer::FromString(text));
  auto reader = arrow::json::TableReader::Make(arrow::default_memory_pool(), input, read, parse).ValueOrDie();
  if (reader->Read().ValueOrDie()->num_rows() != kRows) std::abort();
}

}  // namespace

int main() {
  std::vector<size_t> ends;
  const std::string events = MakeEvents(ends);
  const std::string text = events + std::string(64, ' ');  // the padding that simdjson's own parsers need
  std::vector<tidemill::EncodedRow> rows;
  for (size_t i = 0, begin = 0; i < ends.size(); begin = ends[i++]) {
    rows.push_back({std::string_view(text).substr(begin, ends[i] - begin - 1), static_cast<int64_t>(i)});
  }
  const double megabytes = static_cast<double>(events.size()) / 1e6;

  const tidemill::Schema schema({{"transaction_id", DataType(TypeKind::kString)},
                                 {"event_time", DataType::Timestamp(3)},
                                 {"customer_id", DataType(TypeKind::kBigInt)},
                                 {"terminal_id", DataType(TypeKind::kBigInt)},
                                 {"amount", DataType(TypeKind::kDouble)}});
  auto made = tidemill::MakeJsonDecoder(schema, tidemill::Config());
  if (!made.ok()) std::abort();
  tidemill::RowDecoder& decoder = **made;
  std::vector<std::string> copies;
  std::vector<tidemill::EncodedRow> apart;
  for (const auto& row : rows) copies.emplace_back(row.bytes);
  for (size_t i = 0; i < copies.size(); ++i) apart.push_back({copies[i], static_cast<int64_t>(i)});

  simdjson::ondemand::parser on_demand;
  simdjson::dom::parser dom;
  std::printf("%d events, %.0f bytes each, 5 of 14 fields, one thread; median of %d\n", kRows, megabytes * 1e6 / kRows,
              kRounds);
  const double ours = MedianSeconds([&] { DecodeOurs(decoder, rows); });
  const auto print = [&](const char* name, double seconds) {
    std::printf("%-44s %6.0f MB/s %8.2f M events/s   ours is %.2f x\n", name, megabytes / seconds,
                kRows / seconds / 1e6, seconds / ours);
  };
  print("tidemill, lines of one block -> Arrow", ours);
  print("tidemill, messages apart -> Arrow", MedianSeconds([&] { DecodeOurs(decoder, apart); }));
  print("simdjson on demand, stops at the 5th field *", MedianSeconds([&] { DecodeOnDemand(on_demand, rows); }));
  print("simdjson DOM -> sums *", MedianSeconds([&] { DecodeDom(dom, rows); }));
  print("Arrow JSON reader -> Arrow", MedianSeconds([&] { DecodeArrow(events); }));
  std::printf(
      "* text and time are not converted; the first does not look at the rest of a message, so a repeated key or "
      "garbage behind stays unseen\n");
  return 0;
}
