// Runs a fuzz target without libFuzzer: every file of a corpus as it is, then mutations of them, from a seed, for some
// seconds. With clang the same targets are built with -fsanitize=fuzzer instead, and this file is left out. Usage:
// NAME_fuzz [-max_total_time=SECONDS] [-seed=N] CORPUS-DIRECTORY-OR-FILE...      (libFuzzer's own options, so that both
// run alike)
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "base/random.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

constexpr size_t kInputMax = 64 << 10;

void RunOne(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.data()), input.size());
}

std::string Mutate(const std::vector<std::string>& corpus, tidemill::Random& random) {
  constexpr uint8_t kEdges[] = {0, 1, 2, 0x7f, 0x80, 0xfe, 0xff};
  std::string input = corpus[random.Uniform(corpus.size())];
  for (uint64_t n = 1 + random.Uniform(8); n > 0; --n) {
    const size_t at = input.empty() ? 0 : random.Uniform(input.size());
    switch (input.empty() ? 4 : random.Uniform(7)) {
      case 0:
        input[at] ^= static_cast<char>(1 << random.Uniform(8));
        break;
      case 1:
        input[at] = static_cast<char>(random.Next());
        break;
      case 2:
        input[at] = static_cast<char>(kEdges[random.Uniform(std::size(kEdges))]);
        break;
      case 3:
        input.erase(at, 1 + random.Uniform(16));
        break;
      case 4:
        input.insert(at, std::string(1 + random.Uniform(8), static_cast<char>(random.Next())));
        break;
      case 5: {  // a piece of another input
        const std::string& other = corpus[random.Uniform(corpus.size())];
        if (!other.empty()) input.insert(at, other.substr(random.Uniform(other.size()), 1 + random.Uniform(64)));
        break;
      }
      default:
        input.resize(at);
        break;
    }
  }
  if (input.size() > kInputMax) input.resize(kInputMax);
  return input;
}

void Load(const std::filesystem::path& path, std::vector<std::string>* corpus) {
  std::ifstream file(path, std::ios::binary);
  corpus->emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> corpus = {""};
  long seconds = 0;
  uint64_t seed = 1;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument.starts_with("-max_total_time=")) {
      seconds = std::atol(argument.c_str() + 16);
    } else if (argument.starts_with("-seed=")) {
      seed = std::strtoull(argument.c_str() + 6, nullptr, 10);
    } else if (std::filesystem::is_directory(argument)) {
      for (const auto& entry : std::filesystem::directory_iterator(argument)) Load(entry.path(), &corpus);
    } else if (std::filesystem::exists(argument)) {
      Load(argument, &corpus);
    } else {
      std::fprintf(stderr, "no such option or corpus: %s\n", argument.c_str());
      return 2;
    }
  }
  for (const std::string& input : corpus) RunOne(input);
  tidemill::Random random(seed);
  int64_t runs = 0;
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  while (std::chrono::steady_clock::now() < end) {
    for (int i = 0; i < 100; ++i, ++runs) {
      const std::string input = Mutate(corpus, random);
      // The last input stays behind if this one brings the process down.
      if (const char* path = std::getenv("FUZZ_LAST_INPUT")) std::ofstream(path, std::ios::binary) << input;
      RunOne(input);
    }
  }
  std::printf("%zu corpus inputs, %lld mutations, seed %llu: no failure\n", corpus.size(), static_cast<long long>(runs),
              static_cast<unsigned long long>(seed));
  return 0;
}
