import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** The Java client, told by test_clients.py what to do; what it did goes to standard output, a line each. */
public final class Client {
  private Client() {}

  public static void main(String[] args) throws Exception {
    String bootstrap = args[1];
    switch (args[0]) {
      case "produce" -> produce(bootstrap, args[2], Integer.parseInt(args[3]), args[4]);
      case "read" -> read(bootstrap, args[2], args[3]);
      case "member" -> member(bootstrap, args[2], args[3], args[4]);
      case "transactions" -> transactions(bootstrap, args[2], args[3]);
      case "copy" -> copy(bootstrap, args[2], args[3], args[4]);
      case "admin" -> Administration.run(bootstrap, args[2]);
      case "compaction" -> Compaction.run(bootstrap, args[2]);
      case "words" -> Words.run(bootstrap, args[2], args[3], args[4], args[5]);
      default -> throw new IllegalArgumentException(args[0]);
    }
  }

  static Properties settings(String bootstrap, String... more) {
    Properties settings = new Properties();
    settings.put("bootstrap.servers", bootstrap);
    for (int i = 0; i < more.length; i += 2) settings.put(more[i], more[i + 1]);
    return settings;
  }

  static KafkaProducer<String, String> producer(String bootstrap, String... more) {
    return new KafkaProducer<>(settings(bootstrap, more), new StringSerializer(), new StringSerializer());
  }

  static KafkaConsumer<String, String> consumer(String bootstrap, String... more) {
    Properties settings = settings(bootstrap, "auto.offset.reset", "earliest", "enable.auto.commit", "false");
    settings.putAll(settings(bootstrap, more));
    return new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer());
  }

  static synchronized void say(String line) {
    System.out.println(line);
    System.out.flush();
  }

  static String line(ConsumerRecord<String, String> record) {
    return "record " + record.partition() + " " + record.offset() + " " + record.key() + " " + record.value();
  }

  /** Becomes true when standard input ends: how the test says stop. */
  static AtomicBoolean stopWhenInputEnds() {
    AtomicBoolean stop = new AtomicBoolean();
    Thread watch = new Thread(() -> {
      try {
        while (System.in.read() >= 0) {
          continue;
        }
      } catch (IOException e) {
        say("no input: " + e);
      }
      stop.set(true);
    });
    watch.setDaemon(true);
    watch.start();
    return stop;
  }

  static void produce(String bootstrap, String topic, int count, String compression) throws Exception {
    List<Future<RecordMetadata>> sent = new ArrayList<>();
    try (KafkaProducer<String, String> producer = producer(bootstrap, "compression.type", compression, "linger.ms", "2", "acks", "all")) {
      for (int i = 0; i < count; i++) {
        ProducerRecord<String, String> record = new ProducerRecord<>(topic, "k" + i % 7, String.format("%06d-%s", i, "x".repeat(100)));
        record.headers().add("n", Integer.toString(i).getBytes(StandardCharsets.UTF_8));
        sent.add(producer.send(record));
      }
      producer.flush();
      for (Future<RecordMetadata> one : sent) one.get();
    }
    say("produced " + sent.size());
  }

  /** Everything up to the end that each partition has now. */
  static void read(String bootstrap, String topic, String isolation) {
    try (KafkaConsumer<String, String> reader = consumer(bootstrap, "isolation.level", isolation)) {
      for (ConsumerRecord<String, String> record : readAll(reader, topic)) say(line(record));
    }
    say("end");
  }

  static List<ConsumerRecord<String, String>> readAll(KafkaConsumer<String, String> reader, String topic) {
    List<TopicPartition> places = reader.partitionsFor(topic).stream().map(info -> new TopicPartition(topic, info.partition())).toList();
    reader.assign(places);
    reader.seekToBeginning(places);
    Map<TopicPartition, Long> ends = reader.endOffsets(places);
    List<ConsumerRecord<String, String>> records = new ArrayList<>();
    long deadline = System.nanoTime() + 60_000_000_000L;
    while (!places.stream().allMatch(place -> reader.position(place) >= ends.get(place))) {
      if (System.nanoTime() > deadline) throw new IllegalStateException("the end of " + topic + " did not come");
      reader.poll(Duration.ofMillis(200)).forEach(records::add);
    }
    return records;
  }

  /** A member of a group. A record is told when its position is committed, so that each is told once however members come and go. */
  static void member(String bootstrap, String topic, String group, String protocol) {
    AtomicBoolean stop = stopWhenInputEnds();
    Map<TopicPartition, List<ConsumerRecord<String, String>>> pending = new HashMap<>();
    try (KafkaConsumer<String, String> reader = consumer(bootstrap, memberSettings(group, protocol))) {
      reader.subscribe(List.of(topic), new ConsumerRebalanceListener() {
        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
          commit(reader, pending, partitions);
          partitions.forEach(pending::remove);
        }

        @Override
        public void onPartitionsLost(Collection<TopicPartition> partitions) {
          partitions.forEach(pending::remove);
        }

        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> partitions) {}
      });
      int owned = -1;
      while (!stop.get()) {
        for (ConsumerRecord<String, String> record : reader.poll(Duration.ofMillis(100)))
          pending.computeIfAbsent(new TopicPartition(record.topic(), record.partition()), place -> new ArrayList<>()).add(record);
        commit(reader, pending, List.copyOf(pending.keySet()));
        if (reader.assignment().size() != owned) {
          owned = reader.assignment().size();
          say("owns " + owned);
        }
      }
      commit(reader, pending, List.copyOf(pending.keySet()));
    }
    say("left");
  }

  private static String[] memberSettings(String group, String protocol) {
    return switch (protocol) {
      case "consumer" -> new String[] {"group.id", group, "group.protocol", "consumer"};
      case "cooperative" -> new String[] {"group.id", group, "session.timeout.ms", "6000", "heartbeat.interval.ms", "500", "partition.assignment.strategy",
          "org.apache.kafka.clients.consumer.CooperativeStickyAssignor"};
      case "static" -> new String[] {"group.id", group, "session.timeout.ms", "10000", "heartbeat.interval.ms", "500", "group.instance.id", "the-one"};
      default -> new String[] {"group.id", group, "session.timeout.ms", "6000", "heartbeat.interval.ms", "500", "partition.assignment.strategy",
          "org.apache.kafka.clients.consumer.RangeAssignor"};
    };
  }

  private static void commit(KafkaConsumer<String, String> reader, Map<TopicPartition, List<ConsumerRecord<String, String>>> pending,
                             Collection<TopicPartition> places) {
    Map<TopicPartition, OffsetAndMetadata> positions = new HashMap<>();
    for (TopicPartition place : places) {
      List<ConsumerRecord<String, String>> records = pending.get(place);
      if (records != null && !records.isEmpty()) positions.put(place, new OffsetAndMetadata(records.get(records.size() - 1).offset() + 1));
    }
    if (positions.isEmpty()) return;
    try {
      reader.commitSync(positions);
    } catch (RebalanceInProgressException | CommitFailedException e) {
      // Again after the next poll, for what is still ours then: with the new protocol a commit fails when the member's epoch has just moved on,
      // and the partitions stay; where they are lost, the listener is told.
      say("not yet: " + e.getClass().getSimpleName());
      return;
    }
    for (TopicPartition place : positions.keySet()) pending.remove(place).forEach(record -> say(line(record)));
  }

  /** Ten transactions of ten records, every second one aborted; then a second producer of that id ends the first one's. */
  static void transactions(String bootstrap, String topic, String id) throws Exception {
    try (KafkaProducer<String, String> first = producer(bootstrap, "transactional.id", id, "transaction.timeout.ms", "20000")) {
      first.initTransactions();
      for (int number = 0; number < 10; number++) {
        first.beginTransaction();
        for (int i = 0; i < 10; i++) first.send(new ProducerRecord<>(topic, "k" + i, number + "-" + i));
        if (number % 2 == 0) {
          first.commitTransaction();
        } else {
          first.flush();
          first.abortTransaction();
        }
      }
      first.beginTransaction();
      first.send(new ProducerRecord<>(topic, "k", "open")).get();
      try (KafkaProducer<String, String> second = producer(bootstrap, "transactional.id", id)) {
        second.initTransactions();
        second.beginTransaction();
        second.send(new ProducerRecord<>(topic, "k", "second"));
        second.commitTransaction();
      }
      try {
        first.send(new ProducerRecord<>(topic, "k", "late")).get();
        first.commitTransaction();
        say("not fenced");
      } catch (Exception e) {
        boolean fenced = e instanceof ProducerFencedException || e.getCause() instanceof ProducerFencedException
            || e.toString().contains("InvalidProducerEpoch") || String.valueOf(e.getCause()).contains("InvalidProducerEpoch");
        say(fenced ? "fenced" : "failed otherwise: " + e);
      }
    }
  }

  /** Consumes and produces in transactions of up to 50 records, each with its positions, until input ends or it is killed. */
  static void copy(String bootstrap, String from, String to, String group) {
    AtomicBoolean stop = stopWhenInputEnds();
    try (KafkaConsumer<String, String> reader = consumer(bootstrap, "group.id", group, "session.timeout.ms", "6000", "heartbeat.interval.ms", "500",
             "isolation.level", "read_committed", "max.poll.records", "50");
         KafkaProducer<String, String> writer = producer(bootstrap, "transactional.id", group + "-copy", "transaction.timeout.ms", "20000")) {
      writer.initTransactions();
      reader.subscribe(List.of(from));
      long copied = 0;
      while (!stop.get()) {
        Map<TopicPartition, OffsetAndMetadata> positions = new HashMap<>();
        var records = reader.poll(Duration.ofMillis(100));
        if (records.isEmpty()) continue;
        writer.beginTransaction();
        for (ConsumerRecord<String, String> record : records) {
          writer.send(new ProducerRecord<>(to, record.key(), record.value()));
          positions.put(new TopicPartition(record.topic(), record.partition()), new OffsetAndMetadata(record.offset() + 1));
        }
        writer.sendOffsetsToTransaction(positions, reader.groupMetadata());
        writer.commitTransaction();
        copied += records.count();
        say("copied " + copied);
      }
    }
    say("left");
  }
}
