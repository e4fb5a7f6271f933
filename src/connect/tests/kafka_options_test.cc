#include "connect/kafka/kafka_options.h"

#include <algorithm>
#include <cstdlib>

#include <gtest/gtest.h>

#include "base/simulated_file_system.h"
#include "connect/connector.h"
#include "connect/errors.h"
#include "connect/kafka/kafka_places.h"
#include "connect/offset_position.h"
#include "connect/tests/table_of.h"

namespace tidemill {
namespace {

using KafkaOptionMap = std::map<std::string, std::string>;

std::shared_ptr<TableDefinition> KafkaTableOf(KafkaOptionMap more) {
  KafkaOptionMap options = {
      {"connector", "kafka"}, {"topic", "t"}, {"properties.bootstrap.servers", "b:9092"}, {"format", "json"}};
  for (auto& [key, value] : more) options[key] = value;
  return TableOf("k", {{"id", DataType(TypeKind::kBigInt)}, {"name", DataType(TypeKind::kString)}}, options);
}

std::string SettingOf(const KafkaConnection& connection, const std::string& name) {
  for (const auto& [key, value] : connection.settings) {
    if (key == name) return value;
  }
  return "(none)";
}

TEST(KafkaProperties, JavaNamesAreTranslated) {
  const auto table = KafkaTableOf({
      {"properties.fetch.max.wait.ms", "250"},
      {"properties.max.request.size", "5000"},
      {"properties.receive.buffer.bytes", "65536"},
      {"properties.buffer.memory", "2097152"},
      {"properties.default.api.timeout.ms", "1234"},
      {"properties.security.protocol", "SASL_SSL"},
      {"properties.sasl.mechanism", "SCRAM-SHA-256"},
      {"properties.sasl.jaas.config",
       "org.apache.kafka.common.security.scram.ScramLoginModule required "
       "username=\"me\" password=\"a\\\"b;c\";"},
      {"properties.ssl.truststore.location", "/etc/ca.pem"},
      {"properties.ssl.endpoint.identification.algorithm", ""},
      {"properties.linger.ms", "7"},
      {"properties.delivery.timeout.ms", "60000"},
      {"properties.enable.auto.commit", "false"},
      {"properties.auto.offset.reset", "LATEST"},
      {"properties.group.id", "g"},
  });
  const auto properties = ParseKafkaProperties(*table);
  ASSERT_TRUE(properties.ok()) << properties.status().ToString();
  const KafkaConnection& connection = properties->connection;
  EXPECT_EQ(SettingOf(connection, "fetch.wait.max.ms"), "250");
  EXPECT_EQ(SettingOf(connection, "message.max.bytes"), "5000");
  EXPECT_EQ(SettingOf(connection, "socket.receive.buffer.bytes"), "65536");
  EXPECT_EQ(SettingOf(connection, "queue.buffering.max.kbytes"), "2048");
  EXPECT_EQ(connection.timeout_ms, 1234);
  EXPECT_EQ(SettingOf(connection, "sasl.username"), "me");
  EXPECT_EQ(SettingOf(connection, "sasl.password"), "a\"b;c");
  EXPECT_EQ(SettingOf(connection, "ssl.ca.location"), "/etc/ca.pem");
  EXPECT_EQ(SettingOf(connection, "ssl.endpoint.identification.algorithm"), "none");
  EXPECT_EQ(SettingOf(connection, "linger.ms"), "7");
  EXPECT_EQ(properties->offset_reset, "latest");
  EXPECT_EQ(connection.group_id, "g");
  for (const auto& [name, value] : connection.settings) {
    EXPECT_TRUE(CheckKafkaProperty(name, value).ok()) << name;
  }
}

TEST(KafkaProperties, LooserAcksTurnNumberingOff) {
  const auto properties = ParseKafkaProperties(*KafkaTableOf({{"properties.acks", "1"}}));
  ASSERT_TRUE(properties.ok());
  EXPECT_EQ(SettingOf(properties->connection, "enable.idempotence"), "false");
  const auto all = ParseKafkaProperties(*KafkaTableOf({{"properties.acks", "all"}}));
  ASSERT_TRUE(all.ok());
  EXPECT_EQ(SettingOf(all->connection, "enable.idempotence"), "(none)");
}

TEST(KafkaProperties, SecretsAreReadWhenOpenedAndNeverShown) {
  SimulatedFileSystem files;
  ASSERT_TRUE(WriteFileAtomically(files, "jaas",
                                  "org.apache.kafka.common.security.plain.PlainLoginModule required username=me "
                                  "password='hunter2';\n")
                  .ok());
  ASSERT_TRUE(WriteFileAtomically(files, "number", "hunter2\n").ok());
  const auto table = KafkaTableOf({{"properties.sasl.jaas.config", "${file:jaas}"}});
  const auto planned = ParseKafkaProperties(*table);
  ASSERT_TRUE(planned.ok()) << planned.status().ToString();
  EXPECT_EQ(SettingOf(planned->connection, "sasl.password"), "(none)");
  const auto opened = ResolveKafkaProperties(*table, files);
  ASSERT_TRUE(opened.ok()) << opened.status().ToString();
  EXPECT_EQ(SettingOf(opened->connection, "sasl.password"), "hunter2");
  const auto wrong = ResolveKafkaProperties(*KafkaTableOf({{"properties.linger.ms", "${file:number}"}}), files);
  ASSERT_FALSE(wrong.ok());
  EXPECT_EQ(wrong.status().ToString().find("hunter2"), std::string::npos) << wrong.status().ToString();
}

TEST(KafkaOptions, PlacesAreParsed) {
  const auto table = KafkaTableOf({{"scan.startup.mode", "specific-offsets"},
                                   {"scan.startup.specific-offsets", "partition:0,offset:42;partition:12,offset:300"},
                                   {"scan.bounded.mode", "timestamp"},
                                   {"scan.bounded.timestamp-millis", "77"},
                                   {"scan.topic-partition-discovery.interval", "0"}});
  const auto options = ParseKafkaTableOptions(*table, false);
  ASSERT_TRUE(options.ok()) << options.status().ToString();
  EXPECT_EQ(options->start.offsets, (std::map<int32_t, int64_t>{{0, 42}, {12, 300}}));
  EXPECT_EQ(options->end.timestamp_ms, 77);
  EXPECT_TRUE(options->bounded());
  EXPECT_EQ(options->discovery_interval_ms, 0);
}

TEST(KafkaOptions, BrokenOffsetsAreRefused) {
  for (const char* text : {"", ";", "partition:0", "partition:0,offset:", "partition:-1,offset:1",
                           "partition:0,offset:1x", "offset:1,partition:0", "partition:99999999999,offset:1"}) {
    const auto options = ParseKafkaTableOptions(
        *KafkaTableOf({{"scan.startup.mode", "specific-offsets"}, {"scan.startup.specific-offsets", text}}), false);
    EXPECT_FALSE(options.ok()) << text;
  }
}

TEST(KafkaOptions, APrimaryKeyIsTheKey) {
  const auto table = KafkaTableOf({});
  table->primary_key = {0};
  const auto options = ParseKafkaTableOptions(*table, false);
  ASSERT_TRUE(options.ok());
  EXPECT_EQ(options->key_columns, std::vector<int>{0});
  EXPECT_EQ(options->key_format, "csv");
}

TEST(OffsetPosition, TextGoesThereAndBack) {
  for (const OffsetPosition position : {OffsetPosition{0, -1}, OffsetPosition{17, 42}, OffsetPosition{1LL << 60, -1}}) {
    const auto parsed = OffsetPosition::Parse(position.ToText());
    ASSERT_TRUE(parsed.ok());
    EXPECT_EQ(parsed->next, position.next);
    EXPECT_EQ(parsed->end, position.end);
  }
  for (const char* text : {"", "x", "1/", "1/x", "-3", "1 "}) EXPECT_FALSE(OffsetPosition::Parse(text).ok()) << text;
}

}  // namespace
}  // namespace tidemill
