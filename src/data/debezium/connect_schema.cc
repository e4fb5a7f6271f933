#include "data/debezium/connect_schema.h"

#include <charconv>
#include <string>

#include <nlohmann/json.hpp>

namespace tidemill {
namespace {

using ConnectJson = nlohmann::json;

std::string TextMember(const ConnectJson& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// The field of a struct, or null.
const ConnectJson* FieldOf(const ConnectJson& of_struct, std::string_view name) {
  const auto fields = of_struct.find("fields");
  if (fields == of_struct.end() || !fields->is_array()) return nullptr;
  for (const ConnectJson& field : *fields) {
    if (field.is_object() && TextMember(field, "field") == name) return &field;
  }
  return nullptr;
}

EpochUnit UnitOf(std::string_view name, std::string_view kind) {
  constexpr std::string_view kDebezium = "io.debezium.time.";
  constexpr std::string_view kConnect = "org.apache.kafka.connect.data.";
  if (name.starts_with(kConnect))
    return name.substr(kConnect.size()) == kind ? EpochUnit::kMillis : EpochUnit::kRefused;
  if (!name.starts_with(kDebezium) || !name.ends_with(kind)) return EpochUnit::kRefused;
  const std::string_view unit = name.substr(kDebezium.size(), name.size() - kDebezium.size() - kind.size());
  return unit.empty()      ? EpochUnit::kMillis
         : unit == "Micro" ? EpochUnit::kMicros
         : unit == "Nano"  ? EpochUnit::kNanos
                           : EpochUnit::kRefused;
}

JsonCoding CodingOf(const ConnectJson& field, const JsonCoding& otherwise) {
  const ConnectJson* at = &field;
  while (TextMember(*at, "type") == "array" && at->contains("items") && (*at)["items"].is_object())
    at = &(*at)["items"];
  JsonCoding coding = otherwise;
  const std::string type = TextMember(*at, "type");
  const std::string name = TextMember(*at, "name");
  if (const EpochUnit unit = UnitOf(name, "Timestamp"); unit != EpochUnit::kRefused) coding.timestamp = unit;
  if (const EpochUnit unit = UnitOf(name, "Time"); unit != EpochUnit::kRefused) coding.time = unit;
  if (type == "string") coding.base64_decimal = false;
  if (type != "bytes" || name != "org.apache.kafka.connect.data.Decimal") return coding;
  coding.base64_decimal = true;
  coding.decimal_scale = 0;
  const auto parameters = at->find("parameters");
  if (parameters != at->end() && parameters->is_object()) {
    const std::string scale = TextMember(*parameters, "scale");
    (void)std::from_chars(scale.data(), scale.data() + scale.size(), coding.decimal_scale);
  }
  return coding;
}

}  // namespace

std::vector<JsonCoding> CodingsOfConnectSchema(std::string_view schema, const Schema& columns,
                                               const JsonCoding& otherwise) {
  std::vector<JsonCoding> codings(static_cast<size_t>(columns.num_fields()), otherwise);
  const ConnectJson envelope = ConnectJson::parse(schema, nullptr, false);
  if (!envelope.is_object()) return codings;
  const ConnectJson* row = FieldOf(envelope, "after");
  if (row == nullptr) row = FieldOf(envelope, "before");
  if (row == nullptr) return codings;
  for (int i = 0; i < columns.num_fields(); ++i) {
    if (const ConnectJson* field = FieldOf(*row, columns.field(i).name)) codings[i] = CodingOf(*field, otherwise);
  }
  return codings;
}

}  // namespace tidemill
