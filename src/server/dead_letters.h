#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/network.h"
#include "base/status.h"
#include "log/log.h"
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
// Which rows are written again.
struct ReplayRequest {
  std::string table;     // or the topic dlq.TABLE
  std::string to;        // topic; "": each to where it came from
  std::string reason;    // "": every reason
  bool dry_run = false;  // counts, writes nothing
  bool all = false;      // also those that were replayed before
};
// What is left of one partition: rows refused meanwhile, by the replay itself perhaps, lie behind `end`.
struct ReplayRange {
  int32_t partition = 0;
  int64_t from = 0;
  int64_t end = 0;
};
struct ReplayStep {
  std::map<std::string, int64_t> records;  // by the topic they went to
  std::vector<ReplayRange> rest;           // empty: done
};
struct DroppedDeadLetters {
  std::string topic;
  int64_t records = 0;
};

// Dead letters as commands use them: an opened log, or a running server.
class DeadLetterAccess {
 public:
  virtual ~DeadLetterAccess() = default;
  // By topic, then by reason, most first.
  virtual Result<std::vector<DeadLetterGroup>> List() = 0;
  // Replays up to kReplayStepRecords rows; `rest` is empty at first, then that of the step before. Each row once over
  // all replays without `reason`, `all` and `dry_run`, unless the process dies between writing a row and noting that it
  // did.
  virtual Result<ReplayStep> Replay(const ReplayRequest& request, const std::vector<ReplayRange>& rest) = 0;
  virtual Result<DroppedDeadLetters> Drop(const std::string& table) = 0;
};
inline constexpr int kReplayStepRecords = 10'000;

// Thread-safe. `log` and `topics` outlive it.
std::unique_ptr<DeadLetterAccess> MakeLogDeadLetterAccess(Log& log, TopicAccess& topics);
// Over HTTP. `network` outlives it.
std::unique_ptr<DeadLetterAccess> MakeRemoteDeadLetterAccess(Network& network, std::string server_url);

// The topic of a table's dead letters: the name as given, or with "dlq." before it. kNotFound with the nearest name.
Result<std::string> FindDeadLetterTopic(TopicAccess& topics, const std::string& table);

// Every record of a topic, partition by partition; `take` says false to stop.
Status ForEachRecord(TopicAccess& topics, const std::string& topic,
                     const std::function<Result<bool>(const FetchedRecord&)>& take);

}  // namespace tidemill
