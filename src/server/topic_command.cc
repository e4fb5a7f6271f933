#include "server/topic_command.h"

#include <algorithm>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "base/clock.h"
#include "base/errors.h"
#include "data/time_text.h"
#include "log/errors.h"
#include "server/command_line.h"
#include "server/errors.h"
#include "server/line_input.h"

namespace tidemill {
namespace {

constexpr size_t kBatchRecords = 10'000;
constexpr size_t kBatchBytes = 4 << 20;

struct CreateOptions {
  std::string topic;
  int partitions = 1;
  std::vector<std::string> config;
  bool if_not_exists = false;
};

struct ProduceOptions {
  std::string topic;
  std::string file = "-";
  bool keyed = false;
  std::string separator = ":";
  std::string key_field;
  std::string time_field;
  int partition = -1;
  bool create = false;
};

int CreateTopic(CommandContext& context, const CreateOptions& options) {
  Result<TopicSession> session = TopicSession::Open(context, TopicSession::kAlsoBrokers);
  if (!session.ok()) return context.Fail(session.status());
  Config given;
  given.Set("partitions", std::to_string(options.partitions));
  for (const std::string& pair : options.config) {
    const size_t equals = pair.find('=');
    if (equals == std::string::npos)
      return context.Fail(Status(kUsage, fmt::format("-c takes name=value, not '{}'", pair)));
    given.Set(pair.substr(0, equals), pair.substr(equals + 1));
  }
  const auto config = TopicConfig::FromConfig(given, TopicConfig());
  if (!config.ok()) return context.Fail(config.status());
  const Status created = session->topics().Create(options.topic, *config);
  if (created.Is(kTopicExists) && options.if_not_exists) return kExitOk;
  if (!created.ok()) return context.Fail(created);
  context.console.Notice(fmt::format("created topic {} with {} partition{}", options.topic, config->partitions,
                                     config->partitions == 1 ? "" : "s"));
  return kExitOk;
}

// As a reader gets them: markers and aborted transactions have offsets too.
Result<int64_t> CountRecords(TopicAccess& topics, const std::string& topic) {
  int64_t records = 0;
  TM_RETURN_IF_ERROR(ForEachRecord(topics, topic, [&](const FetchedRecord&) -> Result<bool> {
    ++records;
    return true;
  }));
  return records;
}

int ListTopics(CommandContext& context, bool count) {
  Result<TopicSession> session = TopicSession::Open(context, TopicSession::kAlsoBrokers);
  if (!session.ok()) return context.Fail(session.status());
  const auto topics = session->topics().List();
  if (!topics.ok()) return context.Fail(topics.status());
  Listing listing{{"topic", "partitions", "offsets", "bytes"}, {}};
  if (count) listing.columns.emplace_back("records");
  for (const TopicDescription& topic : *topics) {
    int64_t offsets = 0;
    for (const PartitionOffsets& partition : topic.partitions) offsets += partition.end - partition.log_start;
    listing.rows.push_back({topic.name, static_cast<int64_t>(topic.partitions.size()), offsets,
                            topic.size_bytes < 0 ? Cell::Null() : Cell(topic.size_bytes)});
    if (!count) continue;
    const Result<int64_t> records = CountRecords(session->topics(), topic.name);
    if (!records.ok()) return context.Fail(records.status());
    listing.rows.back().push_back(*records);
  }
  context.console.Print(listing);
  return kExitOk;
}

int DescribeTopic(CommandContext& context, const std::string& name) {
  Result<TopicSession> session = TopicSession::Open(context, TopicSession::kAlsoBrokers);
  if (!session.ok()) return context.Fail(session.status());
  const auto topic = session->topics().Describe(name);
  if (!topic.ok()) return context.Fail(topic.status());
  Listing listing{{"partition", "start", "end", "readable_end", "durable_end"}, {}};
  for (size_t i = 0; i < topic->partitions.size(); ++i) {
    const PartitionOffsets& offsets = topic->partitions[i];
    listing.rows.push_back(
        {static_cast<int64_t>(i), offsets.log_start, offsets.end, offsets.last_stable, offsets.durable_end});
  }
  if (context.options.output == OutputFormat::kText) {
    const auto settings = session->topics().Settings(name);
    if (!settings.ok()) return context.Fail(settings.status());
    context.console.Print(topic->size_bytes < 0 ? fmt::format("topic {}\n", topic->name)
                                                : fmt::format("topic {}, {} bytes\n", topic->name, topic->size_bytes));
    for (const auto& [key, value] : settings->values()) context.console.Print(fmt::format("  {} = {}\n", key, value));
  }
  context.console.Print(listing);
  return kExitOk;
}

int DeleteTopic(CommandContext& context, const std::string& name) {
  Result<TopicSession> session = TopicSession::Open(context, TopicSession::kAlsoBrokers);
  if (!session.ok()) return context.Fail(session.status());
  const Status deleted = session->topics().Delete(name);
  if (!deleted.ok()) return context.Fail(deleted);
  context.console.Notice("deleted topic " + name);
  return kExitOk;
}

// The time a JSON line gives: milliseconds since 1970 as a number, or a timestamp as text (UTC without a zone).
Result<int64_t> TimeOf(std::string_view line, const std::string& field) {
  TM_ASSIGN_OR_RETURN(const auto text, JsonFieldText(line, field));
  if (!text) return kNoTimestamp;
  TimestampText parsed;
  if (!text->empty() && text->find_first_not_of("0123456789") == std::string::npos && text->size() < 19) {
    return static_cast<int64_t>(std::stoll(*text));
  }
  if (ParseTimestampText(*text, TimeSyntax::kCast, parsed))
    return (parsed.seconds - parsed.zone_seconds) * 1000 + parsed.nanos / 1'000'000;
  return Status(kInvalidConfig, fmt::format("field '{}' holds no time: '{}'", field, *text));
}

Result<TopicRecord> RecordOf(const std::string& line, const ProduceOptions& options) {
  TopicRecord record;
  if (options.keyed) {
    const size_t at = line.find(options.separator);
    if (at == std::string::npos)
      return Status(kInvalidConfig, fmt::format("no '{}' between key and value", options.separator));
    record.key = line.substr(0, at);
    record.value = line.substr(at + options.separator.size());
  } else {
    record.value = line;
  }
  if (!options.key_field.empty()) {
    TM_ASSIGN_OR_RETURN(record.key, JsonFieldText(*record.value, options.key_field));
  }
  if (!options.time_field.empty()) {
    TM_ASSIGN_OR_RETURN(record.timestamp_ms, TimeOf(*record.value, options.time_field));
  }
  return record;
}

int Produce(CommandContext& context, const ProduceOptions& options) {
  if (options.separator.empty()) return context.Fail(Status(kUsage, "--key-separator is empty"));
  Result<TopicSession> session = TopicSession::Open(context, TopicSession::kAlsoBrokers);
  if (!session.ok()) return context.Fail(session.status());
  Result<LineInput> input = LineInput::Open(options.file);
  if (!input.ok()) return context.Fail(input.status());
  std::vector<TopicRecord> batch;
  size_t batch_bytes = 0;
  int64_t line_number = 0;
  int64_t produced = 0;
  const auto flush = [&]() -> Status {
    if (batch.empty()) return Status::OK();
    const auto ranges = session->topics().Produce(options.topic, batch, options.partition, options.create);
    if (!ranges.ok()) return ranges.status().WithNote(fmt::format("{} records were written before", produced));
    produced += static_cast<int64_t>(batch.size());
    batch.clear();
    batch_bytes = 0;
    context.console.Progress(fmt::format("{} records", WithThousands(produced)));
    return Status::OK();
  };
  std::string line;
  while (input->Next(&line)) {
    ++line_number;
    if (line.empty()) continue;
    Result<TopicRecord> record = RecordOf(line, options);
    if (!record.ok()) {
      // What came before the bad line is kept; it and all after it are not.
      if (const Status flushed = flush(); !flushed.ok()) return context.Fail(flushed);
      return context.Fail(record.status()
                              .WithContext(fmt::format("line {}", line_number))
                              .WithNote(fmt::format("{} records were written before", produced)));
    }
    batch_bytes += line.size();
    batch.push_back(*std::move(record));
    // From a person, or another program that waits: what has come goes out at once.
    if (batch.size() >= kBatchRecords || batch_bytes >= kBatchBytes || input->WouldWait()) {
      if (const Status flushed = flush(); !flushed.ok()) return context.Fail(flushed);
    }
  }
  if (const Status flushed = flush(); !flushed.ok()) return context.Fail(flushed);
  context.console.Notice(
      fmt::format("{} record{} to {}", WithThousands(produced), produced == 1 ? "" : "s", options.topic));
  return kExitOk;
}

void AddProduceOptions(CLI::App* app, ProduceOptions& options) {
  app->add_option("TOPIC", options.topic, "Its name")->required();
  app->add_option("-p,--partition", options.partition, "Write to this partition only");
  app->add_option("--key-field", options.key_field, "The key is this field of the JSON line");
  app->add_option("--time-field", options.time_field,
                  "The timestamp is this field of the JSON line (milliseconds, or text)");
  app->add_flag("--create", options.create, "Create the topic when it is missing");
}

}  // namespace

void AddTopicCommands(CLI::App& parent, CommandList& commands) {
  CLI::App* group = parent.add_subcommand("topic", "Create, list, fill and read topics");
  group->footer(
      "\nOf the embedded log, of a running server (--server), or of any Kafka cluster (--brokers).\n\nExamples:\n  "
      "tidemill "
      "topic create clicks --partitions 2\n  tidemill topic consume clicks -o start -n 10\n  tidemill topic list "
      "--brokers "
      "127.0.0.1:9092");

  auto create = std::make_shared<CreateOptions>();
  CLI::App* app = group->add_subcommand("create", "Create a topic");
  app->add_option("TOPIC", create->topic, "Its name: [A-Za-z0-9._-]{1,128}")->required();
  app->add_option("--partitions", create->partitions, "How many")->capture_default_str();
  app->add_option("-c,--config", create->config, "name=value, Kafka's names: retention.ms=86400000; repeatable")
      ->allow_extra_args(false);
  app->add_flag("--if-not-exists", create->if_not_exists, "Succeed when it is there already");
  app->footer("\nExample:\n  tidemill topic create clicks --partitions 2 -c retention.ms=86400000");
  commands.push_back({app, [create](CommandContext& context) { return CreateTopic(context, *create); }});

  auto count = std::make_shared<bool>(false);
  app = group->add_subcommand("list", "List topics with their partitions, offsets and bytes");
  app->add_flag("--count", *count, "Also count the records that a reader gets: reads the topics whole");
  app->footer(
      "\nOffsets are those between start and end: records, those of aborted transactions, and a marker for each "
      "transaction.\n\nExample:\n  tidemill topic list --count --output json");
  commands.push_back({app, [count](CommandContext& context) { return ListTopics(context, *count); }});

  auto described = std::make_shared<std::string>();
  app = group->add_subcommand("describe", "Show a topic's settings and offsets");
  app->add_option("TOPIC", *described, "Its name")->required();
  app->footer("\nExample:\n  tidemill topic describe clicks");
  commands.push_back({app, [described](CommandContext& context) { return DescribeTopic(context, *described); }});

  auto deleted = std::make_shared<std::string>();
  app = group->add_subcommand("delete", "Delete a topic and all its records");
  app->add_option("TOPIC", *deleted, "Its name")->required();
  app->footer("\nExample:\n  tidemill topic delete clicks");
  commands.push_back({app, [deleted](CommandContext& context) { return DeleteTopic(context, *deleted); }});

  auto produce = std::make_shared<ProduceOptions>();
  app = group->add_subcommand("produce", "Append records from standard input, one a line");
  AddProduceOptions(app, *produce);
  app->add_flag("-k,--keyed", produce->keyed, "Lines are key:value");
  app->add_option("--key-separator", produce->separator, "Between key and value")->capture_default_str();
  app->footer(
      "\nExamples:\n  echo '{\"user\":\"a\"}' | tidemill topic produce clicks --create\n"
      "  printf 'a:1\\nb:2\\n' | tidemill topic produce counts -k\n\nA line is acknowledged (exit code 0) when it is "
      "on disk.");
  commands.push_back({app, [produce](CommandContext& context) { return Produce(context, *produce); }});

  auto import = std::make_shared<ProduceOptions>();
  app = group->add_subcommand("import", "Append the lines of a file (JSON lines)");
  AddProduceOptions(app, *import);
  app->add_option("FILE", import->file, "Its path; - is standard input")->required();
  app->footer("\nExample:\n  tidemill topic import clicks clicks.jsonl --key-field user --time-field ts");
  commands.push_back({app, [import](CommandContext& context) { return Produce(context, *import); }});

  AddConsumeCommands(*group, commands);
}

}  // namespace tidemill
