#include "server/topic_access.h"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <map>
#include <mutex>

#include <fmt/format.h>
#include <simdjson.h>

#include "base/base64.h"
#include "base/errors.h"
#include "base/murmur.h"
#include "data/time_text.h"
#include "log/errors.h"
#include "server/errors.h"
#include "server/output.h"

namespace tidemill {
namespace {

constexpr int64_t kPageBytesMax = 1 << 20;

bool ParseNumber(std::string_view text, int64_t* out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *out);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

Result<int64_t> ResolveOffset(Partition& partition, const StartOffset& from) {
  if (from.kind == StartOffset::Kind::kTime) return partition.OffsetForTime(from.number);
  const PartitionOffsets offsets = partition.Offsets();
  // An offset may lie in what is not committed yet.
  const int64_t end = from.kind == StartOffset::Kind::kOffset ? offsets.end : offsets.last_stable;
  return ResolveStartOffset(fmt::format("{}/{}", partition.topic(), partition.index()), offsets.log_start, end, from);
}

// Takes what is not on disk out of an outcome, and says in a note how much is.
void KeepDurable(const std::vector<Status>& synced, ProducedRecords* produced) {
  std::vector<AppendedRecords> durable;
  for (size_t i = 0; i < produced->ranges.size(); ++i) {
    const AppendedRecords& range = produced->ranges[i];
    if (synced[i].ok()) {
      durable.push_back(range);
      continue;
    }
    if (produced->status.ok()) produced->status = synced[i];
    for (ProducedRecords::Place& place : produced->places) {
      if (place.partition == range.partition) place.offset = -1;
    }
  }
  produced->ranges = std::move(durable);
  if (produced->status.ok() || produced->ranges.empty()) return;
  produced->status =
      produced->status.WithNote(fmt::format("{} of {} records of the request are on disk, the others not",
                                            produced->acknowledged(), produced->places.size()));
}

// Waits for several partitions; the last one answers.
struct DurableCount {
  std::mutex mutex;
  size_t waiting = 0;
  std::vector<Status> synced;  // by range
  ProducedRecords produced;
  std::function<void(ProducedRecords)> done;
};

bool IsUtf8(std::string_view text) { return simdjson::validate_utf8(text.data(), text.size()); }

void AppendPart(const char* name, const std::optional<std::string>& bytes, std::string& out) {
  if (!bytes) {
    out += fmt::format(",\"{}\":null", name);
  } else if (IsUtf8(*bytes)) {
    out += fmt::format(",\"{}\":", name);
    AppendJsonText(*bytes, out);
  } else {
    out += fmt::format(",\"{}_base64\":\"{}\"", name, EncodeBase64(*bytes));
  }
}

}  // namespace

std::string_view FetchedRecord::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return "";
}

Result<StartOffset> StartOffset::Parse(std::string_view text) {
  int64_t number = 0;
  if (text == "start") return StartOffset{Kind::kStart, 0};
  if (text == "end") return StartOffset{Kind::kEnd, 0};
  if (!text.empty() && text.front() == '@') {
    const std::string_view time = text.substr(1);
    if (ParseNumber(time, &number)) return StartOffset{Kind::kTime, number};
    TimestampText parsed;
    if (ParseTimestampText(time, TimeSyntax::kCast, parsed)) {
      return StartOffset{Kind::kTime, (parsed.seconds - parsed.zone_seconds) * 1000 + parsed.nanos / 1'000'000};
    }
  } else if (ParseNumber(text, &number)) {
    return number < 0 ? StartOffset{Kind::kBeforeEnd, -number} : StartOffset{Kind::kOffset, number};
  }
  return Status(
      kUsage,
      fmt::format("'{}' is no place to start: expected start, end, an offset, -N (before the end) or @TIME", text));
}

std::string StartOffset::ToString() const {
  switch (kind) {
    case Kind::kStart:
      return "start";
    case Kind::kEnd:
      return "end";
    case Kind::kOffset:
      return std::to_string(number);
    case Kind::kBeforeEnd:
      return "-" + std::to_string(number);
    case Kind::kTime:
      break;
  }
  return "@" + std::to_string(number);
}

int32_t PartitionOfKey(std::string_view key, int32_t partitions) {
  return static_cast<int32_t>((Murmur2Kafka(key) & 0x7fffffffU) % static_cast<uint32_t>(partitions));
}

Result<std::vector<TopicDescription>> LogTopicAccess::List() {
  std::vector<TopicDescription> topics;
  for (const std::string& name : log_.ListTopics()) {
    // One that was deleted meanwhile is no error.
    if (auto topic = log_.Describe(name); topic.ok()) topics.push_back(*std::move(topic));
  }
  return topics;
}

Result<TopicDescription> LogTopicAccess::Describe(const std::string& topic) { return log_.Describe(topic); }

int64_t ProducedRecords::acknowledged() const {
  int64_t count = 0;
  for (const AppendedRecords& range : ranges) count += range.count;
  return count;
}

Result<int32_t> LogTopicAccess::PartitionsOf(const std::string& topic, bool create) {
  if (!IsSafeName(topic)) return Status(kInvalidName, fmt::format("'{}' is no name of a topic", topic));
  auto described = log_.Describe(topic);
  if (!described.ok() && described.status().Is(kUnknownTopic) && create) {
    const Status created = log_.CreateTopic(topic);
    if (!created.ok() && !created.Is(kTopicExists)) return created;
    described = log_.Describe(topic);
  }
  TM_RETURN_IF_ERROR(described.status());
  return static_cast<int32_t>(described->partitions.size());
}

ProducedRecords LogTopicAccess::Append(const std::string& topic, const std::vector<TopicRecord>& records,
                                       int32_t partition, bool create) {
  ProducedRecords produced;
  produced.places.resize(records.size());
  const Result<int32_t> partitions = PartitionsOf(topic, create);
  if (!partitions.ok()) {
    produced.status = partitions.status();
    return produced;
  }
  const int32_t unkeyed =
      partition >= 0 ? partition : static_cast<int32_t>(turn_.fetch_add(1) % static_cast<uint32_t>(*partitions));
  struct Group {
    std::vector<Record> records;
    std::vector<size_t> numbers;
  };
  std::map<int32_t, Group> groups;
  for (size_t i = 0; i < records.size(); ++i) {
    const TopicRecord& record = records[i];
    const int32_t target = partition >= 0 || !record.key ? unkeyed : PartitionOfKey(*record.key, *partitions);
    produced.places[i].partition = target;
    Group& group = groups[target];
    group.numbers.push_back(i);
    Record& added = group.records.emplace_back();
    if (record.key) added.key = *record.key;
    if (record.value) added.value = *record.value;
    added.timestamp_ms = record.timestamp_ms;
  }
  for (const auto& [index, group] : groups) {
    const auto target = log_.partition(topic, index);
    const Result<int64_t> first = target.ok() ? (*target)->Append(group.records) : Result<int64_t>(target.status());
    if (!first.ok()) {
      produced.status = first.status();
      return produced;
    }
    for (size_t i = 0; i < group.numbers.size(); ++i)
      produced.places[group.numbers[i]].offset = *first + static_cast<int64_t>(i);
    produced.ranges.push_back({index, *first, static_cast<int64_t>(group.numbers.size())});
  }
  return produced;
}

Result<std::vector<AppendedRecords>> LogTopicAccess::Produce(const std::string& topic,
                                                             const std::vector<TopicRecord>& records, int32_t partition,
                                                             bool create) {
  ProducedRecords produced = Append(topic, records, partition, create);
  std::vector<Status> synced;
  for (const AppendedRecords& range : produced.ranges) {
    const auto target = log_.partition(topic, range.partition);
    synced.push_back(target.ok() ? (*target)->SyncUpTo(range.first_offset + range.count - 1) : target.status());
  }
  KeepDurable(synced, &produced);
  TM_RETURN_IF_ERROR(produced.status);
  return std::move(produced.ranges);
}

void LogTopicAccess::ProduceAsync(const std::string& topic, const std::vector<TopicRecord>& records, int32_t partition,
                                  bool create, std::function<void(ProducedRecords)> done) {
  ProducedRecords produced = Append(topic, records, partition, create);
  if (produced.ranges.empty()) return done(std::move(produced));
  const std::vector<AppendedRecords> ranges = produced.ranges;
  auto count = std::make_shared<DurableCount>();
  count->waiting = ranges.size();
  count->synced.resize(ranges.size());
  count->produced = std::move(produced);
  count->done = std::move(done);
  for (size_t i = 0; i < ranges.size(); ++i) {
    const auto on_durable = [count, i](Status status) {
      {
        std::lock_guard lock(count->mutex);
        count->synced[i] = std::move(status);
        if (--count->waiting > 0) return;
      }
      KeepDurable(count->synced, &count->produced);
      count->done(std::move(count->produced));
    };
    const auto target = log_.partition(topic, ranges[i].partition);
    if (!target.ok()) {
      on_durable(target.status());
    } else {
      (*target)->WhenDurable(ranges[i].first_offset + ranges[i].count - 1, on_durable);
    }
  }
}

Result<int64_t> ResolveStartOffset(const std::string& partition, int64_t start, int64_t end, const StartOffset& from) {
  switch (from.kind) {
    case StartOffset::Kind::kStart:
      return start;
    case StartOffset::Kind::kEnd:
      return end;
    case StartOffset::Kind::kBeforeEnd:
      return std::max(start, end - from.number);
    case StartOffset::Kind::kOffset:
    case StartOffset::Kind::kTime:
      break;
  }
  if (from.number < start || from.number > end) {
    return Status(kOffsetOutOfRange,
                  fmt::format("{} has offsets {} to {}, not {}", partition, start, end, from.number));
  }
  return from.number;
}

Result<TopicAccess::Page> LogTopicAccess::Fetch(const std::string& topic, int32_t partition, const StartOffset& from,
                                                int limit) {
  TM_ASSIGN_OR_RETURN(auto source, log_.partition(topic, partition));
  TM_ASSIGN_OR_RETURN(const int64_t offset, ResolveOffset(*source, from));
  Page page;
  page.end_offset = source->Offsets().last_stable;
  PartitionReader reader(source, offset);
  int64_t bytes = 0;
  std::vector<RecordView> views;
  while (static_cast<int>(page.records.size()) < limit && bytes < kPageBytesMax) {
    const int want = std::min(limit - static_cast<int>(page.records.size()), 256);
    TM_RETURN_IF_ERROR(reader.Poll(want, &views));
    if (views.empty()) break;
    for (const RecordView& view : views) {
      FetchedRecord& record = page.records.emplace_back();
      record.partition = partition;
      record.offset = view.offset;
      record.timestamp_ms = view.timestamp_ms;
      if (view.has_key()) record.key = std::string(view.key);
      if (view.has_value()) record.value = std::string(view.value);
      if (view.header_count > 0) {
        TM_ASSIGN_OR_RETURN(const std::vector<RecordHeader> headers, DecodeHeaders(view));
        for (const RecordHeader& header : headers) record.headers.emplace_back(header.key, header.value.value_or(""));
      }
      bytes += static_cast<int64_t>(view.key.size() + view.value.size() + view.header_bytes.size());
    }
  }
  page.next_offset = reader.position();
  return page;
}

std::string RecordToJson(const std::string& topic, const FetchedRecord& record) {
  std::string out = "{\"topic\":";
  AppendJsonText(topic, out);
  out += fmt::format(",\"partition\":{},\"offset\":{},\"timestamp\":{}", record.partition, record.offset,
                     record.timestamp_ms);
  AppendPart("key", record.key, out);
  AppendPart("value", record.value, out);
  if (!record.headers.empty()) {
    out += ",\"headers\":[";
    for (const auto& [name, value] : record.headers) {
      if (out.back() != '[') out += ',';
      out += "{\"key\":";
      AppendJsonText(name, out);
      AppendPart("value", value, out);
      out += '}';
    }
    out += ']';
  }
  return out + "}";
}

Result<std::optional<std::string>> JsonFieldText(std::string_view line, std::string_view field) {
  const simdjson::padded_string padded(line);
  simdjson::ondemand::parser parser;
  simdjson::ondemand::document document;
  simdjson::ondemand::object object;
  if (parser.iterate(padded).get(document) || document.get_object().get(object))
    return Status(kInvalidConfig, "not a JSON object");
  simdjson::ondemand::value value;
  const auto error = object.find_field_unordered(field).get(value);
  if (error == simdjson::NO_SUCH_FIELD) return std::optional<std::string>();
  if (error) return Status(kInvalidConfig, "not a JSON object");
  simdjson::ondemand::json_type type;
  if (value.type().get(type)) return Status(kInvalidConfig, "not a JSON object");
  if (type == simdjson::ondemand::json_type::null) return std::optional<std::string>();
  if (type == simdjson::ondemand::json_type::string) {
    std::string_view text;
    if (value.get_string().get(text))
      return Status(kInvalidConfig, fmt::format("field '{}' is no valid string", field));
    return std::optional<std::string>(text);
  }
  std::string_view raw;
  if (type == simdjson::ondemand::json_type::object || type == simdjson::ondemand::json_type::array) {
    if (simdjson::to_json_string(value).get(raw))
      return Status(kInvalidConfig, fmt::format("field '{}' is not valid JSON", field));
  } else {
    raw = value.raw_json_token();
  }
  while (!raw.empty() && (raw.back() == ' ' || raw.back() == '\t' || raw.back() == '\r')) raw.remove_suffix(1);
  return std::optional<std::string>(raw);
}

}  // namespace tidemill
