#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/metrics.h"
#include "base/network.h"
#include "base/status.h"
#include "exec/sink.h"
#include "exec/source.h"
#include "sql/catalog.h"
#include "sql/logical_plan.h"

namespace tidemill {

class Log;
class FeatureStore;
class SchemaSource;

// What connectors may use; pointers outlive every source and sink. Any may be null where a command has no need for it;
// a connector that lacks what it needs says so with a clear error.
struct ConnectorContext {
  FileSystem* files = nullptr;
  Network* network = nullptr;
  const Clock* clock = nullptr;
  MetricsRegistry* metrics = nullptr;
  Log* log = nullptr;                // the embedded log
  FeatureStore* features = nullptr;  // the embedded feature store
  SchemaSource* schemas = nullptr;   // the embedded schema registry
  std::string job = "job";
};

// One option of a connector: for checks, docs and completion.
struct ConnectorOption {
  std::string_view key;  // "path"; ends in ".*" for a family ("fields.*")
  bool required = false;
  std::string_view fallback;  // default, as text
  std::string_view text;      // one sentence
};

struct MetadataColumn {
  std::string_view key;
  DataType type;
  bool writable = false;
};

// One row of the connector table (registry.cc): a connector is its folder and one line there.
struct Connector {
  std::string_view name;  // "filesystem"
  std::string_view summary;
  bool is_source = false;
  bool is_sink = false;
  bool sends_at_once = false;  // its effects can't be taken back by an epoch: webhooks
  bool gives_upserts = false;  // read, a table gives +U and -D by its primary key
  bool takes_format = false;   // accepts 'format' and '<format>.*' / 'value.format'
  std::vector<ConnectorOption> options;
  std::vector<MetadataColumn> metadata;
  // Checks beyond option names (values, needed columns). Offline: may look at local files' existence, never connects.
  Status (*validate)(const TableDefinition& table, bool as_source, bool as_sink,
                     const ConnectorContext& context) = nullptr;
  bool (*is_bounded)(const TableDefinition& table) = nullptr;  // sources; absent = unbounded
  Result<std::unique_ptr<Source>> (*make_source)(const ScanSpec& scan, const ConnectorContext& context) = nullptr;
  Result<std::unique_ptr<Sink>> (*make_sink)(const SinkSpec& sink, const ConnectorContext& context) = nullptr;
};

// All connectors, an explicit list.
const std::vector<Connector>& Connectors();
const Connector* FindConnector(std::string_view name);
// Option names and required ones, format options, metadata keys, then the connector's own check. Errors carry the
// option's position.
Status ValidateTable(const TableDefinition& table, bool as_source, bool as_sink, const ConnectorContext& context);
// An option's error at its place: kInvalidOption with table.option_positions.
Status OptionError(const TableDefinition& table, std::string_view key, std::string message);

}  // namespace tidemill
