import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;

/** A compacted topic keeps the newest value of each key, in order, and in the end drops what was deleted. */
final class Compaction {
  private static final int KEYS = 50;
  private static final int RECORDS = 30_000;

  private Compaction() {}

  static void run(String bootstrap, String topic) throws Exception {
    try (Admin admin = Admin.create(Client.settings(bootstrap))) {
      Map<String, String> settings = Map.of("cleanup.policy", "compact", "segment.bytes", "1048576", "min.cleanable.dirty.ratio", "0.01",
          "delete.retention.ms", "0");
      admin.createTopics(List.of(new NewTopic(topic, 1, (short) 1).configs(settings))).all().get();
    }
    try (KafkaProducer<String, String> producer = Client.producer(bootstrap, "linger.ms", "5", "compression.type", "lz4", "batch.size", "4000")) {
      for (int i = 0; i < KEYS; i++) producer.send(new ProducerRecord<>(topic, "gone" + i, "x"));
      for (int i = 0; i < KEYS; i++) producer.send(new ProducerRecord<>(topic, "gone" + i, null));
      write(producer, topic, 0);
      producer.flush();
      // Deletions go in a later pass than the one that found them, and the last segment is never looked at.
      long deadline = System.nanoTime() + 60_000_000_000L;
      for (int round = 1;; round++) {
        Map<String, String> newest = new HashMap<>();
        int count = 0;
        long last = -1;
        try (KafkaConsumer<String, String> reader = Client.consumer(bootstrap)) {
          for (ConsumerRecord<String, String> record : Client.readAll(reader, topic)) {
            if (record.offset() <= last) throw new IllegalStateException("offset " + record.offset() + " after " + last);
            last = record.offset();
            count++;
            newest.put(record.key(), record.value());
          }
        }
        for (int key = 0; key < KEYS; key++) {
          String value = newest.get("k" + key);
          if (value == null || !value.startsWith((RECORDS - KEYS + key) + " " + (round - 1) + " "))
            throw new IllegalStateException("k" + key + " is " + value + " in round " + round);
          if (newest.get("gone" + key) != null) throw new IllegalStateException("a deleted key is back");
        }
        boolean dropped = newest.keySet().stream().noneMatch(key -> key.startsWith("gone"));
        if (count < RECORDS && dropped && round > 1) {
          Client.say("compacted " + count + " of " + round * RECORDS);
          return;
        }
        if (System.nanoTime() > deadline) throw new IllegalStateException(count + " records are left, deletions dropped: " + dropped);
        write(producer, topic, round);
        producer.flush();
      }
    }
  }

  private static void write(KafkaProducer<String, String> producer, String topic, int round) {
    // Text that lz4 can't make much smaller, so that segments fill.
    java.util.Random chance = new java.util.Random(round);
    for (int i = 0; i < RECORDS; i++) {
      StringBuilder value = new StringBuilder().append(i).append(' ').append(round).append(' ');
      for (int j = 0; j < 20; j++) value.append(Integer.toHexString(chance.nextInt()));
      producer.send(new ProducerRecord<>(topic, "k" + i % KEYS, value.toString()));
    }
  }
}
