#include <algorithm>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "server/command_line.h"
#include "server/errors.h"
#include "server/topic_command.h"

namespace tidemill {
namespace {

struct SeekOptions {
  std::string group;
  std::string to;
  std::vector<std::string> topics;
  int partition = -1;
  bool dry_run = false;
};

int ListGroups(CommandContext& context) {
  Result<TopicSession> session = TopicSession::Open(context, TopicSession::kAlsoBrokers);
  if (!session.ok()) return context.Fail(session.status());
  const Result<GroupAccess*> access = session->groups();
  if (!access.ok()) return context.Fail(access.status());
  const auto groups = (*access)->List();
  if (!groups.ok()) return context.Fail(groups.status());
  Listing listing{{"group", "state"}, {}};
  for (const auto& [group, state] : *groups) listing.rows.push_back({group, state});
  context.console.Print(listing);
  return kExitOk;
}

int DescribeGroup(CommandContext& context, const std::string& group) {
  Result<TopicSession> session = TopicSession::Open(context, TopicSession::kAlsoBrokers);
  if (!session.ok()) return context.Fail(session.status());
  const Result<GroupAccess*> access = session->groups();
  if (!access.ok()) return context.Fail(access.status());
  const auto details = (*access)->Describe(group);
  if (!details.ok()) return context.Fail(details.status());
  Listing listing{{"topic", "partition", "committed", "end", "lag", "client", "host"}, {}};
  int64_t lag = 0;
  for (const GroupPosition& position : details->positions) {
    const bool is_known = position.committed >= 0;
    const int64_t behind = std::max<int64_t>(0, position.end - position.committed);
    if (is_known) lag += behind;
    listing.rows.push_back({position.topic, position.partition, is_known ? Cell(position.committed) : Cell::Null(),
                            position.end, is_known ? Cell(behind) : Cell::Null(), position.client_id, position.host});
  }
  if (context.options.output == OutputFormat::kText)
    context.console.Print(fmt::format("group {}, {}, {} records behind\n", group, details->state, WithThousands(lag)));
  context.console.Print(listing);
  return kExitOk;
}

// Where each partition that is meant is to go on.
Result<std::map<KafkaPartition, int64_t>> Targets(TopicSession& session, GroupAccess& access,
                                                  const SeekOptions& options) {
  TM_ASSIGN_OR_RETURN(const StartOffset to, StartOffset::Parse(options.to));
  std::map<std::string, std::vector<int32_t>> wanted;
  if (options.topics.empty()) {
    TM_ASSIGN_OR_RETURN(const GroupDetails details, access.Describe(options.group));
    for (const GroupPosition& position : details.positions) wanted[position.topic].push_back(position.partition);
  }
  for (const std::string& topic : options.topics) {
    TM_ASSIGN_OR_RETURN(const TopicDescription description, session.topics().Describe(topic));
    for (size_t i = 0; i < description.partitions.size(); ++i) wanted[topic].push_back(static_cast<int32_t>(i));
  }
  std::map<KafkaPartition, int64_t> targets;
  for (const auto& [topic, partitions] : wanted) {
    for (const int32_t partition : partitions) {
      if (options.partition >= 0 && partition != options.partition) continue;
      TM_ASSIGN_OR_RETURN(targets[(KafkaPartition{topic, partition})], session.topics().Resolve(topic, partition, to));
    }
  }
  if (targets.empty())
    return Status(kUsage, fmt::format("group '{}' has no such partition: name a --topic", options.group));
  return targets;
}

int SeekGroup(CommandContext& context, const SeekOptions& options) {
  Result<TopicSession> session = TopicSession::Open(context, TopicSession::kAlsoBrokers);
  if (!session.ok()) return context.Fail(session.status());
  const Result<GroupAccess*> access = session->groups();
  if (!access.ok()) return context.Fail(access.status());
  const auto targets = Targets(*session, **access, options);
  if (!targets.ok()) return context.Fail(targets.status());
  if (!options.dry_run) {
    if (const Status moved = (*access)->Seek(options.group, *targets); !moved.ok()) return context.Fail(moved);
  }
  Listing listing{{"topic", "partition", "offset"}, {}};
  for (const auto& [partition, offset] : *targets)
    listing.rows.push_back({partition.topic, partition.partition, offset});
  context.console.Print(listing);
  if (options.dry_run) context.console.Notice("dry run: nothing was moved");
  return kExitOk;
}

int DeleteGroup(CommandContext& context, const std::string& group) {
  Result<TopicSession> session = TopicSession::Open(context, TopicSession::kAlsoBrokers);
  if (!session.ok()) return context.Fail(session.status());
  const Result<GroupAccess*> access = session->groups();
  if (!access.ok()) return context.Fail(access.status());
  if (const Status deleted = (*access)->Delete(group); !deleted.ok()) return context.Fail(deleted);
  context.console.Notice("deleted group " + group);
  return kExitOk;
}

}  // namespace

void AddGroupCommands(CLI::App& parent, CommandList& commands) {
  CLI::App* root = parent.add_subcommand("group", "Look at and move consumer groups");
  root->footer(
      "\nOf the data directory, or of any Kafka cluster (a running Tidemill too) with --brokers.\n\nExamples:\n"
      "  tidemill group list --brokers 127.0.0.1:9092\n  tidemill group seek billing --to start --topic orders");

  CLI::App* app = root->add_subcommand("list", "List groups with their state");
  app->footer("\nExample:\n  tidemill group list --output json");
  commands.push_back({app, [](CommandContext& context) { return ListGroups(context); }});

  auto described = std::make_shared<std::string>();
  app = root->add_subcommand("describe", "Show where a group has got to, how far it is behind, and who reads");
  app->add_option("GROUP", *described, "Its name")->required();
  app->footer("\nExample:\n  tidemill group describe billing --brokers 127.0.0.1:9092");
  commands.push_back({app, [described](CommandContext& context) { return DescribeGroup(context, *described); }});

  auto seek = std::make_shared<SeekOptions>();
  app = root->add_subcommand("seek", "Move a group that nobody reads in");
  app->add_option("GROUP", seek->group, "Its name")->required();
  app->add_option(
         "--to", seek->to,
         "start, end, an offset, -5 (five before the end), or @2026-01-01T00:00:00 (the first record from then on)")
      ->required();
  app->add_option("--topic", seek->topics, "All partitions of this topic; default: those the group has offsets of")
      ->allow_extra_args(false);
  app->add_option("-p,--partition", seek->partition, "This partition only");
  app->add_flag("--dry-run", seek->dry_run, "Only show where it would go");
  app->footer(
      "\nExamples:\n  tidemill group seek billing --to start\n  tidemill group seek billing --to @2026-01-01T00:00:00 "
      "--topic orders --dry-run");
  commands.push_back({app, [seek](CommandContext& context) { return SeekGroup(context, *seek); }});

  auto deleted = std::make_shared<std::string>();
  app = root->add_subcommand("delete", "Forget a group's offsets");
  app->add_option("GROUP", *deleted, "Its name")->required();
  app->footer("\nExample:\n  tidemill group delete billing");
  commands.push_back({app, [deleted](CommandContext& context) { return DeleteGroup(context, *deleted); }});
}

}  // namespace tidemill
