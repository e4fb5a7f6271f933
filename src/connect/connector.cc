#include "connect/connector.h"

#include <algorithm>

#include "connect/errors.h"
#include "connect/record_decoder.h"
#include "data/format.h"

namespace tidemill {
namespace {

bool Covers(std::string_view option, std::string_view key) {
  if (option.ends_with(".*")) return key.starts_with(option.substr(0, option.size() - 1));
  return option == key;
}

// Options that every source understands: they are the runtime's, not the connector's.
constexpr std::string_view kSourceOptions[] = {
    "scan.watermark.idle-timeout",
    "scan.watermark.emit.strategy",
    "scan.watermark.emit.on-event.gap",
    "scan.watermark.max-future-drift",
    "scan.watermark.alignment.group",
    "scan.watermark.alignment.max-drift",
    "scan.watermark.alignment.update-interval",
    "scan.parallelism",
};

// The options of format `format` in the WITH clause of `table`, their prefix cut off.
Config FormatOptions(const TableDefinition& table, std::string_view format) {
  Config options;
  for (const std::string& prefix : {std::string(format) + ".", "value." + std::string(format) + "."}) {
    for (const auto& [key, value] : table.options.values()) {
      if (key.starts_with(prefix)) options.Set(key.substr(prefix.size()), value);
    }
  }
  return options;
}

Status UnknownOption(const TableDefinition& table, const Connector& connector, const std::string& key) {
  std::vector<std::string> names{"connector"};
  for (const ConnectorOption& option : connector.options) {
    if (!option.key.ends_with(".*")) names.emplace_back(option.key);
  }
  if (connector.takes_format) names.emplace_back("format");
  if (connector.is_source) names.insert(names.end(), std::begin(kSourceOptions), std::end(kSourceOptions));
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
  Status status(kUnknownOption, "connector '" + std::string(connector.name) + "' has no option '" + key + "'");
  const std::string nearest = NearestName(key, names);
  if (!nearest.empty()) status = status.WithHint("did you mean '" + nearest + "'?");
  status = status.WithNote("options: " + list);
  const auto place = table.option_positions.find(key);
  return status.At(place != table.option_positions.end() ? place->second : table.position);
}

Status ValidateOptions(const TableDefinition& table, const Connector& connector) {
  const std::string format = table.options.GetString("format", table.options.GetString("value.format", ""));
  for (const auto& [key, value] : table.options.values()) {
    if (key == "connector") continue;
    const bool known = std::any_of(connector.options.begin(), connector.options.end(),
                                   [&](const ConnectorOption& option) { return Covers(option.key, key); });
    if (known) continue;
    if (connector.is_source &&
        std::find(std::begin(kSourceOptions), std::end(kSourceOptions), key) != std::end(kSourceOptions))
      continue;
    if (connector.takes_format) {
      if (key == "format" || key == "value.format") continue;
      if (!format.empty() && (key.starts_with(format + ".") || key.starts_with("value." + format + "."))) continue;
    }
    return UnknownOption(table, connector, key);
  }
  for (const ConnectorOption& option : connector.options) {
    if (option.required && !table.options.Has(option.key)) {
      return Status(kMissingOption, "connector '" + std::string(connector.name) + "' needs option '" +
                                        std::string(option.key) + "' (" + std::string(option.text) + ")")
          .At(table.position);
    }
  }
  if (connector.takes_format && !format.empty() && format != "parquet") {
    const Status status = ValidateFormatOptions(format, FormatOptions(table, format));
    if (!status.ok()) {
      const auto place = table.option_positions.find("format");
      return status.At(place != table.option_positions.end() ? place->second : table.position);
    }
  }
  return Status::OK();
}

Status ValidateMetadata(const TableDefinition& table, const Connector& connector, bool as_sink) {
  const std::string format =
      connector.takes_format ? table.options.GetString("format", table.options.GetString("value.format", "")) : "";
  for (const ColumnDefinition& column : table.columns) {
    if (column.kind != ColumnDefinition::Kind::kMetadata) continue;
    auto found = std::find_if(connector.metadata.begin(), connector.metadata.end(),
                              [&](const MetadataColumn& metadata) { return metadata.key == column.metadata_key; });
    std::vector<std::string> keys;
    std::string list;
    const auto add = [&](std::string key, const DataType& type) {
      list += (list.empty() ? "" : ", ") + key + " " + type.ToString();
      keys.push_back(std::move(key));
    };
    for (const MetadataColumn& metadata : connector.metadata) add(std::string(metadata.key), metadata.type);
    for (const FormatMetadata& metadata : FormatMetadataColumns(format))
      add("value." + std::string(metadata.key), metadata.type);
    std::vector<MetadataColumn> of_format;
    if (const auto metadata = FormatMetadataOf(format, column.metadata_key)) {
      of_format.push_back({column.metadata_key, metadata->type, false});
      found = of_format.begin();
    } else if (found == connector.metadata.end()) {
      Status status(kInvalidOption, "connector '" + std::string(connector.name) + "' has no metadata '" +
                                        column.metadata_key + "' (column '" + column.name + "')");
      const std::string nearest = NearestName(column.metadata_key, keys);
      if (!nearest.empty()) status = status.WithHint("did you mean '" + nearest + "'?");
      return status.WithNote("metadata: " + (list.empty() ? "none" : list)).At(table.position);
    }
    if (!ExplicitlyCastable(found->type, column.type)) {
      return Status(kTypeMismatch, "metadata '" + column.metadata_key + "' is " + found->type.ToString() +
                                       ", column '" + column.name + "' is " + column.type.ToString())
          .At(table.position);
    }
    if (as_sink && !column.is_virtual && !found->writable) {
      return Status(kInvalidInsert, "metadata '" + column.metadata_key + "' can't be written; declare column '" +
                                        column.name + "' VIRTUAL")
          .At(table.position);
    }
  }
  return Status::OK();
}

}  // namespace

const Connector* FindConnector(std::string_view name) {
  for (const Connector& connector : Connectors()) {
    if (connector.name == name) return &connector;
  }
  return nullptr;
}

Status OptionError(const TableDefinition& table, std::string_view key, std::string message) {
  const auto place = table.option_positions.find(std::string(key));
  return Status(kInvalidOption, std::move(message))
      .At(place != table.option_positions.end() ? place->second : table.position);
}

Status ValidateTable(const TableDefinition& table, bool as_source, bool as_sink, const ConnectorContext& context) {
  std::vector<std::string> names;
  for (const Connector& connector : Connectors()) names.emplace_back(connector.name);
  if (table.connector().empty()) {
    return Status(kMissingOption, "table '" + table.name + "' has no option 'connector'").At(table.position);
  }
  const Connector* connector = FindConnector(table.connector());
  if (connector == nullptr) {
    std::string list;
    for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
    Status status(kUnknownConnector, "unknown connector '" + table.connector() + "'");
    const std::string nearest = NearestName(table.connector(), names);
    if (!nearest.empty()) status = status.WithHint("did you mean '" + nearest + "'?");
    const auto place = table.option_positions.find("connector");
    return status.WithNote("connectors: " + list)
        .At(place != table.option_positions.end() ? place->second : table.position);
  }
  TM_RETURN_IF_ERROR(ValidateOptions(table, *connector));
  if (as_source && !connector->is_source) {
    return OptionError(table, "connector",
                       "connector '" + std::string(connector->name) + "' can't be read from, only written to");
  }
  if (as_sink && !connector->is_sink) {
    return OptionError(table, "connector",
                       "connector '" + std::string(connector->name) + "' can't be written to, only read from");
  }
  TM_RETURN_IF_ERROR(ValidateMetadata(table, *connector, as_sink));
  if (connector->validate != nullptr) return connector->validate(table, as_source, as_sink, context);
  return Status::OK();
}

}  // namespace tidemill
