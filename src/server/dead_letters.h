#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "server/topic_access.h"

namespace tidemill {

// Rows that were refused. They lie in topics of the embedded log whose names begin with "dlq.": `dlq.<table>`, one
// record a row, the reason and the detail in its headers, the row as it came as its value.
bool IsDeadLetterTopic(std::string_view topic);

struct DeadLetterGroup {
  std::string topic;
  std::string reason;
  int64_t records = 0;
  int64_t newest_ms = 0;
  std::string example;  // detail of the newest one
};
// By topic, then by reason, most first.
Result<std::vector<DeadLetterGroup>> ListDeadLetters(TopicAccess& topics);

// Every record of a topic, partition by partition; `take` says false to stop.
Status ForEachRecord(TopicAccess& topics, const std::string& topic,
                     const std::function<Result<bool>(const FetchedRecord&)>& take);

}  // namespace tidemill
