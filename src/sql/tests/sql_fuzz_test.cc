// Runs the fuzz entry over mutations of the plan scripts: a short, repeatable stand-in for libFuzzer.
// TIDEMILL_FUZZ_ROUNDS and TIDEMILL_FUZZ_SEED change how long and where it goes; TIDEMILL_FUZZ_TRACE
// names a file that keeps the last script.
#include "sql/tests/sql_fuzz.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include <gtest/gtest.h>

namespace tidemill {
namespace {

uint64_t FromEnvironment(const char* name, uint64_t fallback) {
  const char* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : fallback;
}

TEST(SqlFuzz, MutatedScripts) {
  std::vector<std::string> corpus;
  for (const auto& entry : std::filesystem::directory_iterator("tests/plan")) {
    if (entry.path().extension() != ".sql") continue;
    std::ifstream in(entry.path(), std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    // Statement by statement, so that a fault in one does not hide the next.
    std::string rest = text.str();
    for (size_t end; (end = rest.find(";\n")) != std::string::npos; rest = rest.substr(end + 2))
      corpus.push_back(rest.substr(0, end));
  }
  std::sort(corpus.begin(), corpus.end());
  ASSERT_GT(corpus.size(), 30u);
  const uint64_t seed = FromEnvironment("TIDEMILL_FUZZ_SEED", 1);
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  std::mt19937_64 random(seed);
  auto pick = [&](size_t n) { return static_cast<size_t>(random() % n); };
  static const std::vector<std::string> kPieces = {"(",
                                                   ")",
                                                   ",",
                                                   ".",
                                                   "*",
                                                   "'",
                                                   "`",
                                                   "${a}",
                                                   "${q}",
                                                   "NOT ",
                                                   "NULL",
                                                   " OVER (",
                                                   " ORDER BY ts",
                                                   "TABLE ",
                                                   "DESCRIPTOR(ts)",
                                                   " GROUP BY ",
                                                   "/*+ ",
                                                   "*/",
                                                   "--",
                                                   "INTERVAL '1' DAY",
                                                   "CAST(",
                                                   " AS ",
                                                   "r.x",
                                                   "t.",
                                                   "a",
                                                   "b",
                                                   "c",
                                                   "ts",
                                                   " FROM t",
                                                   "SELECT ",
                                                   ";",
                                                   "COUNT(*)",
                                                   "LAG(",
                                                   "[1]",
                                                   "1e9",
                                                   "\xC3",
                                                   "\n",
                                                   " UNION ALL ",
                                                   "CASE WHEN "};
  const uint64_t rounds = FromEnvironment("TIDEMILL_FUZZ_ROUNDS", 4000);
  for (uint64_t round = 0; round < rounds; ++round) {
    std::string text = corpus[pick(corpus.size())];
    for (size_t change = pick(6); change > 0 && !text.empty(); --change) {
      const size_t at = pick(text.size());
      switch (pick(5)) {
        case 0:
          text.erase(at, pick(12) + 1);
          break;
        case 1:
          text.insert(at, kPieces[pick(kPieces.size())]);
          break;
        case 2:
          text.insert(at, text.substr(pick(text.size()), pick(40)));
          break;
        case 3:
          text[at] = static_cast<char>(random());
          break;
        default: {
          const std::string& other = corpus[pick(corpus.size())];
          const size_t from = pick(other.size() + 1);
          text.replace(at, pick(20), other.substr(from, pick(60)));
        }
      }
    }
    if (const char* trace = std::getenv("TIDEMILL_FUZZ_TRACE")) std::ofstream(trace, std::ios::binary) << text;
    FuzzSql(reinterpret_cast<const uint8_t*>(text.data()), text.size());
  }
}

}  // namespace
}  // namespace tidemill
