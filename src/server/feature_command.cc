#include "server/feature_command.h"

#include <map>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "feature/feast_api.h"
#include "feature/feature_store.h"
#include "feature/feature_tables.h"
#include "feature/historical.h"
#include "server/errors.h"
#include "server/result_printer.h"
#include "server/script.h"
#include "server/server_client.h"

namespace tidemill {

using nlohmann::json;

struct FeatureSession::Parts {
  LocalFileSystem files;
  SystemClock clock;
  MetricsRegistry metrics;
  std::unique_ptr<FeatureStore> store;
};

FeatureSession::FeatureSession() : parts_(std::make_unique<Parts>()) {}
FeatureSession::FeatureSession(FeatureSession&&) noexcept = default;
FeatureSession::~FeatureSession() = default;

Result<FeatureSession> FeatureSession::Open(const CommandContext& context, bool read_only) {
  FeatureSession session;
  Parts& parts = *session.parts_;
  FeatureStoreOptions options;
  options.read_only = read_only;
  const std::string directory = JoinPath(context.options.data_dir, "features");
  TM_ASSIGN_OR_RETURN(parts.store, FeatureStore::Open(parts.files, parts.clock, parts.metrics, directory, options));
  return session;
}

FeatureStore& FeatureSession::store() { return *parts_->store; }
FileSystem& FeatureSession::files() { return parts_->files; }
const Clock& FeatureSession::clock() { return parts_->clock; }

namespace {

struct GetOptions {
  std::vector<std::string> entities;
  std::vector<std::string> features;
};

struct PushOptions {
  std::string view;
  std::string file = "-";
  std::string to = "online";
};

struct HistoricalOptions {
  HistoricalRequest request;
  std::string features;
};

std::vector<std::string> SplitList(const std::vector<std::string>& lists) {
  std::vector<std::string> items;
  for (const std::string& list : lists) {
    size_t start = 0;
    while (start <= list.size()) {
      const size_t end = std::min(list.find(',', start), list.size());
      size_t first = list.find_first_not_of(' ', start);
      if (first < end) items.push_back(list.substr(first, end - first));
      start = end + 1;
    }
  }
  return items;
}

int PrintTable(CommandContext& context, const Result<ResultTable>& table, const Clock& clock) {
  if (!table.ok()) return context.Fail(table.status());
  Listing listing{table->schema.names(), {}};
  for (const Batch& batch : table->batches) {
    auto rows = BatchCells(table->schema, batch, clock, "UTC");
    if (!rows.ok()) return context.Fail(rows.status());
    for (auto& row : *rows) listing.rows.push_back(std::move(row));
  }
  context.console.Print(listing);
  return kExitOk;
}

int ListViews(CommandContext& context) {
  Result<FeatureSession> session = FeatureSession::Open(context, true);
  if (!session.ok()) return context.Fail(session.status());
  return PrintTable(context, ListFeatureViews(session->store()), session->clock());
}

int DescribeView(CommandContext& context, const std::string& name) {
  Result<FeatureSession> session = FeatureSession::Open(context, true);
  if (!session.ok()) return context.Fail(session.status());
  return PrintTable(context, DescribeFeatureView(session->store(), name), session->clock());
}

// "customer_id=42" as it goes into a request: numbers as numbers, so that either kind of column takes them.
Result<json> EntitiesJson(const std::vector<std::string>& entities) {
  json body = json::object();
  for (const std::string& pair : entities) {
    const size_t equals = pair.find('=');
    if (equals == std::string::npos || equals == 0)
      return Status(kUsage, fmt::format("-e takes column=value, not '{}'", pair));
    const std::string text = pair.substr(equals + 1);
    json value = json::parse(text, nullptr, false);
    if (!value.is_number() && !value.is_boolean()) value = text;
    body[pair.substr(0, equals)].push_back(std::move(value));
  }
  return body;
}

std::string TextOf(const json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

// A Feast answer as a listing: one row per entity and feature.
Result<Listing> ListAnswer(const std::string& text, const json& entities) {
  const json answer = json::parse(text, nullptr, false);
  const json names =
      answer.is_object() ? answer.value("/metadata/feature_names"_json_pointer, json::array()) : json::array();
  if (names.empty() || !answer.contains("results") || answer["results"].size() != names.size()) {
    return Status(kNetworkError, "the server's answer is not understood");
  }
  Listing listing;
  for (const auto& [key, value] : entities.items()) listing.columns.push_back(key);
  for (const char* column : {"feature", "value", "status", "event_time"}) listing.columns.emplace_back(column);
  const size_t rows = entities.begin()->size();
  for (size_t row = 0; row < rows; ++row) {
    for (size_t i = 0; i < names.size(); ++i) {
      const std::string name = TextOf(names[i]);
      if (entities.contains(name)) continue;
      const json& result = answer["results"][i];
      std::vector<Cell> cells;
      for (const auto& [key, value] : entities.items()) cells.emplace_back(TextOf(value.at(row)));
      const json value = result.value("values", json::array()).at(row);
      cells.emplace_back(name);
      cells.push_back(value.is_null()     ? Cell::Null()
                      : value.is_number() ? Cell::Number(value.dump())
                                          : Cell(TextOf(value)));
      cells.emplace_back(TextOf(result.value("statuses", json::array()).at(row)));
      cells.emplace_back(TextOf(result.value("event_timestamps", json::array()).at(row)));
      listing.rows.push_back(std::move(cells));
    }
  }
  return listing;
}

int GetFromServer(CommandContext& context, const GetOptions& options, const std::vector<std::string>& features) {
  const auto entities = EntitiesJson(options.entities);
  if (!entities.ok()) return context.Fail(entities.status());
  const auto network = MakeNetwork();
  ServerClient client(*network, context.options.server);
  const auto answer = client.Post("/get-online-features", "application/json",
                                  json({{"features", features}, {"entities", *entities}}).dump());
  if (!answer.ok()) return context.Fail(answer.status());
  const auto listing = ListAnswer(*answer, *entities);
  if (!listing.ok()) return context.Fail(listing.status());
  context.console.Print(*listing);
  return kExitOk;
}

int Get(CommandContext& context, const GetOptions& options) {
  const std::vector<std::string> features = SplitList(options.features);
  if (!context.options.server.empty()) return GetFromServer(context, options, features);
  Result<FeatureSession> session = FeatureSession::Open(context, true);
  if (!session.ok()) return context.Fail(session.status());
  return PrintTable(context, GetFeatures(session->store(), options.entities, features), session->clock());
}

// JSON lines to the columns of a push: {"a":1}\n{"a":2} -> {"a":[1,2]}.
Result<json> ColumnsOf(const std::string& text) {
  std::map<std::string, json> columns;
  size_t rows = 0;
  size_t line_number = 0;
  size_t start = 0;
  while (start < text.size()) {
    const size_t end = std::min(text.find('\n', start), text.size());
    const std::string line = text.substr(start, end - start);
    start = end + 1;
    ++line_number;
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    const json row = json::parse(line, nullptr, false);
    if (!row.is_object()) return Status(kInvalidConfig, fmt::format("line {}: not a JSON object", line_number));
    for (const auto& [key, value] : row.items()) {
      json& column = columns[key];
      while (column.size() < rows) column.push_back(nullptr);
      column.push_back(value);
    }
    ++rows;
    for (auto& [key, column] : columns) {
      while (column.size() < rows) column.push_back(nullptr);
    }
  }
  if (rows == 0) return Status(kInvalidConfig, "no rows: give one JSON object a line");
  return json(columns);
}

int Push(CommandContext& context, const PushOptions& options) {
  LocalFileSystem files;
  const auto text = ReadScript(files, options.file);
  if (!text.ok()) return context.Fail(text.status());
  const auto columns = ColumnsOf(*text);
  if (!columns.ok()) return context.Fail(columns.status());
  const size_t rows = columns->begin()->size();
  const std::string body = json({{"push_source_name", options.view}, {"df", *columns}, {"to", options.to}}).dump();
  if (!context.options.server.empty()) {
    const auto network = MakeNetwork();
    ServerClient client(*network, context.options.server);
    if (const auto answer = client.Post("/push", "application/json", body); !answer.ok())
      return context.Fail(answer.status());
  } else {
    Result<FeatureSession> session = FeatureSession::Open(context, false);
    if (!session.ok()) return context.Fail(session.status());
    const FeastAnswer answer = HandlePush(session->store(), body);
    if (answer.status >= 400) return context.Fail(ServerClient::ErrorOf(answer.status, answer.body));
  }
  context.console.Notice(fmt::format("{} row{} to {}", rows, rows == 1 ? "" : "s", options.view));
  return kExitOk;
}

int Historical(CommandContext& context, const HistoricalOptions& options) {
  HistoricalRequest request = options.request;
  request.features = SplitList({options.features});
  Result<FeatureSession> session = FeatureSession::Open(context, true);
  if (!session.ok()) return context.Fail(session.status());
  const auto summary = JoinHistory(session->files(), session->store().views(), request);
  if (!summary.ok()) return context.Fail(summary.status());
  if (context.options.quiet) return kExitOk;
  return PrintTable(context, SummaryTable(*summary), session->clock());
}

}  // namespace

void AddFeatureCommands(CLI::App& parent, CommandList& commands) {
  CLI::App* group = parent.add_subcommand("feature", "List, read and write features; make training sets");
  group->footer("\nExample:\n  tidemill feature list\n  tidemill feature get -e customer_id=42 -f customer_features:*");

  CLI::App* app =
      group->add_subcommand("list", "Feature views, with how many entities they serve and how new they are");
  app->footer("\nExample:\n  tidemill feature list");
  commands.push_back({app, ListViews});

  auto name = std::make_shared<std::string>();
  app = group->add_subcommand("describe", "Columns of a feature view");
  app->add_option("VIEW", *name, "Its name")->required();
  app->footer("\nExample:\n  tidemill feature describe customer_features");
  commands.push_back({app, [name](CommandContext& context) { return DescribeView(context, *name); }});

  auto get = std::make_shared<GetOptions>();
  app = group->add_subcommand("get", "The newest features of entities");
  app->add_option("-e,--entity", get->entities, "column=value; the same column twice asks for two entities")
      ->required()
      ->allow_extra_args(false);
  app->add_option("-f,--features", get->features, "view:feature or view:*, with commas or repeated")
      ->required()
      ->allow_extra_args(false);
  app->footer(
      "\nExamples:\n  tidemill feature get -e customer_id=42 -f customer_features:*\n"
      "  tidemill feature get -e customer_id=42 -f customer_features:customer_count_1d --server http://127.0.0.1:8080");
  commands.push_back({app, [get](CommandContext& context) { return Get(context, *get); }});

  auto push = std::make_shared<PushOptions>();
  app = group->add_subcommand("push", "Write feature rows, one JSON object a line");
  app->add_option("VIEW", push->view, "Its name")->required();
  app->add_option("FILE", push->file, "Its path; - is standard input")->capture_default_str();
  app->add_option("--to", push->to, "online, offline or online_and_offline")->capture_default_str();
  app->footer(
      "\nExample:\n  echo '{\"customer_id\":42,\"tx_time\":\"2026-01-01 00:00:00\",\"customer_count_1d\":3}' | "
      "tidemill feature push customer_features");
  commands.push_back({app, [push](CommandContext& context) { return Push(context, *push); }});

  auto historical = std::make_shared<HistoricalOptions>();
  app = group->add_subcommand("historical", "Make a training set: features as they were known at each label's time");
  app->add_option("--labels", historical->request.labels_path, "Parquet, CSV or JSON lines with entities and times")
      ->required();
  app->add_option("--features", historical->features, "view:feature or view:*, with commas")->required();
  app->add_option("--out", historical->request.output_path, "Parquet or CSV file to write")->required();
  app->add_option("--time-column", historical->request.time_column,
                  "Of the labels; default: event_timestamp, else the view's event time");
  app->add_flag("--full-feature-names", historical->request.full_feature_names, "Columns are called view__feature");
  app->footer(
      "\nExample:\n  tidemill feature historical --labels labels.parquet --features "
      "'customer_features:*,terminal_features:*' --out training.parquet");
  commands.push_back({app, [historical](CommandContext& context) { return Historical(context, *historical); }});
}

}  // namespace tidemill
