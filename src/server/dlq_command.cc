#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "base/errors.h"
#include "data/time_text.h"
#include "log/errors.h"
#include "server/dead_letters.h"
#include "server/errors.h"
#include "server/topic_command.h"

namespace tidemill {
namespace {

constexpr const char* kReplayGroup = "dlq-replay";
constexpr size_t kReplayBatch = 1000;

struct DlqOptions {
  std::string topic;
  std::string reason;
  std::string to;
  int64_t records_max = 20;
  bool dry_run = false;
  bool all = false;
};

std::string TimeText(int64_t ms) {
  std::string text;
  AppendTimestampText(ms, 3, ' ', FractionDigits::kAsPrecision, text);
  return text;
}

// The name as given, or with "dlq." before it.
Result<std::string> FindDeadLetterTopic(TopicAccess& topics, const std::string& name) {
  const std::string topic = IsDeadLetterTopic(name) ? name : "dlq." + name;
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

int ListAll(CommandContext& context) {
  Result<TopicSession> session = TopicSession::Open(context);
  if (!session.ok()) return context.Fail(session.status());
  const auto groups = ListDeadLetters(session->topics());
  if (!groups.ok()) return context.Fail(groups.status());
  Listing listing{{"topic", "reason", "records", "newest", "example"}, {}};
  for (const DeadLetterGroup& group : *groups) {
    std::string example = group.example;
    if (context.options.output == OutputFormat::kText && example.size() > 80) example = example.substr(0, 77) + "...";
    listing.rows.push_back({group.topic, group.reason, group.records, TimeText(group.newest_ms), example});
  }
  if (groups->empty() && context.options.output == OutputFormat::kText) {
    context.console.Notice("no dead letters");
    return kExitOk;
  }
  context.console.Print(listing);
  return kExitOk;
}

int Show(CommandContext& context, const DlqOptions& options) {
  Result<TopicSession> session = TopicSession::Open(context);
  if (!session.ok()) return context.Fail(session.status());
  const auto topic = FindDeadLetterTopic(session->topics(), options.topic);
  if (!topic.ok()) return context.Fail(topic.status());
  int64_t shown = 0;
  const Status read = ForEachRecord(session->topics(), *topic, [&](const FetchedRecord& record) -> Result<bool> {
    if (!options.reason.empty() && record.header("reason") != options.reason) return true;
    if (options.records_max >= 0 && shown >= options.records_max) return false;
    ++shown;
    if (context.options.output != OutputFormat::kText)
      return context.console.Print(RecordToJson(*topic, record) + "\n");
    std::string out = fmt::format("{}/{}  {}\n", record.partition, record.offset, TimeText(record.timestamp_ms));
    for (const auto& [name, value] : record.headers) out += fmt::format("  {}: {}\n", name, PrintableText(value));
    if (record.key) out += fmt::format("  key: {}\n", PrintableText(*record.key));
    out += fmt::format("  row: {}\n", record.value ? PrintableText(*record.value) : "NULL");
    return context.console.Print(out);
  });
  return read.ok() ? kExitOk : context.Fail(read);
}

// Where a dead letter's row is written again: --to, else the topic it was read from, else the webhook's outbox.
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

Status ReplayTopic(CommandContext& context, TopicSession& session, const std::string& topic,
                   const DlqOptions& options) {
  ConsumerPositions& positions = session.log().positions();
  TM_ASSIGN_OR_RETURN(const TopicDescription description, session.topics().Describe(topic));
  int64_t replayed = 0;
  std::map<std::string, int64_t> counts;
  for (size_t i = 0; i < description.partitions.size(); ++i) {
    const auto partition = static_cast<int32_t>(i);
    const auto position = positions.Get(kReplayGroup, topic, partition);
    StartOffset from;
    if (position && !options.all)
      from = StartOffset{StartOffset::Kind::kOffset, std::max(position->offset, description.partitions[i].log_start)};
    while (true) {
      TM_ASSIGN_OR_RETURN(const TopicAccess::Page page, session.topics().Fetch(topic, partition, from, kReplayBatch));
      if (page.records.empty()) break;
      std::map<std::string, std::vector<TopicRecord>> by_target;
      for (const FetchedRecord& record : page.records) {
        if (!options.reason.empty() && record.header("reason") != options.reason) continue;
        TM_ASSIGN_OR_RETURN(const std::string target, TargetOf(session.topics(), topic, record, options.to));
        by_target[target].push_back({record.key, record.value, kNoTimestamp});
      }
      for (const auto& [target, records] : by_target) {
        if (!options.dry_run) TM_RETURN_IF_ERROR(session.topics().Produce(target, records, -1, false).status());
        counts[target] += static_cast<int64_t>(records.size());
        replayed += static_cast<int64_t>(records.size());
      }
      from = StartOffset{StartOffset::Kind::kOffset, page.next_offset};
      // With --reason the others stay to be replayed: the position does not move.
      if (!options.dry_run && options.reason.empty()) {
        TM_RETURN_IF_ERROR(positions.Commit(kReplayGroup, {{topic, partition, page.next_offset, "", 0}}));
      }
    }
  }
  Listing listing{{"to", "records"}, {}};
  for (const auto& [target, count] : counts) listing.rows.push_back({target, count});
  if (replayed > 0) context.console.Print(listing);
  context.console.Notice(
      fmt::format("{} {} record{}", options.dry_run ? "would replay" : "replayed", replayed, replayed == 1 ? "" : "s"));
  return Status::OK();
}

int Replay(CommandContext& context, const DlqOptions& options) {
  Result<TopicSession> session = TopicSession::OpenLocal(context, "dlq replay");
  if (!session.ok()) return context.Fail(session.status());
  const auto topic = FindDeadLetterTopic(session->topics(), options.topic);
  if (!topic.ok()) return context.Fail(topic.status());
  const Status replayed = ReplayTopic(context, *session, *topic, options);
  return replayed.ok() ? kExitOk : context.Fail(replayed);
}

int Drop(CommandContext& context, const DlqOptions& options) {
  Result<TopicSession> session = TopicSession::OpenLocal(context, "dlq drop");
  if (!session.ok()) return context.Fail(session.status());
  const auto topic = FindDeadLetterTopic(session->topics(), options.topic);
  if (!topic.ok()) return context.Fail(topic.status());
  const auto description = session->topics().Describe(*topic);
  if (!description.ok()) return context.Fail(description.status());
  int64_t dropped = 0;
  for (size_t i = 0; i < description->partitions.size(); ++i) {
    const auto partition = session->log().partition(*topic, static_cast<int32_t>(i));
    if (!partition.ok()) return context.Fail(partition.status());
    const PartitionOffsets offsets = (*partition)->Offsets();
    if (const Status trimmed = (*partition)->TrimBefore(offsets.last_stable); !trimmed.ok())
      return context.Fail(trimmed);
    dropped += offsets.last_stable - offsets.log_start;
  }
  context.console.Notice(fmt::format("dropped {} record{} of {}", dropped, dropped == 1 ? "" : "s", *topic));
  return kExitOk;
}

}  // namespace

void AddDlqCommands(CLI::App& parent, CommandList& commands) {
  CLI::App* group = parent.add_subcommand("dlq", "See and replay rows that were refused (dead letters)");
  group->footer("\nExample:\n  tidemill dlq list\n  tidemill dlq show transactions -n 5");
  auto options = std::make_shared<DlqOptions>();

  CLI::App* app = group->add_subcommand("list", "Count dead letters by table and reason");
  app->footer("\nExample:\n  tidemill dlq list");
  commands.push_back({app, ListAll});

  app = group->add_subcommand("show", "Print dead letters with their reason and place");
  app->add_option("TABLE", options->topic, "Table, or topic dlq.TABLE")->required();
  app->add_option("-n,--num", options->records_max, "At most so many; -1 = all")->capture_default_str();
  app->add_option("--reason", options->reason, "Only those: malformed, wrong_type, late, undeliverable, ...");
  app->footer("\nExample:\n  tidemill dlq show transactions --reason wrong_type -n 5");
  commands.push_back({app, [options](CommandContext& context) { return Show(context, *options); }});

  app = group->add_subcommand("replay", "Write the rows again to where they came from; each once, unless --all");
  app->add_option("TABLE", options->topic, "Table, or topic dlq.TABLE")->required();
  app->add_option("--to", options->to, "Topic to write to");
  app->add_option("--reason", options->reason, "Only those with this reason");
  app->add_flag("--dry-run", options->dry_run, "Count, write nothing");
  app->add_flag("--all", options->all, "Also those that were replayed before");
  app->footer("\nExample:\n  tidemill dlq replay blocked --dry-run");
  commands.push_back({app, [options](CommandContext& context) { return Replay(context, *options); }});

  app = group->add_subcommand("drop", "Forget all dead letters of a table");
  app->add_option("TABLE", options->topic, "Table, or topic dlq.TABLE")->required();
  app->footer("\nExample:\n  tidemill dlq drop transactions");
  commands.push_back({app, [options](CommandContext& context) { return Drop(context, *options); }});
}

}  // namespace tidemill
