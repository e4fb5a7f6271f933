#include "server/dead_letters.h"

#include <algorithm>
#include <mutex>

#include <fmt/format.h>

#include "base/errors.h"
#include "log/errors.h"
#include "server/errors.h"

namespace tidemill {
namespace {

constexpr const char* kReplayGroup = "dlq-replay";
constexpr int kReplayBatch = 1000;

// Where a dead letter's row is written again: `to`, else the topic it was read from, else the webhook's outbox.
Result<std::string> TargetOf(TopicAccess& topics, const std::string& dead_letters, const FetchedRecord& record,
                             const std::string& to) {
  if (!to.empty()) return to;
  const std::string source(record.header("topic"));
  if (!source.empty() && topics.Describe(source).ok()) return source;
  if (source.find('/') != std::string::npos) {
    return Status(kUsage, fmt::format("the row came from '{}', which is no topic", source))
        .WithHint("mend the file, or say --to TOPIC");
  }
  const std::string suffix = "." + dead_letters.substr(4);
  std::vector<std::string> outboxes;
  TM_ASSIGN_OR_RETURN(const auto all, topics.List());
  for (const TopicDescription& topic : all) {
    if (topic.name.starts_with("outbox.") && topic.name.ends_with(suffix)) outboxes.push_back(topic.name);
  }
  if (outboxes.size() == 1) return outboxes.front();
  return Status(kUsage, fmt::format("where {} should be replayed to is not known", dead_letters))
      .WithHint("say --to TOPIC");
}

class LogDeadLetterAccess final : public DeadLetterAccess {
 public:
  LogDeadLetterAccess(Log& log, TopicAccess& topics) : log_(log), topics_(topics) {}

  Result<std::vector<DeadLetterGroup>> List() override;
  Result<ReplayStep> Replay(const ReplayRequest& request, const std::vector<ReplayRange>& rest) override;
  Result<DroppedDeadLetters> Drop(const std::string& table) override;

 private:
  // With --reason the others stay to be replayed: no note is taken.
  static bool TakesNote(const ReplayRequest& request) { return !request.dry_run && request.reason.empty(); }
  // Where the first replay of the partition that is not noted begins.
  int64_t NotedOffset(const std::string& topic, int32_t partition) const {
    const auto position = log_.positions().Get(kReplayGroup, topic, partition);
    return position ? position->offset : 0;
  }
  std::vector<ReplayRange> RangesOf(const ReplayRequest& request, const std::string& topic,
                                    const TopicDescription& description) const;
  Status ReplayPage(const ReplayRequest& request, const std::string& topic, ReplayRange* range, int* room,
                    ReplayStep* step);

  Log& log_;
  TopicAccess& topics_;
  std::mutex replay_mutex_;  // two replays at once would both take the same rows
};

Result<std::vector<DeadLetterGroup>> LogDeadLetterAccess::List() {
  TM_ASSIGN_OR_RETURN(const std::vector<TopicDescription> all, topics_.List());
  std::vector<DeadLetterGroup> groups;
  for (const TopicDescription& topic : all) {
    if (!IsDeadLetterTopic(topic.name)) continue;
    std::map<std::string, DeadLetterGroup> by_reason;
    TM_RETURN_IF_ERROR(ForEachRecord(topics_, topic.name, [&](const FetchedRecord& record) -> Result<bool> {
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

std::vector<ReplayRange> LogDeadLetterAccess::RangesOf(const ReplayRequest& request, const std::string& topic,
                                                       const TopicDescription& description) const {
  std::vector<ReplayRange> ranges;
  for (size_t i = 0; i < description.partitions.size(); ++i) {
    const auto partition = static_cast<int32_t>(i);
    const int64_t noted = request.all ? 0 : NotedOffset(topic, partition);
    ranges.push_back({partition, noted, description.partitions[i].last_stable});
  }
  return ranges;
}

Status LogDeadLetterAccess::ReplayPage(const ReplayRequest& request, const std::string& topic, ReplayRange* range,
                                       int* room, ReplayStep* step) {
  TM_ASSIGN_OR_RETURN(
      const TopicAccess::Page page,
      topics_.Fetch(topic, range->partition, {StartOffset::Kind::kOffset, range->from}, std::min(*room, kReplayBatch)));
  std::map<std::string, std::vector<TopicRecord>> by_target;
  for (const FetchedRecord& record : page.records) {
    if (record.offset >= range->end) break;
    --*room;
    if (!request.reason.empty() && record.header("reason") != request.reason) continue;
    TM_ASSIGN_OR_RETURN(const std::string target, TargetOf(topics_, topic, record, request.to));
    by_target[target].push_back({record.key, record.value, kNoTimestamp});
  }
  for (const auto& [target, records] : by_target) {
    if (!request.dry_run) TM_RETURN_IF_ERROR(topics_.Produce(target, records, -1, false).status());
    step->records[target] += static_cast<int64_t>(records.size());
  }
  range->from = page.records.empty() ? range->end : std::min(page.next_offset, range->end);
  if (TakesNote(request) && range->from > NotedOffset(topic, range->partition))
    return log_.positions().Commit(kReplayGroup, {{topic, range->partition, range->from, "", 0}});
  return Status::OK();
}

Result<ReplayStep> LogDeadLetterAccess::Replay(const ReplayRequest& request, const std::vector<ReplayRange>& rest) {
  std::lock_guard lock(replay_mutex_);
  TM_ASSIGN_OR_RETURN(const std::string topic, FindDeadLetterTopic(topics_, request.table));
  TM_ASSIGN_OR_RETURN(const TopicDescription description, topics_.Describe(topic));
  ReplayStep step;
  step.rest = rest.empty() ? RangesOf(request, topic, description) : rest;
  int room = kReplayStepRecords;
  while (!step.rest.empty() && room > 0) {
    ReplayRange& range = step.rest.front();
    if (range.partition < 0 || static_cast<size_t>(range.partition) >= description.partitions.size())
      return Status(kInvalidConfig, fmt::format("{} has no partition {}", topic, range.partition));
    const PartitionOffsets& offsets = description.partitions[static_cast<size_t>(range.partition)];
    range.from = std::max(range.from, offsets.log_start);
    range.end = std::min(range.end, offsets.last_stable);
    // Another replay may have come in between.
    if (TakesNote(request) && !request.all) range.from = std::max(range.from, NotedOffset(topic, range.partition));
    if (range.from >= range.end) {
      step.rest.erase(step.rest.begin());
      continue;
    }
    const Status replayed = ReplayPage(request, topic, &range, &room, &step);
    if (replayed.ok()) continue;
    int64_t before = 0;
    for (const auto& [target, records] : step.records) before += records;
    return before == 0 ? replayed : replayed.WithNote(fmt::format("{} rows were replayed before it", before));
  }
  return step;
}

Result<DroppedDeadLetters> LogDeadLetterAccess::Drop(const std::string& table) {
  TM_ASSIGN_OR_RETURN(const std::string topic, FindDeadLetterTopic(topics_, table));
  TM_ASSIGN_OR_RETURN(const TopicDescription description, topics_.Describe(topic));
  DroppedDeadLetters dropped{topic, 0};
  for (size_t i = 0; i < description.partitions.size(); ++i) {
    TM_ASSIGN_OR_RETURN(const auto partition, log_.partition(topic, static_cast<int32_t>(i)));
    const PartitionOffsets offsets = partition->Offsets();
    TM_RETURN_IF_ERROR(partition->TrimBefore(offsets.last_stable));
    dropped.records += offsets.last_stable - offsets.log_start;
  }
  return dropped;
}

}  // namespace

bool IsDeadLetterTopic(std::string_view topic) { return topic.starts_with("dlq."); }

std::unique_ptr<DeadLetterAccess> MakeLogDeadLetterAccess(Log& log, TopicAccess& topics) {
  return std::make_unique<LogDeadLetterAccess>(log, topics);
}

Result<std::string> FindDeadLetterTopic(TopicAccess& topics, const std::string& table) {
  const std::string topic = IsDeadLetterTopic(table) ? table : "dlq." + table;
  const auto described = topics.Describe(topic);
  if (described.ok()) return topic;
  if (!described.status().Is(kUnknownTopic)) return described.status();
  std::vector<std::string> known;
  TM_ASSIGN_OR_RETURN(const auto all, topics.List());
  for (const TopicDescription& one : all) {
    if (IsDeadLetterTopic(one.name)) known.push_back(one.name);
  }
  Status error(kNotFound, fmt::format("there are no dead letters '{}'", topic));
  const std::string nearest = NearestName(topic, known);
  return nearest.empty() ? error : error.WithHint("did you mean '" + nearest + "'?");
}

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

}  // namespace tidemill
