#include "connect/kafka/kafka_properties.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <string_view>

#include "connect/connector.h"
#include "connect/errors.h"
#include "connect/guard/secrets.h"

namespace tidemill {
namespace {

constexpr std::string_view kPrefix = "properties.";

struct Renamed {
  std::string_view java;
  std::string_view ours;
};
// Same meaning, other name.
constexpr Renamed kRenamed[] = {
    {"fetch.max.wait.ms", "fetch.wait.max.ms"},
    {"max.request.size", "message.max.bytes"},
    {"receive.buffer.bytes", "socket.receive.buffer.bytes"},
    {"send.buffer.bytes", "socket.send.buffer.bytes"},
    {"ssl.truststore.certificates", "ssl.ca.pem"},
    {"ssl.keystore.certificate.chain", "ssl.certificate.pem"},
    {"ssl.keystore.key", "ssl.key.pem"},
};

struct Refused {
  std::string_view name;
  std::string_view instead;
};
// What Kafka's clients know and a table can't have.
constexpr Refused kRefusedNames[] = {
    {"key.serializer", "the table's 'key.format' says how keys are written"},
    {"value.serializer", "the table's 'format' says how values are written"},
    {"key.deserializer", "the table's 'key.format' says how keys are read"},
    {"value.deserializer", "the table's 'format' says how values are read"},
    {"partition.discovery.interval.ms", "use 'scan.topic-partition-discovery.interval'"},
    {"partitioner.class", "use 'sink.partitioner'"},
    {"partitioner", "use 'sink.partitioner'"},
    {"transactional.id", "exactly-once sinks are not there yet; use 'sink.delivery-guarantee' = 'at-least-once'"},
    {"transaction.timeout.ms", "exactly-once sinks are not there yet"},
    {"max.poll.records", "batches are cut by the engine; leave it out"},
    {"interceptor.classes", "it names Java classes; leave it out"},
    {"metric.reporters", "it names Java classes; metrics are at /metrics"},
    {"ssl.truststore.password", "give the certificates as PEM: 'properties.ssl.ca.location', which has no password"},
    {"ssl.protocol", "the TLS version is agreed on with the broker; leave it out"},
    {"ssl.enabled.protocols", "the TLS version is agreed on with the broker; leave it out"},
    {"ssl.provider", "it names Java classes; leave it out"},
    {"ssl.trustmanager.algorithm", "it names Java classes; leave it out"},
    {"ssl.keymanager.algorithm", "it names Java classes; leave it out"},
    {"sasl.client.callback.handler.class", "it names Java classes; use the 'properties.sasl.*' options"},
    {"sasl.login.callback.handler.class", "it names Java classes; use the 'properties.sasl.oauthbearer.*' options"},
    {"sasl.login.class", "it names Java classes; use the 'properties.sasl.*' options"},
    {"plugin.library.paths", "code is not loaded on behalf of a script"},
    {"enable.partition.eof", "it is set by the connector"},
    {"enable.auto.offset.store", "offsets are committed with each epoch"},
    {"auto.commit.interval.ms", "offsets are committed with each epoch"},
};

struct Given {
  const TableDefinition& table;
  std::map<std::string, std::string, std::less<>> values;  // without "properties."
  std::map<std::string, bool, std::less<>> hidden;         // holds a secret

  Status Error(std::string_view name, const std::string& message) const {
    return OptionError(table, std::string(kPrefix) + std::string(name),
                       "'" + std::string(kPrefix) + std::string(name) + "': " + message);
  }
  // Removes it, so that what is left at the end goes to librdkafka as it is.
  std::optional<std::string> Take(std::string_view name) {
    const auto found = values.find(name);
    if (found == values.end()) return std::nullopt;
    std::string value = std::move(found->second);
    values.erase(found);
    return value;
  }
  bool IsUnresolved(std::string_view value) const { return value.find("${") != std::string_view::npos; }
};

std::string LowerCased(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

// name="value" or name=value inside a JAAS line.
std::optional<std::string> JaasValue(std::string_view jaas, std::string_view name) {
  for (size_t at = jaas.find(name); at != std::string_view::npos; at = jaas.find(name, at + 1)) {
    const bool starts = at == 0 || std::isspace(static_cast<unsigned char>(jaas[at - 1]));
    size_t from = at + name.size();
    if (!starts || from >= jaas.size() || jaas[from] != '=') continue;
    ++from;
    if (from < jaas.size() && (jaas[from] == '"' || jaas[from] == '\'')) {
      const char quote = jaas[from++];
      std::string value;
      for (; from < jaas.size() && jaas[from] != quote; ++from) {
        if (jaas[from] == '\\' && from + 1 < jaas.size()) ++from;
        value += jaas[from];
      }
      if (from >= jaas.size()) return std::nullopt;
      return value;
    }
    return std::string(jaas.substr(from, std::min(jaas.find_first_of(" \t\n;", from), jaas.size()) - from));
  }
  return std::nullopt;
}

Status TakeJaas(Given& given, KafkaConnection* connection) {
  const std::optional<std::string> jaas = given.Take("sasl.jaas.config");
  if (!jaas) return Status::OK();
  if (jaas->starts_with("${") && jaas->find("LoginModule") == std::string::npos)
    return Status::OK();  // seen when opened
  if (jaas->find("PlainLoginModule") == std::string::npos && jaas->find("ScramLoginModule") == std::string::npos) {
    return given.Error("sasl.jaas.config",
                       "only PlainLoginModule and ScramLoginModule are read; for others use "
                       "'properties.sasl.kerberos.*' or 'properties.sasl.oauthbearer.*'");
  }
  const auto user = JaasValue(*jaas, "username");
  const auto password = JaasValue(*jaas, "password");
  if (!user || !password) return given.Error("sasl.jaas.config", "it needs username=\"...\" and password=\"...\"");
  connection->settings.emplace_back("sasl.username", *user);
  connection->settings.emplace_back("sasl.password", *password);
  return Status::OK();
}

Status TakeStores(Given& given, KafkaConnection* connection) {
  const std::string trust_type = LowerCased(given.Take("ssl.truststore.type").value_or(""));
  if (const auto location = given.Take("ssl.truststore.location")) {
    const std::string path = LowerCased(*location);
    const bool pem =
        trust_type == "pem" ||
        (trust_type.empty() && (path.ends_with(".pem") || path.ends_with(".crt") || path.ends_with(".cer")));
    if (!pem) {
      return given.Error("ssl.truststore.location",
                         "Java key stores can't be read; export the certificates as PEM (keytool -exportcert -rfc) and "
                         "name the file in 'properties.ssl.ca.location'");
    }
    connection->settings.emplace_back("ssl.ca.location", *location);
  }
  const std::string key_type = LowerCased(given.Take("ssl.keystore.type").value_or(""));
  const auto found = given.values.find("ssl.keystore.location");
  if (found == given.values.end()) return Status::OK();
  const std::string path = LowerCased(found->second);
  if (key_type != "pkcs12" && !(key_type.empty() && (path.ends_with(".p12") || path.ends_with(".pfx")))) {
    return given.Error("ssl.keystore.location",
                       "only PKCS#12 stores are read (.p12); give PEM files by 'properties.ssl.certificate.location' "
                       "and 'properties.ssl.key.location'");
  }
  return Status::OK();
}

Status TakeTimes(Given& given, KafkaConnection* connection) {
  for (const char* name : {"max.block.ms", "default.api.timeout.ms"}) {
    const auto text = given.Take(name);
    if (!text || given.IsUnresolved(*text)) continue;
    int64_t value = 0;
    const auto [rest, error] = std::from_chars(text->data(), text->data() + text->size(), value);
    if (error != std::errc() || rest != text->data() + text->size() || value < 1 || value > 3'600'000) {
      return given.Error(name, "'" + *text + "' is not a number of milliseconds from 1 to 3600000");
    }
    connection->timeout_ms = value;
  }
  if (const auto text = given.Take("buffer.memory")) {
    int64_t bytes = 0;
    const auto [rest, error] = std::from_chars(text->data(), text->data() + text->size(), bytes);
    if (error != std::errc() || rest != text->data() + text->size() || bytes < 1024) {
      return given.Error("buffer.memory", "'" + *text + "' is not a number of bytes from 1024 on");
    }
    connection->settings.emplace_back("queue.buffering.max.kbytes", std::to_string(bytes / 1024));
  }
  return Status::OK();
}

Status TakePositions(Given& given, KafkaProperties* properties) {
  if (const auto commit = given.Take("enable.auto.commit"); commit && LowerCased(*commit) != "false") {
    return given.Error("enable.auto.commit", "offsets are committed with each epoch; leave it out");
  }
  if (const auto reset = given.Take("auto.offset.reset")) {
    properties->offset_reset = LowerCased(*reset);
    if (properties->offset_reset != "earliest" && properties->offset_reset != "latest" &&
        properties->offset_reset != "none") {
      return given.Error("auto.offset.reset", "'" + *reset + "' is not one of earliest, latest, none");
    }
  }
  properties->connection.group_id = given.Take("group.id").value_or("");
  return Status::OK();
}

Status UnknownProperty(const Given& given, const std::string& name) {
  std::vector<std::string> names = KafkaPropertyNames();
  for (const Renamed& renamed : kRenamed) names.emplace_back(renamed.java);
  // librdkafka lists only what has a value.
  for (const char* extra : {"bootstrap.servers",     "group.id",
                            "sasl.jaas.config",      "sasl.username",
                            "sasl.password",         "sasl.mechanism",
                            "sasl.mechanisms",       "ssl.truststore.location",
                            "ssl.keystore.location", "ssl.keystore.password",
                            "ssl.ca.location",       "ssl.certificate.location",
                            "ssl.key.location",      "ssl.key.password",
                            "client.rack",           "acks",
                            "compression.type",      "default.api.timeout.ms",
                            "auto.offset.reset",     "max.partition.fetch.bytes",
                            "delivery.timeout.ms"}) {
    names.emplace_back(extra);
  }
  Status status(kUnknownOption, "'properties." + name + "': Kafka's client library has no property '" + name + "'");
  const std::string nearest = NearestName(name, names);
  if (!nearest.empty()) status = status.WithHint("did you mean 'properties." + nearest + "'?");
  const auto place = given.table.option_positions.find(std::string(kPrefix) + name);
  return status.At(place != given.table.option_positions.end() ? place->second : given.table.position);
}

Status TakeRest(Given& given, KafkaConnection* connection) {
  for (const auto& [name, value] : given.values) {
    const auto renamed =
        std::find_if(std::begin(kRenamed), std::end(kRenamed), [&](const Renamed& r) { return r.java == name; });
    const std::string ours = renamed != std::end(kRenamed) ? std::string(renamed->ours) : name;
    const bool no_check = name == "ssl.endpoint.identification.algorithm" && value.empty();
    if (given.IsUnresolved(value)) {
      if (CheckKafkaProperty(ours, "").Is(kUnknownOption)) return UnknownProperty(given, name);
      continue;
    }
    const std::string text = no_check ? "none" : value;
    const Status checked = CheckKafkaProperty(ours, text);
    if (checked.Is(kUnknownOption)) return UnknownProperty(given, name);
    if (!checked.ok())
      return given.Error(name, given.hidden.contains(name) ? "its value is not valid" : checked.message());
    connection->settings.emplace_back(ours, text);
  }
  return Status::OK();
}

Result<KafkaProperties> Translate(Given given) {
  KafkaProperties properties;
  for (const Refused& refused : kRefusedNames) {
    if (given.values.contains(refused.name)) return given.Error(refused.name, std::string(refused.instead));
  }
  const auto servers = given.values.find("bootstrap.servers");
  if (servers != given.values.end()) {
    if (servers->second.empty()) return given.Error("bootstrap.servers", "it is empty");
    properties.connection.servers = given.hidden.contains("bootstrap.servers") ? "${...}" : servers->second;
  }
  TM_RETURN_IF_ERROR(TakePositions(given, &properties));
  TM_RETURN_IF_ERROR(TakeTimes(given, &properties.connection));
  TM_RETURN_IF_ERROR(TakeJaas(given, &properties.connection));
  TM_RETURN_IF_ERROR(TakeStores(given, &properties.connection));
  // Kafka turns the numbering of records off where acks do not go with it.
  const auto acks = given.values.find("acks");
  if (acks != given.values.end() && acks->second != "all" && acks->second != "-1" &&
      !given.values.contains("enable.idempotence")) {
    properties.connection.settings.emplace_back("enable.idempotence", "false");
  }
  TM_RETURN_IF_ERROR(TakeRest(given, &properties.connection));
  return properties;
}

}  // namespace

Result<KafkaProperties> ParseKafkaProperties(const TableDefinition& table) {
  Given given{table, {}, {}};
  for (const auto& [key, value] : table.options.values()) {
    if (!key.starts_with(kPrefix)) continue;
    given.values[key.substr(kPrefix.size())] = value;
    if (value.find("${") != std::string::npos) given.hidden[key.substr(kPrefix.size())] = true;
  }
  return Translate(std::move(given));
}

Result<KafkaProperties> ResolveKafkaProperties(const TableDefinition& table, FileSystem& files) {
  Given given{table, {}, {}};
  for (const auto& [key, value] : table.options.values()) {
    if (!key.starts_with(kPrefix)) continue;
    const std::string name = key.substr(kPrefix.size());
    auto resolved = ResolveSecrets(value, files);
    if (!resolved.ok()) return resolved.status().WithContext("'" + key + "'");
    if (*resolved != value) given.hidden[name] = true;
    given.values[name] = *std::move(resolved);
  }
  return Translate(std::move(given));
}

}  // namespace tidemill
