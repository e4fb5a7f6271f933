#pragma once

#include <map>
#include <string>
#include <vector>

#include "log/groups/consumer_group_requests.h"

namespace tidemill {

// Whether it is a regular expression (RE2's syntax).
bool IsTopicPattern(const std::string& regex);
// The names that it matches from end to end.
std::vector<std::string> MatchTopicPattern(const std::string& regex, const std::map<std::string, GroupTopic>& topics);

}  // namespace tidemill
