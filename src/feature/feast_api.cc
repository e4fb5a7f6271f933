#include "feature/feast_api.h"

#include <algorithm>

#include <arrow/api.h>
#include <nlohmann/json.hpp>

#include "data/time_text.h"
#include "feature/errors.h"
#include "feature/internal/json_columns.h"

namespace tidemill {
namespace {

using Json = nlohmann::json;
constexpr size_t kRequestBytesMax = 16 << 20;
constexpr size_t kFeaturesMax = 1000;
constexpr size_t kEntitiesMax = 10'000;

std::string Dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

FeastAnswer Refuse(const char* type, std::vector<Json> place, const std::string& message, const Json& input) {
  Json loc = {"body"};
  for (Json& one : place) loc.push_back(std::move(one));
  return {422, Dump({{"detail", {{{"type", type}, {"loc", loc}, {"msg", message}, {"input", input}}}}})};
}

// Feast sends its own errors as a JSON text inside a JSON string.
FeastAnswer FeastError(int status, const std::string& type, const std::string& message) {
  // Python's spacing, which Feast's clients may compare.
  std::string text = "{\"module\": \"feast.errors\", \"class\": " + nlohmann::ordered_json(type).dump() +
                     ", \"message\": " + nlohmann::ordered_json(message).dump() + "}";
  return {status, Dump(text)};
}

FeastAnswer FromStatus(const Status& status, std::vector<Json> place) {
  std::string message = status.message();
  if (!status.hint().empty()) message += " (" + status.hint() + ")";
  switch (status.code().domain) {
    case ErrorDomain::kUser:
    case ErrorDomain::kData:
      return Refuse("value_error", std::move(place), message, nullptr);
    case ErrorDomain::kExternal:
      return {503, Dump(status.ToString())};
    case ErrorDomain::kInternal:
      break;
  }
  return {500, Dump(status.ToString())};
}

std::string TimeText(EventTime time) {
  std::string text;
  AppendTimestampText(time == kMinEventTime ? 0 : time, 3, 'T', FractionDigits::kMinimal, text);
  return text + "Z";
}

// The request's object, or the answer that refuses it.
bool Parse(std::string_view request, Json* json, FeastAnswer* answer) {
  if (request.size() > kRequestBytesMax) {
    *answer = {413, Dump({{"detail", "the request is longer than 16 MiB"}})};
    return false;
  }
  size_t at = 0;
  std::string what = "not valid JSON";
  try {
    *json = Json::parse(request);
  } catch (const Json::parse_error& error) {
    at = error.byte > 0 ? error.byte - 1 : 0;
    what = error.what();
    *answer = {422, Dump({{"detail",
                           {{{"type", "json_invalid"},
                             {"loc", {"body", at}},
                             {"msg", "JSON decode error"},
                             {"input", Json::object()},
                             {"ctx", {{"error", what}}}}}}})};
    return false;
  } catch (const std::exception& error) {
    *answer = Refuse("json_invalid", {}, error.what(), nullptr);
    return false;
  }
  if (json->is_object()) return true;
  *answer = Refuse("model_attributes_type", {}, "Input should be a valid dictionary or object to extract fields from",
                   nullptr);
  return false;
}

// One view of the request, with the features asked of it in order.
struct Asked {
  FeatureView view;
  std::vector<std::string> features;
  std::vector<size_t> places;  // of each among all features
};

class OnlineRequest {
 public:
  OnlineRequest(FeatureStore& store, const Json& request) : store_(store), request_(request) {}

  FeastAnswer Answer() {
    for (const auto step : {&OnlineRequest::TakeFeatures, &OnlineRequest::TakeEntities, &OnlineRequest::Read}) {
      if (!(this->*step)()) return refusal_;
    }
    Json results = Json::array();
    Json names = Json::array();
    for (size_t i = 0; i < entity_names_.size(); ++i) {
      Json values = Json::array();
      for (int64_t row = 0; row < rows_; ++row) values.push_back(JsonOf(*entity_columns_[i], row));
      results.push_back({{"values", std::move(values)},
                         {"statuses", Json(rows_, "PRESENT")},
                         {"event_timestamps", Json(rows_, TimeText(0))}});
      names.push_back(entity_names_[i]);
    }
    for (Json& result : results_) results.push_back(std::move(result));
    for (const std::string& name : names_) names.push_back(name);
    return {200, Dump({{"metadata", {{"feature_names", std::move(names)}}}, {"results", std::move(results)}})};
  }

 private:
  bool Fail(FeastAnswer answer) {
    refusal_ = std::move(answer);
    return false;
  }

  bool AddFeature(const std::string& view_name, const std::string& feature, bool service) {
    auto asked = std::find_if(asked_.begin(), asked_.end(), [&](const Asked& a) { return a.view.name == view_name; });
    if (asked == asked_.end()) {
      Result<FeatureView> view = store_.FindView(view_name);
      if (!view.ok() && service)
        return Fail(
            FeastError(404, "FeatureServiceNotFoundException", "Feature service " + view_name + " does not exist"));
      if (!view.ok())
        return Fail(FeastError(404, "FeatureViewNotFoundException", "Feature view " + view_name + " does not exist"));
      asked = asked_.insert(asked_.end(), Asked{*std::move(view), {}, {}});
    }
    std::vector<std::string> all;
    for (const int column : asked->view.feature_columns()) all.push_back(asked->view.schema.field(column).name);
    if (feature != "*" && std::find(all.begin(), all.end(), feature) == all.end()) {
      return Fail(Refuse("value_error", {"features"}, "Feature " + feature + " not found in projection " + view_name,
                         view_name + ":" + feature));
    }
    if (feature != "*") all = {feature};
    for (const std::string& name : all) {
      asked->features.push_back(name);
      asked->places.push_back(names_.size());
      names_.push_back(full_names_ ? view_name + "__" + name : name);
    }
    if (names_.size() > kFeaturesMax) return Fail(Refuse("too_long", {"features"}, "more than 1000 features", nullptr));
    return true;
  }

  bool TakeFeatures() {
    const auto full = request_.find("full_feature_names");
    if (full != request_.end() && !full->is_null()) {
      if (!full->is_boolean())
        return Fail(Refuse("bool_type", {"full_feature_names"}, "Input should be a valid boolean", *full));
      full_names_ = full->get<bool>();
    }
    const auto service = request_.find("feature_service");
    if (service != request_.end() && !service->is_null()) {
      if (!service->is_string())
        return Fail(Refuse("string_type", {"feature_service"}, "Input should be a valid string", *service));
      return AddFeature(service->get<std::string>(), "*", true);
    }
    const auto features = request_.find("features");
    if (features == request_.end() || features->is_null() || (features->is_array() && features->empty())) {
      return Fail(Refuse("missing", {"features"}, "No features specified for retrieval", nullptr));
    }
    if (!features->is_array())
      return Fail(Refuse("list_type", {"features"}, "Input should be a valid list", *features));
    for (size_t i = 0; i < features->size(); ++i) {
      const Json& text = (*features)[i];
      if (!text.is_string())
        return Fail(Refuse("string_type", {"features", i}, "Input should be a valid string", text));
      const Result<FeatureReference> reference = ParseFeatureReference(text.get<std::string>());
      if (!reference.ok()) return Fail(Refuse("value_error", {"features", i}, reference.status().message(), text));
      if (!AddFeature(reference->view, reference->feature, false)) return false;
    }
    return true;
  }

  bool TakeEntities() {
    const auto entities = request_.find("entities");
    if (entities == request_.end()) return Fail(Refuse("missing", {"entities"}, "Field required", request_));
    if (!entities->is_object())
      return Fail(Refuse("dict_type", {"entities"}, "Input should be a valid dictionary", *entities));
    std::optional<size_t> rows;
    for (const auto& [key, values] : entities->items()) {
      if (!values.is_array())
        return Fail(Refuse("list_type", {"entities", key}, "Input should be a valid list", values));
      if (rows && *rows != values.size())
        return Fail(Refuse("value_error", {"entities"}, "All entity rows must have the same columns.", nullptr));
      rows = values.size();
    }
    if (rows.value_or(0) > kEntitiesMax)
      return Fail(Refuse("too_long", {"entities"}, "more than 10000 entities", nullptr));
    rows_ = static_cast<int64_t>(rows.value_or(0));
    for (const Asked& asked : asked_) {
      for (const int column : asked.view.entity_columns()) {
        const Field& field = asked.view.schema.field(column);
        const auto known = std::find(entity_names_.begin(), entity_names_.end(), field.name);
        if (known != entity_names_.end()) {
          if (entity_columns_[known - entity_names_.begin()]->type()->Equals(*ToArrow(field.type))) continue;
          return Fail(Refuse("value_error", {"features"},
                             "entity '" + field.name + "' has another type in view '" + asked.view.name +
                                 "'; ask for the views one by one",
                             nullptr));
        }
        const auto values = entities->find(field.name);
        if (values == entities->end()) {
          return Fail(Refuse("value_error", {"entities"}, "Missing join key values for keys: ['" + field.name + "']",
                             *entities));
        }
        for (const Json& value : *values) {
          if (value.is_null())
            return Fail(Refuse("value_error", {"entities", field.name}, "an entity can't be null", *values));
        }
        Result<std::shared_ptr<arrow::Array>> made = ColumnFromJson(*values, field.type);
        if (!made.ok()) return Fail(FromStatus(made.status(), {"entities", field.name}));
        entity_names_.push_back(field.name);
        entity_columns_.push_back(*std::move(made));
      }
    }
    return true;
  }

  bool Read() {
    results_.resize(names_.size());
    for (const Asked& asked : asked_) {
      std::vector<std::shared_ptr<arrow::Array>> entities;
      for (const std::string& name : asked.view.entities) {
        entities.push_back(
            entity_columns_[std::find(entity_names_.begin(), entity_names_.end(), name) - entity_names_.begin()]);
      }
      const Result<OnlineAnswer> answer = store_.GetOnline(asked.view.name, asked.features, entities);
      if (!answer.ok()) return Fail(FromStatus(answer.status(), {"features"}));
      Json times = Json::array();
      for (const EventTime time : answer->event_times) times.push_back(TimeText(time));
      for (size_t f = 0; f < asked.features.size(); ++f) {
        Json values = Json::array(), statuses = Json::array();
        for (int64_t row = 0; row < rows_; ++row) {
          values.push_back(JsonOf(*answer->values[f], row));
          statuses.push_back(FeatureStatusName(answer->statuses[f][row]));
        }
        results_[asked.places[f]] = {
            {"values", std::move(values)}, {"statuses", std::move(statuses)}, {"event_timestamps", times}};
      }
    }
    return true;
  }

  FeatureStore& store_;
  const Json& request_;
  FeastAnswer refusal_;
  bool full_names_ = false;
  int64_t rows_ = 0;
  std::vector<Asked> asked_;
  std::vector<std::string> names_;
  std::vector<std::string> entity_names_;
  std::vector<std::shared_ptr<arrow::Array>> entity_columns_;
  std::vector<Json> results_;
};

// The rows of "df" as the view's columns.
bool RowsOf(const FeatureView& view, const Json& df, std::shared_ptr<arrow::RecordBatch>* rows, FeastAnswer* refusal) {
  std::optional<size_t> count;
  for (const auto& [key, values] : df.items()) {
    if (!values.is_array()) {
      *refusal = Refuse("list_type", {"df", key}, "Input should be a valid list", values);
      return false;
    }
    if (count && *count != values.size()) {
      *refusal = Refuse("value_error", {"df"}, "All arrays must be of the same length", nullptr);
      return false;
    }
    count = values.size();
  }
  if (count.value_or(0) == 0 || *count > kEntitiesMax) {
    *refusal = Refuse("value_error", {"df"}, count.value_or(0) == 0 ? "no rows" : "more than 10000 rows", nullptr);
    return false;
  }
  std::vector<std::shared_ptr<arrow::Array>> columns;
  for (int i = 0; i < view.schema.num_fields(); ++i) {
    const Field& field = view.schema.field(i);
    const bool is_time = field.name == view.event_time;
    const bool is_key =
        is_time || std::find(view.entities.begin(), view.entities.end(), field.name) != view.entities.end();
    auto values = df.find(field.name);
    if (values == df.end() && is_time) values = df.find("event_timestamp");
    if (values == df.end() && is_key) {
      *refusal = Refuse("missing", {"df", field.name}, "Field required", nullptr);
      return false;
    }
    const Json nulls = Json(*count, nullptr);
    const Json& list = values == df.end() ? nulls : *values;
    Result<std::shared_ptr<arrow::Array>> column = ColumnFromJson(list, field.type);
    if (!column.ok()) {
      *refusal = FromStatus(column.status(), {"df", field.name});
      return false;
    }
    if ((is_key || !field.type.nullable()) && (*column)->null_count() > 0) {
      *refusal = Refuse("value_error", {"df", field.name}, "null is not allowed", nullptr);
      return false;
    }
    columns.push_back(*std::move(column));
  }
  *rows = arrow::RecordBatch::Make(view.schema.arrow(), static_cast<int64_t>(*count), std::move(columns));
  return true;
}

}  // namespace

FeastAnswer HandleGetOnlineFeatures(FeatureStore& store, std::string_view request) {
  Json json;
  FeastAnswer refusal;
  if (!Parse(request, &json, &refusal)) return refusal;
  return OnlineRequest(store, json).Answer();
}

FeastAnswer HandlePush(FeatureStore& store, std::string_view request) {
  Json json;
  FeastAnswer refusal;
  if (!Parse(request, &json, &refusal)) return refusal;
  const auto name = json.find("push_source_name");
  if (name == json.end()) return Refuse("missing", {"push_source_name"}, "Field required", nullptr);
  if (!name->is_string()) return Refuse("string_type", {"push_source_name"}, "Input should be a valid string", *name);
  const auto df = json.find("df");
  if (df == json.end()) return Refuse("missing", {"df"}, "Field required", json);
  if (!df->is_object()) return Refuse("dict_type", {"df"}, "Input should be a valid dictionary", nullptr);
  std::string to = "online";
  if (const auto found = json.find("to"); found != json.end() && !found->is_null()) {
    if (!found->is_string()) return Refuse("string_type", {"to"}, "Input should be a valid string", *found);
    to = found->get<std::string>();
  }
  if (to != "online" && to != "offline" && to != "online_and_offline") {
    return Refuse(
        "value_error", {"to"},
        to +
            " is not a supported push format. Please specify one of these ['online', 'offline', 'online_and_offline'].",
        to);
  }
  const Result<FeatureView> view = store.FindView(name->get<std::string>());
  if (!view.ok())
    return FeastError(422, "PushSourceNotFoundException",
                      "Unable to find push source '" + name->get<std::string>() + "'.");
  std::shared_ptr<arrow::RecordBatch> rows;
  if (!RowsOf(*view, *df, &rows, &refusal)) return refusal;
  const Status pushed = store.Push(view->name, rows, {.online = to != "offline", .offline = to != "online"});
  if (!pushed.ok()) return FromStatus(pushed, {"df"});
  return {200, ""};
}

}  // namespace tidemill
