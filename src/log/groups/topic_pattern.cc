#include "log/groups/topic_pattern.h"

#include <re2/re2.h>

namespace tidemill {
namespace {

constexpr int64_t kPatternBytesMax = 1 << 20;

RE2::Options PatternOptions() {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kPatternBytesMax);
  return options;
}

}  // namespace

bool IsTopicPattern(const std::string& regex) { return RE2(regex, PatternOptions()).ok(); }

std::vector<std::string> MatchTopicPattern(const std::string& regex, const std::map<std::string, GroupTopic>& topics) {
  const RE2 pattern(regex, PatternOptions());
  std::vector<std::string> names;
  if (!pattern.ok()) return names;
  for (const auto& [name, topic] : topics) {
    if (RE2::FullMatch(name, pattern)) names.push_back(name);
  }
  return names;
}

}  // namespace tidemill
