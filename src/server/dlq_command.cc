#include <map>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "data/time_text.h"
#include "server/dead_letters.h"
#include "server/topic_command.h"

namespace tidemill {
namespace {

struct DlqOptions {
  std::string topic;
  std::string reason;
  std::string to;
  int64_t records_max = 20;
  bool dry_run = false;
  bool all = false;
};

std::string DeadLetterTime(int64_t ms) {
  std::string text;
  AppendTimestampText(ms, 3, ' ', FractionDigits::kAsPrecision, text);
  return text;
}

int ListAll(CommandContext& context) {
  Result<TopicSession> session = TopicSession::Open(context);
  if (!session.ok()) return context.Fail(session.status());
  const auto groups = session->dead_letters().List();
  if (!groups.ok()) return context.Fail(groups.status());
  Listing listing{{"topic", "reason", "records", "newest", "example"}, {}};
  for (const DeadLetterGroup& group : *groups) {
    std::string example = group.example;
    if (context.options.output == OutputFormat::kText && example.size() > 80) example = example.substr(0, 77) + "...";
    listing.rows.push_back({group.topic, group.reason, group.records, DeadLetterTime(group.newest_ms), example});
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
    std::string out = fmt::format("{}/{}  {}\n", record.partition, record.offset, DeadLetterTime(record.timestamp_ms));
    for (const auto& [name, value] : record.headers) out += fmt::format("  {}: {}\n", name, PrintableText(value));
    if (record.key) out += fmt::format("  key: {}\n", PrintableText(*record.key));
    out += fmt::format("  row: {}\n", record.value ? PrintableText(*record.value) : "NULL");
    return context.console.Print(out);
  });
  return read.ok() ? kExitOk : context.Fail(read);
}

int Replay(CommandContext& context, const DlqOptions& options) {
  Result<TopicSession> session = TopicSession::Open(context);
  if (!session.ok()) return context.Fail(session.status());
  const ReplayRequest request{options.topic, options.to, options.reason, options.dry_run, options.all};
  int64_t replayed = 0;
  std::map<std::string, int64_t> counts;
  std::vector<ReplayRange> rest;
  do {
    const Result<ReplayStep> step = session->dead_letters().Replay(request, rest);
    if (!step.ok()) {
      return context.Fail(
          replayed == 0 ? step.status()
                        : step.status().WithNote(fmt::format("{} records were replayed in earlier steps", replayed)));
    }
    for (const auto& [target, count] : step->records) {
      counts[target] += count;
      replayed += count;
    }
    rest = step->rest;
  } while (!rest.empty());
  Listing listing{{"to", "records"}, {}};
  for (const auto& [target, count] : counts) listing.rows.push_back({target, count});
  if (replayed > 0) context.console.Print(listing);
  context.console.Notice(
      fmt::format("{} {} record{}", options.dry_run ? "would replay" : "replayed", replayed, replayed == 1 ? "" : "s"));
  return kExitOk;
}

int Drop(CommandContext& context, const DlqOptions& options) {
  Result<TopicSession> session = TopicSession::Open(context);
  if (!session.ok()) return context.Fail(session.status());
  const Result<DroppedDeadLetters> dropped = session->dead_letters().Drop(options.topic);
  if (!dropped.ok()) return context.Fail(dropped.status());
  context.console.Notice(
      fmt::format("dropped {} record{} of {}", dropped->records, dropped->records == 1 ? "" : "s", dropped->topic));
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
