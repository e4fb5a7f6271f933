#include "feature/feature_tables.h"

#include <algorithm>
#include <map>

#include <arrow/api.h>
#include <nlohmann/json.hpp>

#include "data/arrow_status.h"
#include "data/time_text.h"
#include "feature/errors.h"
#include "feature/internal/json_columns.h"

namespace tidemill {
namespace {

// Collects rows of texts and numbers.
class TableBuilder {
 public:
  explicit TableBuilder(std::vector<Field> fields) : schema_(std::move(fields)) {
    for (const Field& field : schema_.fields()) {
      auto builder = arrow::MakeBuilder(ToArrow(field.type));
      TM_CHECK(builder.ok());
      builders_.push_back(*std::move(builder));
    }
  }
  void Text(size_t column, const std::string& text) {
    Keep(static_cast<arrow::StringBuilder&>(*builders_[column]).Append(text));
  }
  void Number(size_t column, int64_t number) {
    Keep(static_cast<arrow::Int64Builder&>(*builders_[column]).Append(number));
  }
  void Time(size_t column, EventTime time) {
    auto& builder = static_cast<arrow::TimestampBuilder&>(*builders_[column]);
    Keep(time == kMinEventTime ? builder.AppendNull() : builder.Append(time));
  }
  ResultTable Finish() {
    std::vector<std::shared_ptr<arrow::Array>> columns;
    for (const auto& builder : builders_) {
      std::shared_ptr<arrow::Array> column;
      Keep(builder->Finish(&column));
      columns.push_back(std::move(column));
    }
    const int64_t rows = columns[0]->length();
    ResultTable table{schema_, {}};
    const Batch whole{arrow::RecordBatch::Make(schema_.arrow(), rows, std::move(columns))};
    for (int64_t first = 0; first < rows; first += kBatchRowsMax)
      table.batches.push_back(whole.Slice(first, std::min<int64_t>(kBatchRowsMax, rows - first)));
    return table;
  }

 private:
  static void Keep(const arrow::Status& status) { TM_CHECK(status.ok()); }
  Schema schema_;
  std::vector<std::unique_ptr<arrow::ArrayBuilder>> builders_;
};

Field TextField(const char* name) { return {name, DataType(TypeKind::kString)}; }
Field NumberField(const char* name) { return {name, DataType(TypeKind::kBigInt)}; }
Field TimeField(const char* name) { return {name, DataType::Timestamp(3)}; }

std::string Joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + part;
  return text;
}

// "a=1", "b=x", "a=2", "b=y" -> a: [1, 2], b: [x, y].
Result<std::map<std::string, std::vector<std::string>>> ParseEntities(const std::vector<std::string>& entities) {
  std::map<std::string, std::vector<std::string>> columns;
  for (const std::string& text : entities) {
    const size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0)
      return Status(kInvalidFeatureRequest, "entity '" + text + "': expected column=value");
    columns[text.substr(0, equals)].push_back(text.substr(equals + 1));
  }
  if (columns.empty()) return Status(kInvalidFeatureRequest, "no entity is given").WithHint("give one as column=value");
  for (const auto& [name, values] : columns) {
    if (values.size() != columns.begin()->second.size()) {
      return Status(kInvalidFeatureRequest, "entity column '" + name + "' has " + std::to_string(values.size()) +
                                                " values, '" + columns.begin()->first + "' has " +
                                                std::to_string(columns.begin()->second.size()));
    }
  }
  return columns;
}

}  // namespace

Result<ResultTable> ListFeatureViews(const FeatureStore& store) {
  TableBuilder table({TextField("view"), TextField("entities"), NumberField("features"), TextField("ttl"),
                      TextField("online"), TextField("offline"), NumberField("rows_online"),
                      TimeField("newest_event_time")});
  for (const FeatureView& view : store.views()) {
    TM_ASSIGN_OR_RETURN(const FeatureViewStatistics statistics, store.Statistics(view.name));
    table.Text(0, view.name);
    table.Text(1, Joined(view.entities));
    table.Number(2, static_cast<int64_t>(view.feature_columns().size()));
    table.Text(3, view.ttl_ms > 0 ? FormatDurationMs(view.ttl_ms) : "none");
    table.Text(4, view.online ? "yes" : "no");
    table.Text(5, view.offline ? view.offline_path : "no");
    table.Number(6, statistics.entities);
    table.Time(7, statistics.newest_event_time);
  }
  return table.Finish();
}

Result<ResultTable> DescribeFeatureView(const FeatureStore& store, const std::string& name) {
  TM_ASSIGN_OR_RETURN(const FeatureView view, store.FindView(name));
  TableBuilder table({TextField("column"), TextField("type"), TextField("role")});
  for (const Field& field : view.schema.fields()) {
    table.Text(0, field.name);
    table.Text(1, field.type.ToString());
    const bool entity = std::find(view.entities.begin(), view.entities.end(), field.name) != view.entities.end();
    table.Text(2, entity ? "entity" : field.name == view.event_time ? "event time" : "feature");
  }
  return table.Finish();
}

Result<ResultTable> GetFeatures(FeatureStore& store, const std::vector<std::string>& entities,
                                const std::vector<std::string>& features) {
  TM_ASSIGN_OR_RETURN(const auto asked, ParseEntities(entities));
  if (features.empty())
    return Status(kInvalidFeatureRequest, "no features are asked for").WithHint("give them as view:feature or view:*");
  const size_t rows = asked.begin()->second.size();
  std::vector<Field> fields;
  for (const auto& [name, values] : asked) fields.push_back({name, DataType(TypeKind::kString)});
  fields.insert(fields.end(), {TextField("feature"), TextField("value"), TextField("status"), TimeField("event_time")});
  TableBuilder table(fields);
  for (const std::string& text : features) {
    TM_ASSIGN_OR_RETURN(const FeatureReference reference, ParseFeatureReference(text));
    TM_ASSIGN_OR_RETURN(const FeatureView view, store.FindView(reference.view));
    std::vector<std::shared_ptr<arrow::Array>> keys;
    for (const int column : view.entity_columns()) {
      const Field& field = view.schema.field(column);
      const auto values = asked.find(field.name);
      if (values == asked.end()) {
        return Status(kInvalidFeatureRequest, "feature view '" + view.name + "' needs the entity '" + field.name + "'")
            .WithHint("give it as " + field.name + "=value");
      }
      nlohmann::json list = nlohmann::json::array();
      for (const std::string& value : values->second) {
        const bool truth = field.type.kind() == TypeKind::kBoolean && (value == "true" || value == "false");
        list.push_back(truth ? nlohmann::json(value == "true") : nlohmann::json(value));
      }
      Result<std::shared_ptr<arrow::Array>> key = ColumnFromJson(list, field.type);
      if (!key.ok()) return key.status().WithContext("entity '" + field.name + "'");
      keys.push_back(*std::move(key));
    }
    TM_ASSIGN_OR_RETURN(const OnlineAnswer answer, store.GetOnline(view.name, {reference.feature}, keys));
    for (size_t row = 0; row < rows; ++row) {
      for (size_t f = 0; f < answer.features.size(); ++f) {
        size_t at = 0;
        for (const auto& [name, values] : asked) table.Text(at++, values[row]);
        table.Text(at++, view.name + ":" + answer.features[f]);
        table.Text(at++,
                   TextOfValue(*answer.values[f], view.schema.field(*view.schema.IndexOf(answer.features[f])).type,
                               static_cast<int64_t>(row)));
        table.Text(at++, FeatureStatusName(answer.statuses[f][row]));
        table.Time(at, answer.event_times[row]);
      }
    }
  }
  return table.Finish();
}

ResultTable SummaryTable(const HistoricalSummary& summary) {
  TableBuilder table({TextField("view"), NumberField("labels"), NumberField("matched"), NumberField("rows_read")});
  for (const HistoricalSummary::View& view : summary.views) {
    table.Text(0, view.name);
    table.Number(1, summary.labels);
    table.Number(2, view.matched);
    table.Number(3, view.rows_read);
  }
  return table.Finish();
}

}  // namespace tidemill
