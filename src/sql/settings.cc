#include "sql/settings.h"

#include <algorithm>

#include <cctz/time_zone.h>
#include <fmt/format.h>

#include "sql/errors.h"

namespace tidemill {
namespace {

using Type = Setting::Type;

constexpr std::string_view kIgnoredPrefixes[] = {"akka.",
                                                 "blob.",
                                                 "cluster.",
                                                 "env.",
                                                 "fs.",
                                                 "high-availability",
                                                 "historyserver.",
                                                 "jobmanager.",
                                                 "kubernetes.",
                                                 "metrics.",
                                                 "rest.",
                                                 "security.",
                                                 "slot.",
                                                 "taskmanager.",
                                                 "web.",
                                                 "yarn.",
                                                 "python.",
                                                 "classloader.",
                                                 "restart-strategy",
                                                 "sql-client.",
                                                 "table.optimizer.",
                                                 "table.plan.",
                                                 "table.planner",
                                                 "table.sql-dialect",
                                                 "table.exec.mini-batch.",
                                                 "table.exec.resource.",
                                                 "table.exec.shuffle-mode",
                                                 "table.exec.spill-compression.",
                                                 "table.exec.sort.",
                                                 "table.exec.disabled-operators",
                                                 "table.exec.legacy-",
                                                 "table.exec.simplify-operator-name-enabled",
                                                 "table.exec.rank.",
                                                 "table.exec.deduplicate.",
                                                 "table.dml-sync",
                                                 "table.generated-code.",
                                                 "table.builtin-",
                                                 "table.catalog-",
                                                 "table.display.",
                                                 "table.rtas-",
                                                 "table.exec.operator-fusion-codegen.",
                                                 "pipeline.auto-generate-uids",
                                                 "pipeline.cached-files",
                                                 "pipeline.classpaths",
                                                 "pipeline.closure-cleaner-level",
                                                 "pipeline.jars",
                                                 "pipeline.object-reuse",
                                                 "pipeline.operator-chaining",
                                                 "pipeline.max-parallelism",
                                                 "pipeline.generic-types",
                                                 "pipeline.serialization-config",
                                                 "pipeline.vertex-",
                                                 "execution.attached",
                                                 "execution.shutdown-on-attached-exit",
                                                 "execution.batch",
                                                 "execution.buffer-timeout",
                                                 "execution.sort",
                                                 "execution.target",
                                                 "execution.checkpointing.mode",
                                                 "execution.checkpointing.unaligned",
                                                 "execution.checkpointing.timeout",
                                                 "execution.checkpointing.tolerable",
                                                 "execution.checkpointing.max-concurrent",
                                                 "execution.checkpointing.num-retained",
                                                 "execution.checkpointing.externalized",
                                                 "execution.checkpointing.incremental",
                                                 "execution.checkpointing.storage",
                                                 "state.checkpoint-storage",
                                                 "state.storage.",
                                                 "state.latency-track",
                                                 "state.backend.rocksdb",
                                                 "state.backend.incremental",
                                                 "state.backend.local-recovery",
                                                 "state.backend.changelog",
                                                 "state.checkpoints.",
                                                 "state.savepoints.dir"};

std::string ChoiceList(std::string_view choices) {
  std::string out(choices);
  std::string text;
  for (char c : out) text += c == '|' ? std::string(", ") : std::string(1, c);
  return text;
}

std::string Lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

// The choice that `value` is in any case, as it is spelled in `choices`; empty when it is none.
std::string_view ChoiceOf(std::string_view choices, std::string_view value) {
  while (!choices.empty()) {
    const std::string_view choice = choices.substr(0, choices.find('|'));
    if (Lower(choice) == Lower(value)) return choice;
    choices.remove_prefix(std::min(choice.size() + 1, choices.size()));
  }
  return {};
}

}  // namespace

const std::vector<Setting>& KnownSettings() {
  static const std::vector<Setting> kSettings = {
      {"execution.checkpointing.interval", Type::kDuration, "", "1 s", "how long an epoch is"},
      {"execution.checkpointing.min-pause", Type::kDuration, "", "0 ms",
       "least time between the end of an epoch and the next"},
      {"execution.runtime-mode", Type::kChoice, "streaming|batch|automatic", "streaming",
       "the same here: bounded input is a stream that ends"},
      {"parallelism.default", Type::kInteger, "", "1", "lanes"},
      {"pipeline.auto-watermark-interval", Type::kDuration, "", "0 ms", "watermarks advance per row; kept for Flink"},
      {"pipeline.name", Type::kText, "", "", "the job's name"},
      {"state.backend", Type::kChoice, "memory|hashmap|rocksdb", "memory", "where keyed state lives"},
      {"state.backend.type", Type::kChoice, "memory|hashmap|rocksdb", "memory", "where keyed state lives"},
      {"table.exec.async-ml-predict.max-concurrent-operations", Type::kInteger, "", "10",
       "requests of ML_PREDICT in flight"},
      {"table.exec.async-ml-predict.output-mode", Type::kChoice, "ordered|allow_unordered", "ordered",
       "whether predictions keep the rows' order"},
      {"table.exec.async-ml-predict.timeout", Type::kDuration, "", "3 min", "deadline of a prediction"},
      {"table.exec.emit.allow-lateness", Type::kDuration, "", "0 ms", "how long a fired window is kept for late rows"},
      {"table.exec.over.emit", Type::kChoice, "on-watermark|on-arrival", "on-watermark",
       "when OVER gives a row its values"},
      {"table.exec.sink.not-null-enforcer", Type::kChoice, "ERROR|DROP", "", "NULL for a NOT NULL column of a sink"},
      {"table.exec.source.idle-timeout", Type::kDuration, "", "0 ms",
       "a partition without rows for this long holds no watermark back"},
      {"table.exec.source.rowtime-null-handling", Type::kChoice, "FAIL|DROP|SKIP_WATERMARK", "FAIL",
       "a row without event time"},
      {"table.exec.state.ttl", Type::kDuration, "", "0 ms", "idle group state is dropped after this"},
      {"table.exec.window.idle-close", Type::kDuration, "", "0 ms", "wall-clock close of windows when data stops"},
      {"table.exec.temporal-join.emit", Type::kChoice, "on-watermark|on-arrival", "on-watermark",
       "when a temporal join gives a left row its version"},
      {"table.local-time-zone", Type::kTimeZone, "", "UTC", "zone of TIMESTAMP_LTZ texts and windows"},
  };
  return kSettings;
}

Status CheckSetting(const std::string& key, const std::string& value, const SourcePosition& key_position,
                    const SourcePosition& value_position, std::string& warning) {
  std::vector<std::string> names;
  for (const Setting& setting : KnownSettings()) {
    names.emplace_back(setting.key);
    if (setting.key != key) continue;
    const Config one(std::map<std::string, std::string>{{key, value}});
    Status parsed;
    switch (setting.type) {
      case Type::kText:
        break;
      case Type::kBoolean:
        parsed = one.GetBool(key, false).status();
        break;
      case Type::kInteger: {
        Result<int64_t> number = one.GetInt(key, 0);
        parsed = number.status();
        if (number.ok() && *number < 0)
          parsed = Status(kInvalidOption, fmt::format("'{}' is '{}', expected 0 or more", key, value));
        break;
      }
      case Type::kDuration:
        parsed = one.GetDurationMs(key, 0).status();
        break;
      case Type::kTimeZone: {
        cctz::time_zone zone;
        if (!cctz::load_time_zone(value, &zone)) {
          parsed = Status(kInvalidOption, fmt::format("'{}' is not a time zone", value))
                       .WithHint("write it as 'UTC' or 'Europe/Berlin'");
        }
        break;
      }
      case Type::kChoice:
        if (key == "table.exec.over.emit" && Lower(value) == "on-arrival-corrected") {
          return Status(kUnsupportedSyntax, "'on-arrival-corrected' of 'table.exec.over.emit' is not supported")
              .At(value_position)
              .WithHint("'on-arrival' or 'on-watermark'");
        }
        if (ChoiceOf(setting.choices, value).empty()) {
          parsed = Status(kInvalidOption,
                          fmt::format("'{}' is '{}', expected one of {}", key, value, ChoiceList(setting.choices)));
        }
        break;
    }
    if (!parsed.ok()) return Status(kInvalidOption, parsed.message()).At(value_position).WithHint(parsed.hint());
    return Status::OK();
  }
  for (std::string_view prefix : kIgnoredPrefixes) {
    if (!key.starts_with(prefix)) continue;
    warning = fmt::format("'{}' has no effect here", key);
    return Status::OK();
  }
  Status status = Status(kUnknownOption, fmt::format("there is no setting '{}'", key)).At(key_position);
  std::string nearest = NearestName(key, names);
  return nearest.empty() ? status : status.WithHint(fmt::format("did you mean '{}'?", nearest));
}

std::string CanonicalValue(const std::string& key, const std::string& value) {
  for (const Setting& setting : KnownSettings()) {
    if (setting.key == key && setting.type == Setting::Type::kChoice)
      return std::string(ChoiceOf(setting.choices, value));
  }
  return value;
}

}  // namespace tidemill
