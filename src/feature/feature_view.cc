#include "feature/feature_view.h"

#include <algorithm>
#include <charconv>

#include <arrow/io/memory.h>
#include <arrow/ipc/api.h>
#include <arrow/util/key_value_metadata.h>

#include "base/file_system.h"
#include "data/arrow_status.h"
#include "feature/errors.h"

namespace tidemill {
namespace {

constexpr char kSeparator = '\x1f';

std::string Join(const std::vector<std::string>& parts) {
  std::string text;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) text += kSeparator;
    text += parts[i];
  }
  return text;
}

std::vector<std::string> Split(std::string_view text) {
  std::vector<std::string> parts;
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find(kSeparator, at), text.size());
    parts.emplace_back(text.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

}  // namespace

std::vector<int> FeatureView::entity_columns() const {
  std::vector<int> columns;
  for (const std::string& name : entities) columns.push_back(*schema.IndexOf(name));
  return columns;
}

int FeatureView::event_time_column() const { return *schema.IndexOf(event_time); }

std::vector<int> FeatureView::feature_columns() const {
  std::vector<int> columns;
  for (int i = 0; i < schema.num_fields(); ++i) {
    const std::string& column = schema.field(i).name;
    if (column != event_time && std::find(entities.begin(), entities.end(), column) == entities.end())
      columns.push_back(i);
  }
  return columns;
}

Status FeatureView::Check() const {
  const std::string who = "feature view '" + name + "'";
  if (!IsSafeName(name)) return Status(kInvalidName, who + ": the name is not usable");
  if (entities.empty()) return Status(kViewMismatch, who + " has no entity: declare PRIMARY KEY (...) NOT ENFORCED");
  for (const std::string& entity : entities) {
    if (!schema.IndexOf(entity)) return Status(kViewMismatch, who + " has no column '" + entity + "' for its entity");
    if (entity == event_time) return Status(kViewMismatch, who + ": '" + entity + "' can't be entity and event time");
  }
  const std::optional<int> time = schema.IndexOf(event_time);
  if (!time) {
    return Status(kViewMismatch,
                  who + " has no event time: declare WATERMARK FOR a column, or give 'event-time.column'");
  }
  const DataType& type = schema.field(*time).type;
  if (!type.IsTimestamp() || type.precision() > 3) {
    return Status(kViewMismatch, who + ": event time '" + event_time + "' is " + type.ToString() +
                                     ", expected TIMESTAMP(3) or TIMESTAMP_LTZ(3)");
  }
  if (schema.IndexOf("written_at"))
    return Status(kViewMismatch, who + ": the column name 'written_at' is the store's own");
  if (!online) return Status::OK();
  for (const int column : feature_columns()) {
    const Field& field = schema.field(column);
    if (field.type.kind() >= TypeKind::kArray) {
      return Status(kViewMismatch, who + ": the online store can't hold '" + field.name + "' of type " +
                                       field.type.ToString() + "; leave it out, or set 'online.enabled' = 'false'");
    }
  }
  return Status::OK();
}

Result<std::string> EncodeView(const FeatureView& view) {
  const auto metadata = arrow::key_value_metadata(
      {"view", "entities", "event_time", "ttl_ms", "online", "offline", "offline_path", "compression", "entities_max"},
      {view.name, Join(view.entities), view.event_time, std::to_string(view.ttl_ms), view.online ? "1" : "0",
       view.offline ? "1" : "0", view.offline_path, view.compression, std::to_string(view.entities_max)});
  TM_ARROW_ASSIGN_OR_RETURN(const std::shared_ptr<arrow::Buffer> buffer,
                            arrow::ipc::SerializeSchema(*view.schema.arrow()->WithMetadata(metadata)),
                            "writing a feature view's definition");
  return buffer->ToString();
}

Result<FeatureView> DecodeView(std::string_view bytes) {
  const std::string doing = "reading a feature view's definition";
  arrow::io::BufferReader reader(std::make_shared<arrow::Buffer>(reinterpret_cast<const uint8_t*>(bytes.data()),
                                                                 static_cast<int64_t>(bytes.size())));
  arrow::ipc::DictionaryMemo memo;
  auto schema = arrow::ipc::ReadSchema(&reader, &memo);
  if (!schema.ok() || (*schema)->metadata() == nullptr) return Status(kCorruption, doing + ": not readable");
  const auto& metadata = *(*schema)->metadata();
  const auto get = [&metadata](const std::string& key) { return metadata.Get(key).ValueOr(""); };
  const auto number = [&get](const std::string& key) {
    const std::string text = get(key);
    int64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
  };
  FeatureView view;
  view.name = get("view");
  view.entities = Split(get("entities"));
  view.event_time = get("event_time");
  view.ttl_ms = number("ttl_ms");
  view.online = get("online") == "1";
  view.offline = get("offline") == "1";
  view.offline_path = get("offline_path");
  view.compression = get("compression");
  view.entities_max = number("entities_max");
  std::vector<Field> fields;
  for (const auto& field : (*schema)->fields()) {
    TM_ASSIGN_OR_RETURN(const DataType type, FromArrow(*field->type(), field->nullable()));
    fields.push_back({field->name(), type});
  }
  view.schema = Schema(std::move(fields));
  TM_RETURN_IF_ERROR(view.Check().WithContext(doing));
  return view;
}

Result<FeatureReference> ParseFeatureReference(std::string_view text) {
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0 || colon + 1 == text.size()) {
    return Status(kInvalidFeatureRequest,
                  "invalid feature reference '" + std::string(text) + "', expected view:feature or view:*");
  }
  FeatureReference reference{std::string(text.substr(0, colon)), std::string(text.substr(colon + 1))};
  if (reference.view.find('@') != std::string::npos) {
    return Status(kInvalidFeatureRequest, "feature reference '" + std::string(text) + "': views have no versions");
  }
  return reference;
}

}  // namespace tidemill
