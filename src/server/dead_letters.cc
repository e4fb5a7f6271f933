#include "server/dead_letters.h"

#include <algorithm>
#include <map>

namespace tidemill {

bool IsDeadLetterTopic(std::string_view topic) { return topic.starts_with("dlq."); }

Status ForEachRecord(TopicAccess& topics, const std::string& topic,
                     const std::function<Result<bool>(const FetchedRecord&)>& take) {
  TM_ASSIGN_OR_RETURN(const TopicDescription description, topics.Describe(topic));
  for (size_t partition = 0; partition < description.partitions.size(); ++partition) {
    StartOffset from;
    while (true) {
      TM_ASSIGN_OR_RETURN(const TopicAccess::Page page,
                          topics.Fetch(topic, static_cast<int32_t>(partition), from, 1000));
      if (page.records.empty()) break;
      for (const FetchedRecord& record : page.records) {
        TM_ASSIGN_OR_RETURN(const bool more, take(record));
        if (!more) return Status::OK();
      }
      from = StartOffset{StartOffset::Kind::kOffset, page.next_offset};
    }
  }
  return Status::OK();
}

Result<std::vector<DeadLetterGroup>> ListDeadLetters(TopicAccess& topics) {
  TM_ASSIGN_OR_RETURN(const std::vector<TopicDescription> all, topics.List());
  std::vector<DeadLetterGroup> groups;
  for (const TopicDescription& topic : all) {
    if (!IsDeadLetterTopic(topic.name)) continue;
    std::map<std::string, DeadLetterGroup> by_reason;
    TM_RETURN_IF_ERROR(ForEachRecord(topics, topic.name, [&](const FetchedRecord& record) -> Result<bool> {
      DeadLetterGroup& group = by_reason[std::string(record.header("reason"))];
      ++group.records;
      if (record.timestamp_ms >= group.newest_ms) {
        group.newest_ms = record.timestamp_ms;
        group.example = std::string(record.header("detail"));
      }
      return true;
    }));
    const size_t first = groups.size();
    for (auto& [reason, group] : by_reason) {
      group.topic = topic.name;
      group.reason = reason;
      groups.push_back(std::move(group));
    }
    std::stable_sort(groups.begin() + static_cast<int64_t>(first), groups.end(),
                     [](const DeadLetterGroup& a, const DeadLetterGroup& b) { return a.records > b.records; });
  }
  return groups;
}

}  // namespace tidemill
