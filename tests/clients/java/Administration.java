import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;

/** What the Java administration client is told, a line for each fact. The test compares it with what is due, and two servers with one another. */
final class Administration {
  private Administration() {}

  private interface Call {
    Object run() throws Exception;
  }

  private static void tell(String what, Call call) {
    try {
      Client.say(what + ": " + call.run());
    } catch (ExecutionException e) {
      Client.say(what + ": " + e.getCause().getClass().getSimpleName());
    } catch (Exception e) {
      Client.say(what + ": " + e.getClass().getSimpleName());
    }
  }

  static void run(String bootstrap, String topic) throws Exception {
    TopicPartition first = new TopicPartition(topic, 0);
    ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
    try (Admin admin = Admin.create(Client.settings(bootstrap))) {
      tell("create", () -> get(admin.createTopics(List.of(new NewTopic(topic, 2, (short) 1).configs(Map.of("retention.ms", "123456")))).all()));
      tell("create again", () -> get(admin.createTopics(List.of(new NewTopic(topic, 2, (short) 1))).all()));
      tell("create with a bad setting", () -> get(admin.createTopics(List.of(new NewTopic(topic + "-x", 1, (short) 1).configs(Map.of("retention.ms", "soon")))).all()));
      tell("create with no partitions", () -> get(admin.createTopics(List.of(new NewTopic(topic + "-x", 0, (short) 1))).all()));
      tell("create three replicas", () -> get(admin.createTopics(List.of(new NewTopic(topic + "-x", 1, (short) 3))).all()));
      tell("create with a bad name", () -> get(admin.createTopics(List.of(new NewTopic("a/b", 1, (short) 1))).all()));
      tell("partitions", () -> admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).partitions().size());
      tell("partitions of no topic", () -> get(admin.describeTopics(List.of("none-" + topic)).allTopicNames()));
      tell("more partitions", () -> get(admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(3))).all()));
      tell("fewer partitions", () -> get(admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(1))).all()));
      tell("partitions then", () -> admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).partitions().size());
      for (String name : List.of("retention.ms", "cleanup.policy", "max.message.bytes", "min.insync.replicas", "compression.type", "segment.bytes",
          "message.timestamp.type", "delete.retention.ms", "retention.bytes")) {
        tell("setting " + name, () -> {
          ConfigEntry entry = admin.describeConfigs(List.of(resource)).all().get().get(resource).get(name);
          return entry == null ? null : entry.value() + " " + entry.isDefault();
        });
      }
      tell("alter", () -> get(alter(admin, resource, "retention.ms", "99", AlterConfigOp.OpType.SET)));
      tell("altered", () -> admin.describeConfigs(List.of(resource)).all().get().get(resource).get("retention.ms").value());
      tell("append to a list", () -> get(alter(admin, resource, "cleanup.policy", "compact", AlterConfigOp.OpType.APPEND)));
      tell("appended", () -> admin.describeConfigs(List.of(resource)).all().get().get(resource).get("cleanup.policy").value());
      tell("subtract from it", () -> get(alter(admin, resource, "cleanup.policy", "compact", AlterConfigOp.OpType.SUBTRACT)));
      tell("subtracted", () -> admin.describeConfigs(List.of(resource)).all().get().get(resource).get("cleanup.policy").value());
      tell("alter back", () -> get(alter(admin, resource, "retention.ms", "", AlterConfigOp.OpType.DELETE)));
      tell("altered back", () -> admin.describeConfigs(List.of(resource)).all().get().get(resource).get("retention.ms").value());
      tell("alter badly", () -> get(alter(admin, resource, "retention.ms", "soon", AlterConfigOp.OpType.SET)));
      tell("alter what is not there", () -> get(alter(admin, resource, "no.such.setting", "1", AlterConfigOp.OpType.SET)));

      try (KafkaProducer<String, String> producer = Client.producer(bootstrap)) {
        for (int i = 0; i < 100; i++) producer.send(new ProducerRecord<>(topic, 0, 1_000_000_000_000L + i * 1000L, "k", "v" + i)).get();
      }
      tell("latest", () -> offset(admin, first, OffsetSpec.latest()));
      tell("earliest", () -> offset(admin, first, OffsetSpec.earliest()));
      tell("by time", () -> offset(admin, first, OffsetSpec.forTimestamp(1_000_000_041_500L)));
      tell("by a time to come", () -> offset(admin, first, OffsetSpec.forTimestamp(4_000_000_000_000L)));
      tell("of the greatest time", () -> offset(admin, first, OffsetSpec.maxTimestamp()));
      tell("earliest on this machine", () -> offset(admin, first, OffsetSpec.earliestLocal()));
      tell("delete records", () -> admin.deleteRecords(Map.of(first, RecordsToDelete.beforeOffset(40))).lowWatermarks().get(first).get().lowWatermark());
      tell("delete records beyond the end", () -> admin.deleteRecords(Map.of(first, RecordsToDelete.beforeOffset(4000))).lowWatermarks().get(first).get().lowWatermark());
      tell("earliest then", () -> offset(admin, first, OffsetSpec.earliest()));
      tell("read then", () -> {
        try (KafkaConsumer<String, String> reader = Client.consumer(bootstrap)) {
          return Client.readAll(reader, topic).size();
        }
      });
      groups(admin, bootstrap, topic);
      transactions(admin, bootstrap, topic);
      tell("nodes", () -> admin.describeCluster().nodes().get().size());
      tell("cluster id", () -> !admin.describeCluster().clusterId().get().isEmpty());
      tell("delete the topic", () -> get(admin.deleteTopics(List.of(topic)).all()));
      tell("delete it again", () -> get(admin.deleteTopics(List.of(topic)).all()));
    }
  }

  private static void groups(Admin admin, String bootstrap, String topic) {
    String group = "group-of-" + topic;
    TopicPartition first = new TopicPartition(topic, 0);
    tell("alter positions of a new group", () -> get(admin.alterConsumerGroupOffsets(group, Map.of(first, new OffsetAndMetadata(50, "note"))).all()));
    tell("positions", () -> {
      OffsetAndMetadata position = admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get().get(first);
      return position.offset() + " " + position.metadata();
    });
    tell("state", () -> admin.describeConsumerGroups(List.of(group)).all().get().get(group).groupState());
    tell("listed", () -> admin.listGroups().all().get().stream().anyMatch(one -> one.groupId().equals(group)));
    tell("a member", () -> {
      try (KafkaConsumer<String, String> reader = Client.consumer(bootstrap, "group.id", group, "client.id", "the client")) {
        reader.subscribe(List.of(topic));
        while (reader.poll(java.time.Duration.ofMillis(100)).isEmpty()) continue;
        var described = admin.describeConsumerGroups(List.of(group)).all().get().get(group);
        var member = described.members().iterator().next();
        tell("delete positions of a topic in use", () -> get(admin.deleteConsumerGroupOffsets(group, Set.of(first)).all()));
        tell("alter positions of a group in use", () -> get(admin.alterConsumerGroupOffsets(group, Map.of(first, new OffsetAndMetadata(1))).all()));
        tell("delete a group in use", () -> get(admin.deleteConsumerGroups(List.of(group)).all()));
        return described.groupState() + " " + described.members().size() + " " + member.clientId() + " " + member.host() + " "
            + member.assignment().topicPartitions().size() + " " + described.partitionAssignor() + " " + described.type();
      }
    });
    tell("delete positions", () -> get(admin.deleteConsumerGroupOffsets(group, Set.of(first)).all()));
    tell("positions then", () -> admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get().get(first));
    tell("delete the group", () -> get(admin.deleteConsumerGroups(List.of(group)).all()));
    tell("delete the group again", () -> get(admin.deleteConsumerGroups(List.of(group)).all()));
    tell("describe it", () -> get(admin.describeConsumerGroups(List.of(group)).all()));
  }

  private static void transactions(Admin admin, String bootstrap, String topic) {
    String id = "id-of-" + topic;
    TopicPartition second = new TopicPartition(topic, 1);
    tell("describe no transaction", () -> get(admin.describeTransactions(List.of(id)).all()));
    try (KafkaProducer<String, String> producer = Client.producer(bootstrap, "transactional.id", id)) {
      producer.initTransactions();
      tell("transaction before", () -> {
        var described = admin.describeTransactions(List.of(id)).all().get().get(id);
        return described.state() + " " + described.topicPartitions();
      });
      producer.beginTransaction();
      tell("send", () -> producer.send(new ProducerRecord<>(topic, 1, "k", "v")).get().offset());
      tell("transaction", () -> {
        var described = admin.describeTransactions(List.of(id)).all().get().get(id);
        return described.state() + " " + described.topicPartitions().size() + " " + described.transactionTimeoutMs() + " "
            + described.transactionStartTimeMs().isPresent();
      });
      tell("listed transaction", () -> admin.listTransactions().all().get().stream().anyMatch(one -> one.transactionalId().equals(id)));
      tell("its producer", () -> {
        var states = admin.describeProducers(List.of(second)).partitionResult(second).get().activeProducers();
        var state = states.iterator().next();
        return states.size() + " " + state.lastSequence() + " " + state.currentTransactionStartOffset();
      });
      tell("latest of all", () -> offset(admin, second, OffsetSpec.latest()));
      tell("latest of committed", () -> admin.listOffsets(Map.of(second, OffsetSpec.latest()),
          new org.apache.kafka.clients.admin.ListOffsetsOptions(org.apache.kafka.common.IsolationLevel.READ_COMMITTED)).partitionResult(second).get().offset());
      tell("fence", () -> get(admin.fenceProducers(List.of(id)).all()));
      tell("commit", () -> {
        producer.commitTransaction();
        return "done";
      });
    }
    tell("transaction then", () -> admin.describeTransactions(List.of(id)).all().get().get(id).state());
  }

  private static KafkaFuture<Void> alter(Admin admin, ConfigResource resource, String name, String value, AlterConfigOp.OpType how) {
    return admin.incrementalAlterConfigs(Map.of(resource, List.of(new AlterConfigOp(new ConfigEntry(name, value), how)))).all();
  }

  private static String offset(Admin admin, TopicPartition place, OffsetSpec spec) throws Exception {
    ListOffsetsResultInfo found = admin.listOffsets(Map.of(place, spec)).partitionResult(place).get();
    return found.offset() + " " + found.timestamp();
  }

  private static String get(KafkaFuture<?> future) throws Exception {
    Object value = future.get();
    return value instanceof Map<?, ?> map ? new TreeMap<>(map).keySet().toString() : "done";
  }
}
