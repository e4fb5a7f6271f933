#include "feature/historical.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <set>

#include <arrow/api.h>
#include <arrow/compute/api.h>
#include <arrow/csv/api.h>
#include <arrow/json/api.h>

#include "base/config.h"
#include "data/arrow_status.h"
#include "data/time_text.h"
#include "feature/errors.h"
#include "feature/internal/arrow_files.h"
#include "feature/internal/parquet_file.h"

namespace tidemill {
namespace {

std::string ExtensionOf(const std::string& path) {
  const size_t dot = path.rfind('.');
  if (dot == std::string::npos || path.find('/', dot) != std::string::npos) return "";
  std::string extension = path.substr(dot + 1);
  for (char& c : extension) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return extension;
}

Result<std::shared_ptr<arrow::Table>> ReadParquetTable(FileSystem& files, const std::string& path) {
  TM_ASSIGN_OR_RETURN(const std::unique_ptr<ParquetFileReader> reader, ParquetFileReader::Open(files, path));
  std::vector<std::shared_ptr<arrow::Table>> groups;
  for (int group = 0; group < reader->num_row_groups(); ++group) {
    TM_ASSIGN_OR_RETURN(groups.emplace_back(), reader->Read(group, reader->schema()->field_names()));
  }
  if (groups.empty()) {
    TM_ARROW_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Table> empty, arrow::Table::MakeEmpty(reader->schema()),
                              "reading " + path);
    return empty;
  }
  TM_ARROW_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Table> table, arrow::ConcatenateTables(groups), "reading " + path);
  return table->ReplaceSchemaMetadata(nullptr);
}

Result<std::shared_ptr<arrow::Table>> ReadLabels(FileSystem& files, const std::string& path) {
  const std::string extension = ExtensionOf(path);
  const auto bad = [&path](const arrow::Status& status) {
    return Status(kInvalidLabels, path + ": " + status.message());
  };
  std::shared_ptr<arrow::Table> table;
  if (extension == "parquet") {
    TM_ASSIGN_OR_RETURN(table, ReadParquetTable(files, path));
  } else if (extension == "csv") {
    TM_ASSIGN_OR_RETURN(const auto file, OpenArrowFile(files, path));
    auto options = arrow::csv::ReadOptions::Defaults();
    options.use_threads = false;
    const auto reader =
        arrow::csv::TableReader::Make(arrow::io::default_io_context(), file, options,
                                      arrow::csv::ParseOptions::Defaults(), arrow::csv::ConvertOptions::Defaults());
    if (!reader.ok()) return bad(reader.status());
    auto read = (*reader)->Read();
    if (!read.ok()) return bad(read.status());
    table = *std::move(read);
  } else if (extension == "json" || extension == "jsonl" || extension == "ndjson") {
    TM_ASSIGN_OR_RETURN(const auto file, OpenArrowFile(files, path));
    auto options = arrow::json::ReadOptions::Defaults();
    options.use_threads = false;
    const auto reader = arrow::json::TableReader::Make(arrow::default_memory_pool(), file, options,
                                                       arrow::json::ParseOptions::Defaults());
    if (!reader.ok()) return bad(reader.status());
    auto read = (*reader)->Read();
    if (!read.ok()) return bad(read.status());
    table = *std::move(read);
  } else {
    return Status(kInvalidLabels, path + ": expected a name that ends in .parquet, .csv, .json, .jsonl or .ndjson");
  }
  TM_ARROW_ASSIGN_OR_RETURN(table, table->CombineChunks(), "reading " + path);
  return table;
}

Result<std::shared_ptr<arrow::Array>> Flat(const arrow::ChunkedArray& column) {
  if (column.num_chunks() == 1) return column.chunk(0);
  if (column.num_chunks() == 0) {
    TM_ARROW_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Array> empty, arrow::MakeEmptyArray(column.type()),
                              "reading labels");
    return empty;
  }
  TM_ARROW_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Array> flat, arrow::Concatenate(column.chunks()), "reading labels");
  return flat;
}

Status NoColumn(const arrow::Table& labels, const std::string& name, std::string_view why) {
  std::string columns;
  for (const std::string& column : labels.ColumnNames()) columns += (columns.empty() ? "" : ", ") + column;
  const Status status = Status(kInvalidLabels, "the labels have no column '" + name + "' (" + std::string(why) + ")")
                            .WithNote("columns: " + columns);
  const std::string nearest = NearestName(name, labels.ColumnNames());
  return nearest.empty() ? status : status.WithHint("did you mean '" + nearest + "'?");
}

int64_t FloorDivide(int64_t value, int64_t by) { return value >= 0 ? value / by : -((-(value + 1)) / by) - 1; }

// Milliseconds since 1970; NULL is kMinEventTime. Digits below a millisecond are cut: features have none.
Result<std::vector<EventTime>> TimesOf(const std::shared_ptr<arrow::Array>& column, const std::string& name) {
  std::shared_ptr<arrow::Array> values = column;
  int64_t divide = 1, multiply = 1;
  switch (values->type_id()) {
    case arrow::Type::TIMESTAMP:
      switch (static_cast<const arrow::TimestampType&>(*values->type()).unit()) {
        case arrow::TimeUnit::SECOND:
          multiply = 1000;
          break;
        case arrow::TimeUnit::MILLI:
          break;
        case arrow::TimeUnit::MICRO:
          divide = 1000;
          break;
        case arrow::TimeUnit::NANO:
          divide = 1'000'000;
          break;
      }
      break;
    case arrow::Type::INT64:
      break;
    case arrow::Type::DATE32: {
      TM_ARROW_ASSIGN_OR_RETURN(const arrow::Datum days, arrow::compute::Cast(values, arrow::int32()),
                                "reading labels");
      TM_ARROW_ASSIGN_OR_RETURN(const arrow::Datum wide, arrow::compute::Cast(days, arrow::int64()), "reading labels");
      values = wide.make_array();
      multiply = 86'400'000;
      break;
    }
    case arrow::Type::STRING: {
      std::vector<int32_t> wrong;
      TM_ASSIGN_OR_RETURN(values, TextToTime(*values, DataType::TimestampLtz(3), nullptr, &wrong));
      if (!wrong.empty()) {
        const std::string text(static_cast<const arrow::StringArray&>(*column).GetView(wrong[0]).substr(0, 64));
        return Status(kInvalidLabels, "label " + std::to_string(wrong[0] + 1) + ": '" + name + "' is '" + text +
                                          "', no time like 2024-05-01T12:00:00Z");
      }
      break;
    }
    default:
      return Status(kInvalidLabels, "the labels' column '" + name + "' is " + values->type()->ToString() + ", no time");
  }
  std::vector<EventTime> times(values->length());
  const int64_t* raw = values->data()->GetValues<int64_t>(1);
  for (int64_t i = 0; i < values->length(); ++i) {
    times[i] = values->IsNull(i) ? kMinEventTime : divide > 1 ? FloorDivide(raw[i], divide) : raw[i] * multiply;
  }
  return times;
}

// What one view contributes.
struct ViewPlan {
  const FeatureView* view;
  std::vector<int> features;
};

Result<std::vector<ViewPlan>> PlanViews(const std::vector<FeatureView>& views,
                                        const std::vector<std::string>& references) {
  if (references.empty())
    return Status(kInvalidFeatureRequest, "no features are asked for").WithHint("give them as view:feature or view:*");
  std::vector<ViewPlan> plans;
  for (const std::string& text : references) {
    TM_ASSIGN_OR_RETURN(const FeatureReference reference, ParseFeatureReference(text));
    const auto view =
        std::find_if(views.begin(), views.end(), [&](const FeatureView& v) { return v.name == reference.view; });
    std::vector<std::string> names;
    for (const FeatureView& one : views) names.push_back(one.name);
    if (view == views.end()) {
      const Status status(kViewNotFound, "there is no feature view '" + reference.view + "'");
      const std::string nearest = NearestName(reference.view, names);
      return nearest.empty() ? status : status.WithHint("did you mean '" + nearest + "'?");
    }
    if (!view->offline)
      return Status(kInvalidFeatureRequest,
                    "feature view '" + view->name + "' keeps no history: 'offline.enabled' is false");
    auto plan = std::find_if(plans.begin(), plans.end(), [&](const ViewPlan& p) { return p.view->name == view->name; });
    if (plan == plans.end()) plan = plans.insert(plans.end(), ViewPlan{&*view, {}});
    const std::vector<int> all = view->feature_columns();
    const size_t before = plan->features.size();
    for (const int column : all) {
      const bool asked = reference.feature == "*" || view->schema.field(column).name == reference.feature;
      if (asked && std::find(plan->features.begin(), plan->features.end(), column) == plan->features.end())
        plan->features.push_back(column);
    }
    const bool known = reference.feature == "*" || plan->features.size() > before ||
                       std::any_of(all.begin(), all.end(),
                                   [&](int column) { return view->schema.field(column).name == reference.feature; });
    if (known) continue;
    const Status status(kFeatureNotFound,
                        "feature view '" + view->name + "' has no feature '" + reference.feature + "'");
    const std::string nearest = NearestName(reference.feature, view->schema.names());
    return nearest.empty() ? status : status.WithHint("did you mean '" + nearest + "'?");
  }
  return plans;
}

Result<std::vector<std::shared_ptr<arrow::Array>>> EntitiesOf(const arrow::Table& labels, const FeatureView& view) {
  std::vector<std::shared_ptr<arrow::Array>> entities;
  for (const int column : view.entity_columns()) {
    const Field& field = view.schema.field(column);
    const std::shared_ptr<arrow::ChunkedArray> found = labels.GetColumnByName(field.name);
    if (found == nullptr) return NoColumn(labels, field.name, "entity of feature view '" + view.name + "'");
    TM_ASSIGN_OR_RETURN(const std::shared_ptr<arrow::Array> flat, Flat(*found));
    const auto cast = arrow::compute::Cast(*flat, ToArrow(field.type));
    if (!cast.ok()) {
      return Status(kInvalidLabels, "the labels' column '" + field.name + "' is " + flat->type()->ToString() +
                                        " and does not fit " + field.type.ToString() + ": " + cast.status().message());
    }
    entities.push_back(*cast);
  }
  return entities;
}

Status WriteOutput(FileSystem& files, const std::string& path, const arrow::Table& table) {
  const std::string extension = ExtensionOf(path);
  const std::string temporary = path + ".tmp";
  if (extension == "parquet") {
    TM_ASSIGN_OR_RETURN(const std::unique_ptr<ParquetFileWriter> writer,
                        ParquetFileWriter::Create(files, temporary, table.schema(), {}));
    arrow::TableBatchReader reader(table);
    reader.set_chunksize(128 << 10);
    while (true) {
      std::shared_ptr<arrow::RecordBatch> batch;
      TM_ARROW_RETURN_IF_ERROR(reader.ReadNext(&batch), "writing " + path);
      if (batch == nullptr) break;
      TM_RETURN_IF_ERROR(writer->Write({batch}));
    }
    TM_RETURN_IF_ERROR(writer->Finish({}).status());
  } else {
    TM_ASSIGN_OR_RETURN(std::unique_ptr<WritableFile> file,
                        files.OpenWritable(temporary, FileSystem::OpenMode::kTruncate));
    FeatureOutputFile output(std::move(file));
    const arrow::Status written = arrow::csv::WriteCSV(table, arrow::csv::WriteOptions::Defaults(), &output);
    if (!output.error().ok()) return output.error();
    TM_ARROW_RETURN_IF_ERROR(written, "writing " + path);
    TM_RETURN_IF_ERROR(output.Finish().status());
  }
  TM_RETURN_IF_ERROR(files.Rename(temporary, path));
  return files.SyncDirectory(DirectoryOf(path));
}

}  // namespace

Result<HistoricalSummary> JoinHistory(FileSystem& files, const std::vector<FeatureView>& views,
                                      const HistoricalRequest& request, const PointInTimeOptions& options) {
  const std::string extension = ExtensionOf(request.output_path);
  if (extension != "parquet" && extension != "csv") {
    return Status(kInvalidConfig,
                  "output '" + request.output_path + "': expected a name that ends in .parquet or .csv");
  }
  TM_ASSIGN_OR_RETURN(const std::vector<ViewPlan> plans, PlanViews(views, request.features));
  TM_ASSIGN_OR_RETURN(const std::shared_ptr<arrow::Table> labels, ReadLabels(files, request.labels_path));
  std::string time_name = request.time_column;
  if (time_name.empty())
    time_name = labels->GetColumnByName("event_timestamp") != nullptr ? "event_timestamp" : plans[0].view->event_time;
  const std::shared_ptr<arrow::ChunkedArray> time_column = labels->GetColumnByName(time_name);
  if (time_column == nullptr)
    return NoColumn(*labels, request.time_column.empty() ? "event_timestamp" : time_name, "the labels' time");
  TM_ASSIGN_OR_RETURN(const std::shared_ptr<arrow::Array> flat_times, Flat(*time_column));
  TM_ASSIGN_OR_RETURN(const std::vector<EventTime> times, TimesOf(flat_times, time_name));

  HistoricalSummary summary;
  summary.labels = labels->num_rows();
  arrow::FieldVector fields = labels->schema()->fields();
  std::vector<std::shared_ptr<arrow::ChunkedArray>> columns = labels->columns();
  const std::vector<std::string> label_names = labels->ColumnNames();
  std::set<std::string> names(label_names.begin(), label_names.end());
  for (const ViewPlan& plan : plans) {
    for (const int feature : plan.features) {
      const std::string& name = plan.view->schema.field(feature).name;
      const std::string out = request.full_feature_names ? plan.view->name + "__" + name : name;
      if (!names.insert(out).second) {
        return Status(kInvalidLabels, "two columns would be named '" + out + "'")
            .WithHint("ask for full feature names (view__feature), or name the features one by one");
      }
      fields.push_back(arrow::field(out, ToArrow(plan.view->schema.field(feature).type)));
    }
  }
  for (const ViewPlan& plan : plans) {
    TM_ASSIGN_OR_RETURN(const auto entities, EntitiesOf(*labels, *plan.view));
    TM_ASSIGN_OR_RETURN(PointInTimeResult joined,
                        JoinPointInTime(files, *plan.view, plan.features, entities, times, options));
    for (auto& values : joined.values) columns.push_back(std::make_shared<arrow::ChunkedArray>(std::move(values)));
    summary.views.push_back({plan.view->name, joined.matched, joined.feature_rows_read});
  }
  for (const auto& field : fields) summary.columns.push_back(field->name());
  TM_RETURN_IF_ERROR(
      WriteOutput(files, request.output_path, *arrow::Table::Make(arrow::schema(fields), columns, labels->num_rows())));
  return summary;
}

}  // namespace tidemill
