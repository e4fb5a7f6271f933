// Folding rows into 1,000 groups: what one row of one aggregate costs.
//
// One iteration folds all rows once, 8,192 at a time as the engine does, each with the number of its group. Peers in
// the same run: a plain loop over the same arrays (what a program written by hand would do), and DuckDB's GROUP BY on
// one thread over the same number of rows and groups, which also finds the group; it runs from Python (TIDEMILL_PYTHON,
// else .venv/bin/python3) and is left out when that has no duckdb. Prints the median of the rounds, and the fastest.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <arrow/api.h>

#include "base/random.h"
#include "function/aggregate_function.h"
#include "function/scalar_function.h"

namespace {

using tidemill::DataType;
using tidemill::TypeKind;

constexpr int64_t kRows = 2'000'000;
constexpr int64_t kBatch = 8192;
constexpr uint32_t kGroups = 1000;
constexpr int kRounds = 9;

struct Timing {
  double median_ns;
  double best_ns;
};

Timing PerRow(const std::function<void()>& work) {
  work();
  std::vector<double> ns;
  for (int round = 0; round < kRounds; ++round) {
    const auto start = std::chrono::steady_clock::now();
    work();
    ns.push_back(std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count() / kRows);
  }
  std::sort(ns.begin(), ns.end());
  return {ns[ns.size() / 2], ns[0]};
}

struct Input {
  std::vector<uint32_t> groups;
  std::shared_ptr<arrow::Array> integers;
  std::shared_ptr<arrow::Array> doubles;
};

Input MakeInput() {
  tidemill::Random random(42);
  Input input;
  std::vector<int64_t> integers;
  std::vector<double> doubles;
  for (int64_t i = 0; i < kRows; ++i) {
    input.groups.push_back(static_cast<uint32_t>(random.Uniform(kGroups)));
    integers.push_back(static_cast<int64_t>(random.Uniform(50'000)));
    doubles.push_back(random.Double() * 500);
  }
  input.integers = std::make_shared<arrow::Int64Array>(kRows, arrow::Buffer::FromVector(std::move(integers)));
  input.doubles = std::make_shared<arrow::DoubleArray>(kRows, arrow::Buffer::FromVector(std::move(doubles)));
  return input;
}

Timing Engine(const Input& input, const char* name, const std::shared_ptr<arrow::Array>& values, TypeKind kind,
              bool distinct) {
  std::vector<tidemill::ArgumentInfo> infos;
  if (values) infos.push_back({DataType(kind), nullptr});
  const auto resolved = tidemill::FunctionRegistry::BuiltIn().FindAggregate(name)->resolve(infos, distinct);
  TM_CHECK(resolved.ok());
  return PerRow([&] {
    const auto accumulators = (*resolved).make(*resolved);
    accumulators->Resize(kGroups);
    for (int64_t at = 0; at < kRows; at += kBatch) {
      const int64_t rows = std::min(kBatch, kRows - at);
      std::vector<std::shared_ptr<arrow::Array>> args;
      if (values) args.push_back(values->Slice(at, rows));
      const auto status =
          accumulators->Update({input.groups.data() + at, static_cast<size_t>(rows)}, args, nullptr, nullptr);
      TM_CHECK(status.ok());
    }
  });
}

template <typename T>
Timing ByHand(const Input& input, const std::shared_ptr<arrow::Array>& values) {
  const T* raw = values->data()->GetValues<T>(1);
  T total = 0;
  const Timing timing = PerRow([&] {
    std::vector<T> sums(kGroups);
    for (int64_t i = 0; i < kRows; ++i) sums[input.groups[static_cast<size_t>(i)]] += raw[i];
    total += sums[0];
  });
  if (total == T{1}) std::puts("");  // keeps the sums alive
  return timing;
}

// One line an aggregate: "name ns".
std::map<std::string, double> DuckDb() {
  const char* python = std::getenv("TIDEMILL_PYTHON");
  const std::string script =
      "import duckdb, time, statistics\n"
      "c = duckdb.connect(); c.execute('set threads=1')\n"
      "c.execute(\"create table t as select (random()*1000)::INTEGER as g, (random()*50000)::BIGINT as i, random()*500 "
      "as d from range(" +
      std::to_string(kRows) +
      ")\")\n"
      "for n, e in "
      "[('COUNT(*)','count(*)'),('COUNT(x)','count(d)'),('SUM(bigint)','sum(i)'),('SUM(double)','fsum(d)'),('AVG("
      "double)','favg(d)'),('MIN(double)','min(d)'),"
      "('STDDEV(double)','stddev(d)'),('COUNT(DISTINCT bigint)','count(distinct "
      "i)'),('APPROX_COUNT_DISTINCT','approx_count_distinct(i)')]:\n"
      "    s = []\n"
      "    for _ in range(7):\n"
      "        b = time.perf_counter(); c.execute(f'select g, {e} from t group by g').fetchall(); "
      "s.append(time.perf_counter() - b)\n"
      "    print(n.replace(' ', '_'), statistics.median(s) / " +
      std::to_string(kRows) + " * 1e9)\n";
  const std::string command = std::string(python != nullptr ? python : ".venv/bin/python3") + " -c '" + [&script] {
    std::string quoted;
    for (char ch : script) quoted += ch == '\'' ? std::string("'\\''") : std::string(1, ch);
    return quoted;
  }() + "' 2>/dev/null";
  std::map<std::string, double> found;
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return found;
  char name[64];
  double ns = 0;
  while (std::fscanf(pipe, "%63s %lf", name, &ns) == 2) found[name] = ns;
  pclose(pipe);
  return found;
}

}  // namespace

int main() {
  const Input input = MakeInput();
  const std::map<std::string, double> duckdb = DuckDb();
  std::printf("%lld rows, %u groups, ns a row (median, best of %d)\n", static_cast<long long>(kRows), kGroups, kRounds);
  std::printf("%-24s %9s %9s %12s %8s\n", "aggregate", "median", "best", "DuckDB", "ratio");
  const auto show = [&duckdb](const char* label, Timing timing) {
    std::string key = label;
    std::replace(key.begin(), key.end(), ' ', '_');
    const auto peer = duckdb.find(key);
    if (peer == duckdb.end()) {
      std::printf("%-24s %9.2f %9.2f %12s %8s\n", label, timing.median_ns, timing.best_ns, "-", "-");
    } else {
      std::printf("%-24s %9.2f %9.2f %12.2f %7.1fx\n", label, timing.median_ns, timing.best_ns, peer->second,
                  peer->second / timing.median_ns);
    }
  };
  show("by hand: sum of bigint", ByHand<int64_t>(input, input.integers));
  show("by hand: sum of double", ByHand<double>(input, input.doubles));
  show("COUNT(*)", Engine(input, "COUNT", nullptr, TypeKind::kBigInt, false));
  show("COUNT(x)", Engine(input, "COUNT", input.doubles, TypeKind::kDouble, false));
  show("SUM(bigint)", Engine(input, "SUM", input.integers, TypeKind::kBigInt, false));
  show("SUM(double)", Engine(input, "SUM", input.doubles, TypeKind::kDouble, false));
  show("AVG(double)", Engine(input, "AVG", input.doubles, TypeKind::kDouble, false));
  show("MIN(double)", Engine(input, "MIN", input.doubles, TypeKind::kDouble, false));
  show("STDDEV(double)", Engine(input, "STDDEV", input.doubles, TypeKind::kDouble, false));
  show("COUNT(DISTINCT bigint)", Engine(input, "COUNT", input.integers, TypeKind::kBigInt, true));
  show("APPROX_COUNT_DISTINCT", Engine(input, "APPROX_COUNT_DISTINCT", input.integers, TypeKind::kBigInt, false));
  return 0;
}
