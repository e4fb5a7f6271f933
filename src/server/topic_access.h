#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/config.h"
#include "base/network.h"
#include "base/status.h"
#include "log/log.h"

namespace tidemill {

struct TopicRecord {
  std::optional<std::string> key;
  std::optional<std::string> value;
  int64_t timestamp_ms = kNoTimestamp;
};
struct FetchedRecord {
  int32_t partition = 0;
  int64_t offset = 0;
  int64_t timestamp_ms = 0;
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::vector<std::pair<std::string, std::string>> headers;

  // The first header of that name, or "".
  std::string_view header(std::string_view name) const;
};
// Where consecutive records of a request went.
struct AppendedRecords {
  int32_t partition = 0;
  int64_t first_offset = 0;
  int64_t count = 0;
};

// What became of a request: without an error every record is on disk, with one maybe some of them.
struct ProducedRecords {
  struct Place {
    int32_t partition = 0;
    int64_t offset = -1;  // -1: not acknowledged
  };
  Status status;
  std::vector<AppendedRecords> ranges;  // of what is on disk
  std::vector<Place> places;            // by record, in the order of the request
  int64_t acknowledged() const;
};

// Where reading begins: "start", "end", "17", "-5" (five before the end), "@2026-01-01T00:00:00" or "@1767225600000"
// (event time of records).
struct StartOffset {
  enum class Kind : uint8_t { kStart, kEnd, kOffset, kBeforeEnd, kTime };
  Kind kind = Kind::kStart;
  int64_t number = 0;  // offset, records before the end, or milliseconds
  static Result<StartOffset> Parse(std::string_view text);
  std::string ToString() const;
};

// Topics as commands and the HTTP API use them: an opened log, or a running server. Thread-safe.
class TopicAccess {
 public:
  virtual ~TopicAccess() = default;
  virtual Result<std::vector<TopicDescription>> List() = 0;
  virtual Result<TopicDescription> Describe(const std::string& topic) = 0;
  // By Kafka's names; as they are in force.
  virtual Result<Config> Settings(const std::string& topic) {
    TM_ASSIGN_OR_RETURN(const TopicDescription description, Describe(topic));
    return description.config.ToConfig();
  }
  virtual Status Create(const std::string& topic, const TopicConfig& config) = 0;  // kTopicExists
  virtual Status Delete(const std::string& topic) = 0;
  // Durable when it returns. Records with a key go where Kafka's clients put them (murmur2), the others of one call
  // together into one partition, in turn. `partition` >= 0 overrides. kUnknownTopic unless `create`. Each partition
  // takes all of its part or nothing, but not all need do: then the error's note counts what is on disk.
  virtual Result<std::vector<AppendedRecords>> Produce(const std::string& topic,
                                                       const std::vector<TopicRecord>& records, int32_t partition,
                                                       bool create) = 0;
  // Up to `limit` records from an offset on, at most 1 MiB; none when nothing is there yet.
  struct Page {
    std::vector<FetchedRecord> records;
    int64_t next_offset = 0;
    int64_t end_offset = 0;  // of what can be read now
  };
  virtual Result<Page> Fetch(const std::string& topic, int32_t partition, const StartOffset& from, int limit) = 0;
  // Where reading from `from` would begin now.
  virtual Result<int64_t> Resolve(const std::string& topic, int32_t partition, const StartOffset& from) {
    TM_ASSIGN_OR_RETURN(const Page page, Fetch(topic, partition, from, 1));
    return page.records.empty() ? page.next_offset : page.records[0].offset;
  }
};

// The offset that `from` means in a partition whose readers find offsets `start` to `end`; not for times.
// kOffsetOutOfRange.
Result<int64_t> ResolveStartOffset(const std::string& partition, int64_t start, int64_t end, const StartOffset& from);

// `log` outlives it.
class LogTopicAccess final : public TopicAccess {
 public:
  explicit LogTopicAccess(Log& log) : log_(log) {}
  Result<std::vector<TopicDescription>> List() override;
  Result<TopicDescription> Describe(const std::string& topic) override;
  Status Create(const std::string& topic, const TopicConfig& config) override {
    return log_.CreateTopic(topic, config);
  }
  Status Delete(const std::string& topic) override { return log_.DeleteTopic(topic); }
  Result<std::vector<AppendedRecords>> Produce(const std::string& topic, const std::vector<TopicRecord>& records,
                                               int32_t partition, bool create) override;
  Result<Page> Fetch(const std::string& topic, int32_t partition, const StartOffset& from, int limit) override;
  // As Produce, but `done` is called when everything that was written is durable, on a thread of the log. After
  // kSyncFailed what is not acknowledged may be there all the same; otherwise it is not.
  void ProduceAsync(const std::string& topic, const std::vector<TopicRecord>& records, int32_t partition, bool create,
                    std::function<void(ProducedRecords)> done);

 private:
  ProducedRecords Append(const std::string& topic, const std::vector<TopicRecord>& records, int32_t partition,
                         bool create);
  // The partitions of a topic, made when it is missing and `create`.
  Result<int32_t> PartitionsOf(const std::string& topic, bool create);
  Log& log_;
  std::atomic<uint32_t> turn_{0};
};

// Over HTTP. `network` outlives it.
std::unique_ptr<TopicAccess> MakeRemoteTopicAccess(Network& network, std::string server_url);

// A record as JSON: {"partition":0,"offset":5,"timestamp":..,"key":..,"value":..}; bytes that are no UTF-8 go as
// "key_base64", "value_base64".
std::string RecordToJson(const std::string& topic, const FetchedRecord& record);

// The text of a field of a JSON object: strings without quotes, anything else as written; nullopt when the field is
// absent or null. kInvalidConfig when the line is no JSON object.
Result<std::optional<std::string>> JsonFieldText(std::string_view line, std::string_view field);

// The partition of a key, as Kafka's clients choose it.
int32_t PartitionOfKey(std::string_view key, int32_t partitions);

}  // namespace tidemill
