#include <algorithm>
#include <fstream>
#include <memory>
#include <thread>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "base/errors.h"
#include "data/time_text.h"
#include "server/errors.h"
#include "server/signal_watch.h"
#include "server/topic_command.h"

namespace tidemill {
namespace {

constexpr int kPageRecords = 1000;
constexpr int kFollowPauseMs = 100;

struct ConsumeOptions {
  std::string topic;
  std::string offset = "start";
  std::string file = "-";
  std::string format = "%v";
  int64_t records_max = -1;
  int partition = -1;
  bool follow = false;
  bool no_follow = false;
};

std::string RecordTime(int64_t ms) {
  std::string text;
  AppendTimestampText(ms, 3, ' ', FractionDigits::kAsPrecision, text);
  return text;
}

// One partition being read.
struct Cursor {
  int32_t partition = 0;
  StartOffset from;
  int64_t stop_at = 0;  // offset, when not following
  TopicAccess::Page page;
  size_t next = 0;  // in page.records

  bool has_record() const { return next < page.records.size(); }
};

// Reads a topic's partitions as one stream: among what is there now, the oldest timestamp first.
class TopicStream {
 public:
  TopicStream(TopicAccess& topics, const ConsumeOptions& options, bool follow)
      : topics_(topics), options_(options), follow_(follow) {}

  Status Open() {
    TM_ASSIGN_OR_RETURN(StartOffset from, StartOffset::Parse(options_.offset == ":end" ? "start" : options_.offset));
    TM_ASSIGN_OR_RETURN(const TopicDescription topic, topics_.Describe(options_.topic));
    const auto partitions = static_cast<int32_t>(topic.partitions.size());
    if (options_.partition >= partitions) {
      return Status(kUsage, fmt::format("topic {} has {} partitions, numbered from 0", options_.topic, partitions));
    }
    for (int32_t i = 0; i < partitions; ++i) {
      if (options_.partition >= 0 && i != options_.partition) continue;
      cursors_.push_back({i, from, topic.partitions[static_cast<size_t>(i)].last_stable, {}, 0});
    }
    return Status::OK();
  }

  // Fills every cursor that has run empty; false when nothing is there now.
  Result<bool> Fill() {
    bool any = false;
    for (Cursor& cursor : cursors_) {
      if (!cursor.has_record()) {
        TM_ASSIGN_OR_RETURN(cursor.page, topics_.Fetch(options_.topic, cursor.partition, cursor.from, kPageRecords));
        cursor.from = StartOffset{StartOffset::Kind::kOffset, cursor.page.next_offset};
        cursor.next = 0;
        if (!follow_) {
          std::erase_if(cursor.page.records,
                        [&](const FetchedRecord& record) { return record.offset >= cursor.stop_at; });
        }
      }
      any = any || cursor.has_record();
    }
    return any;
  }

  // The oldest record that is there; null when a cursor has to be filled first.
  const FetchedRecord* Next() {
    Cursor* oldest = nullptr;
    for (Cursor& cursor : cursors_) {
      if (!cursor.has_record()) {
        if (cursor.next > 0) return nullptr;  // its next page may hold older ones
        continue;
      }
      if (oldest == nullptr ||
          cursor.page.records[cursor.next].timestamp_ms < oldest->page.records[oldest->next].timestamp_ms) {
        oldest = &cursor;
      }
    }
    return oldest == nullptr ? nullptr : &oldest->page.records[oldest->next++];
  }

 private:
  TopicAccess& topics_;
  const ConsumeOptions& options_;
  const bool follow_;
  std::vector<Cursor> cursors_;
};

using Write = std::function<bool(std::string_view)>;

int ReadTopic(CommandContext& context, const ConsumeOptions& options, const Write& write) {
  SignalWatch signals;
  Result<TopicSession> session = TopicSession::Open(context, TopicSession::kAlsoBrokers);
  if (!session.ok()) return context.Fail(session.status());
  // A data directory that this process has open can't grow: there is nothing to follow.
  const bool follow = options.follow || (session->is_remote() && !options.no_follow && options.offset != ":end");
  TopicStream stream(session->topics(), options, follow);
  if (const Status opened = stream.Open(); !opened.ok()) return context.Fail(opened);
  int64_t written = 0;
  std::string out;
  while (options.records_max < 0 || written < options.records_max) {
    const auto filled = stream.Fill();
    if (!filled.ok()) return context.Fail(filled.status());
    if (signals.Next(*filled ? 0 : follow ? kFollowPauseMs : 0)) return kExitInterrupted;
    if (!*filled) {
      if (!follow) break;
      continue;
    }
    out.clear();
    while (options.records_max < 0 || written < options.records_max) {
      const FetchedRecord* record = stream.Next();
      if (record == nullptr) break;
      if (context.options.output == OutputFormat::kJson) {
        out += RecordToJson(options.topic, *record) + "\n";
      } else {
        const auto text = FormatRecord(options.format, options.topic, *record);
        if (!text.ok()) return context.Fail(text.status());
        out += *text;
      }
      ++written;
    }
    if (!write(out)) return kExitFailed;
  }
  return kExitOk;
}

int Consume(CommandContext& context, const ConsumeOptions& options) {
  return ReadTopic(context, options, [&](std::string_view text) { return context.console.Print(text); });
}

int Export(CommandContext& context, const ConsumeOptions& options) {
  if (options.file == "-") return Consume(context, options);
  std::ofstream file(options.file, std::ios::binary | std::ios::trunc);
  if (!file) return context.Fail(Status(kPermissionDenied, fmt::format("can't write '{}'", options.file)));
  const int code = ReadTopic(context, options, [&](std::string_view text) {
    file.write(text.data(), static_cast<std::streamsize>(text.size()));
    return file.good();
  });
  file.close();
  if (!file.good()) return context.Fail(Status(kIoError, fmt::format("can't write '{}'", options.file)));
  return code;
}

}  // namespace

Result<std::string> FormatRecord(std::string_view format, const std::string& topic, const FetchedRecord& record) {
  std::string out;
  for (size_t i = 0; i < format.size(); ++i) {
    const char c = format[i];
    if ((c != '%' && c != '\\') || i + 1 == format.size()) {
      out += c;
      continue;
    }
    const char what = format[++i];
    if (c == '\\') {
      out += what == 'n' ? '\n' : what == 't' ? '\t' : what;
      continue;
    }
    switch (what) {
      case 't':
        out += topic;
        break;
      case 'p':
        out += std::to_string(record.partition);
        break;
      case 'o':
        out += std::to_string(record.offset);
        break;
      case 'd':
        out += std::to_string(record.timestamp_ms);
        break;
      case 'T':
        out += RecordTime(record.timestamp_ms);
        break;
      case 'k':
        out += record.key.value_or("");
        break;
      case 'v':
        out += record.value.value_or("");
        break;
      case '%':
        out += '%';
        break;
      default:
        return Status(kUsage, fmt::format("'%{}' means nothing in --format", what))
            .WithNote(
                "%t topic, %p partition, %o offset, %d timestamp in ms, %T timestamp as text, %k key, %v value, %% "
                "percent");
    }
  }
  if (!format.ends_with("\\n")) out += '\n';
  return out;
}

void AddConsumeCommands(CLI::App& group, CommandList& commands) {
  auto consume = std::make_shared<ConsumeOptions>();
  CLI::App* app = group.add_subcommand("consume", "Print records, oldest first");
  app->add_option("TOPIC", consume->topic, "Its name")->required();
  app->add_option("-o,--offset", consume->offset,
                  "start, end, :end (from the start, stop at the end), N, -N (before the end), @TIME")
      ->capture_default_str();
  app->add_option("-n,--num", consume->records_max, "Stop after so many records");
  app->add_option("-p,--partition", consume->partition, "Read this partition only");
  app->add_option("--format", consume->format,
                  "%t topic %p partition %o offset %d time (ms) %T time (text) %k key %v value; \\n \\t")
      ->capture_default_str();
  app->add_flag("-f,--follow", consume->follow, "Wait for more (what --server does by itself)");
  app->add_flag("--no-follow", consume->no_follow, "Stop at the end (what a data directory does by itself)");
  app->footer(
      "\nExamples:\n  tidemill topic consume clicks -n 10 --format '%p/%o %k %v'\n"
      "  tidemill topic consume clicks -o @2026-01-01T00:00 --output json\n"
      "  tidemill topic consume scores -o end --server http://127.0.0.1:8080");
  commands.push_back({app, [consume](CommandContext& context) { return Consume(context, *consume); }});

  auto exported = std::make_shared<ConsumeOptions>();
  exported->no_follow = true;
  app = group.add_subcommand("export", "Write the values of a topic to a file, one a line");
  app->add_option("TOPIC", exported->topic, "Its name")->required();
  app->add_option("FILE", exported->file, "Its path; - is standard output")->required();
  app->add_option("--format", exported->format, "As for consume")->capture_default_str();
  app->footer("\nExample:\n  tidemill topic export clicks clicks.jsonl");
  commands.push_back({app, [exported](CommandContext& context) { return Export(context, *exported); }});
}

}  // namespace tidemill
