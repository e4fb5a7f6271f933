#include "connect/pubsub/pubsub.h"

#include "connect/pubsub/pubsub_options.h"
#include "connect/pubsub/pubsub_sink.h"
#include "connect/pubsub/pubsub_source.h"
#include "data/format.h"

namespace tidemill {
namespace {

Status ValidatePubsubTable(const TableDefinition& table, bool as_source, bool as_sink, const ConnectorContext&) {
  const auto options = ParsePubsubTableOptions(table, as_source, as_sink);
  if (!options.ok()) return options.status();
  const Status format = ValidateFormatOptions(options->format, options->format_options);
  return format.ok() ? format : OptionError(table, "format", format.message());
}

Result<std::unique_ptr<Source>> OpenPubsubSource(const ScanSpec& scan, const ConnectorContext& context) {
  TableDefinition table = *scan.table;
  table.options = scan.options;  // with OPTIONS hints
  TM_ASSIGN_OR_RETURN(PubsubTableOptions options, ParsePubsubTableOptions(table, true, false));
  return MakePubsubSource(scan, table, std::move(options), context);
}

Result<std::unique_ptr<Sink>> OpenPubsubSink(const SinkSpec& sink, const ConnectorContext& context) {
  TM_ASSIGN_OR_RETURN(PubsubTableOptions options, ParsePubsubTableOptions(*sink.table, false, true));
  return MakePubsubSink(sink, std::move(options), context);
}

}  // namespace

Connector PubsubConnector() {
  Connector connector;
  connector.name = "pubsub";
  connector.summary = "Subscriptions and topics of Google Cloud Pub/Sub";
  connector.is_source = true;
  connector.is_sink = true;
  connector.takes_format = true;
  connector.options = {
      {"project", false, "", "project of the subscription or topic, where their names do not say it"},
      {"subscription", false, "", "to read: its name, or 'projects/PROJECT/subscriptions/NAME'"},
      {"topic", false, "", "to write: its name, or 'projects/PROJECT/topics/NAME'"},
      {"endpoint", false, "pubsub.googleapis.com:443", "another address of the service, 'host:port'"},
      {"emulator-host", false, "", "'host:port' of an emulator, without TLS (else PUBSUB_EMULATOR_HOST, if it is set)"},
      {"credentials-file", false, "", "key of a service account, JSON (default: what the machine has)"},
      {"scan.ack-deadline", false, "60 s", "how long Pub/Sub waits before it sends a message again, 10 s to 10 min"},
      {"scan.max-outstanding-messages", false, "10000", "messages that are read and not acknowledged yet"},
      {"scan.max-outstanding-bytes", false, "64 mb", "the same in bytes"},
      {"sink.retry-timeout", false, "60 s", "how long a failing publish is tried again before the job fails"},
  };
  connector.metadata = PubsubMetadataColumns();
  connector.validate = &ValidatePubsubTable;
  connector.make_source = &OpenPubsubSource;
  connector.make_sink = &OpenPubsubSink;
  return connector;
}

}  // namespace tidemill
