package clients;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.UUID;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.LongDeserializer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Produced;

/** A Kafka Streams application that counts words exactly once, restarted without its local state. Usage: WordCount HOST:PORT */
public final class WordCount {
    public static void main(String[] args) throws Exception {
        String broker = args[0];
        String own = UUID.randomUUID().toString();
        String input = "words-" + own;
        String output = "counts-" + own;
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", broker))) {
            admin.createTopics(List.of(new NewTopic(input, 2, (short) 1), new NewTopic(output, 2, (short) 1))).all().get();
        }
        for (int round = 1; round <= 2; round++) {
            Path state = Files.createTempDirectory("wordcount");
            KafkaStreams streams = new KafkaStreams(topology(input, output), settings(broker, "count-" + own, state));
            streams.start();
            produce(broker, input);
            await(broker, output, Map.of("to", 400L * round, "be", 400L * round, "or", 200L * round, "not", 200L * round));
            check(streams.close(Duration.ofSeconds(20)), "the application does not stop");
            System.out.println("ok wordCount " + round);
        }
    }

    private static org.apache.kafka.streams.Topology topology(String input, String output) {
        StreamsBuilder builder = new StreamsBuilder();
        builder.<String, String>stream(input)
            .flatMapValues(line -> Arrays.asList(line.split(" ")))
            .groupBy((key, word) -> word)
            .count()
            .toStream()
            .to(output, Produced.with(Serdes.String(), Serdes.Long()));
        return builder.build();
    }

    private static Properties settings(String broker, String application, Path state) {
        Properties settings = new Properties();
        settings.put("application.id", application);
        settings.put("bootstrap.servers", broker);
        settings.put("processing.guarantee", "exactly_once_v2");
        settings.put("commit.interval.ms", "100");
        // Streams does not leave its group; the next round waits until its sessions have expired.
        settings.put("consumer.session.timeout.ms", "6000");
        settings.put("consumer.heartbeat.interval.ms", "1000");
        settings.put("replication.factor", "1");
        settings.put("state.dir", state.toString());
        settings.put("default.key.serde", Serdes.StringSerde.class.getName());
        settings.put("default.value.serde", Serdes.StringSerde.class.getName());
        settings.put("consumer.auto.offset.reset", "earliest");
        settings.put("num.stream.threads", "2");
        return settings;
    }

    private static void produce(String broker, String input) {
        Map<String, Object> settings = Map.of("bootstrap.servers", broker);
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer())) {
            for (int number = 0; number < 200; number++) {
                producer.send(new ProducerRecord<>(input, "k" + number, "to be or not to be"));
            }
        }
    }

    private static void await(String broker, String output, Map<String, Long> expected) {
        Map<String, Object> settings = Map.of("bootstrap.servers", broker, "isolation.level", "read_committed");
        Map<String, Long> counts = new HashMap<>();
        try (KafkaConsumer<String, Long> consumer = new KafkaConsumer<>(settings, new StringDeserializer(), new LongDeserializer())) {
            List<TopicPartition> partitions = List.of(new TopicPartition(output, 0), new TopicPartition(output, 1));
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            long until = System.nanoTime() + 90_000_000_000L;
            while (!counts.equals(expected)) {
                check(System.nanoTime() < until, counts);
                consumer.poll(Duration.ofMillis(100)).forEach(record -> {
                    long before = counts.getOrDefault(record.key(), 0L);
                    check(record.value() > before, record);
                    counts.put(record.key(), record.value());
                });
            }
        }
    }

    private static void check(boolean holds, Object found) {
        if (!holds) {
            throw new AssertionError("found " + found);
        }
    }
}
