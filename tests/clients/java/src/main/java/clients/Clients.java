package clients;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.UUID;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** The producer, consumer and admin client of Java against a broker. Usage: Clients HOST:PORT */
public final class Clients {
    private final String broker;
    private final Admin admin;

    private Clients(String broker) {
        this.broker = broker;
        this.admin = Admin.create(properties());
    }

    public static void main(String[] args) throws Exception {
        Clients clients = new Clients(args[0]);
        clients.producesAndConsumes();
        ok("producesAndConsumes");
        clients.transactions();
        ok("transactions");
        clients.fencing();
        ok("fencing");
        clients.staticMembers();
        ok("staticMembers");
        clients.administration();
        ok("administration");
        clients.groups();
        ok("groups");
        clients.admin.close();
    }

    private static void ok(String name) {
        System.out.println("ok " + name);
    }

    private static void check(boolean holds, Object found) {
        if (!holds) {
            throw new AssertionError("found " + found);
        }
    }

    private Properties properties(String... pairs) {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", broker);
        properties.put("key.serializer", StringSerializer.class.getName());
        properties.put("value.serializer", StringSerializer.class.getName());
        properties.put("key.deserializer", StringDeserializer.class.getName());
        properties.put("value.deserializer", StringDeserializer.class.getName());
        for (int at = 0; at < pairs.length; at += 2) {
            properties.put(pairs[at], pairs[at + 1]);
        }
        return properties;
    }

    private String topic(String stem, int partitions, String... configs) throws Exception {
        String name = stem + "-" + UUID.randomUUID();
        NewTopic topic = new NewTopic(name, partitions, (short) 1);
        if (configs.length > 0) {
            topic.configs(Map.of(configs[0], configs[1]));
        }
        admin.createTopics(List.of(topic)).all().get();
        return name;
    }

    private List<ConsumerRecord<String, String>> readAll(String topic, String isolation) {
        Properties properties = properties("isolation.level", isolation, "enable.auto.commit", "false");
        try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(properties)) {
            List<TopicPartition> partitions = consumer.partitionsFor(topic).stream()
                .map(info -> new TopicPartition(topic, info.partition())).toList();
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            List<ConsumerRecord<String, String>> all = new ArrayList<>();
            long until = System.nanoTime() + 20_000_000_000L;
            while (partitions.stream().anyMatch(partition -> consumer.position(partition) < ends.get(partition))) {
                check(System.nanoTime() < until, all.size() + " records and no end");
                consumer.poll(Duration.ofMillis(100)).forEach(all::add);
            }
            return all;
        }
    }

    private void producesAndConsumes() throws Exception {
        for (String codec : List.of("none", "gzip", "snappy", "lz4", "zstd")) {
            String topic = topic("codec", 3);
            try (KafkaProducer<String, String> producer = new KafkaProducer<>(properties("compression.type", codec))) {
                for (int number = 0; number < 1000; number++) {
                    producer.send(new ProducerRecord<>(topic, "k" + number, "v" + number));
                }
            }
            check(readAll(topic, "read_committed").size() == 1000, codec);
        }
    }

    private void transactions() throws Exception {
        String topic = topic("transactions", 2);
        Properties properties = properties("transactional.id", "tx-" + UUID.randomUUID());
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(properties)) {
            producer.initTransactions();
            for (int number = 0; number < 20; number++) {
                producer.beginTransaction();
                producer.send(new ProducerRecord<>(topic, 0, "k", "v" + number));
                producer.send(new ProducerRecord<>(topic, 1, "k", "v" + number));
                if (number % 3 == 0) {
                    producer.flush();
                    producer.abortTransaction();
                } else {
                    producer.commitTransaction();
                }
            }
        }
        check(readAll(topic, "read_committed").size() == 26, "committed");
        check(readAll(topic, "read_uncommitted").size() == 40, "all");
    }

    private void fencing() throws Exception {
        String topic = topic("fencing", 1);
        Properties properties = properties("transactional.id", "tx-" + UUID.randomUUID());
        KafkaProducer<String, String> first = new KafkaProducer<>(properties);
        KafkaProducer<String, String> second = new KafkaProducer<>(properties);
        first.initTransactions();
        first.beginTransaction();
        first.send(new ProducerRecord<>(topic, "k", "first")).get();
        second.initTransactions();
        try {
            first.commitTransaction();
            check(false, "no fence");
        } catch (ProducerFencedException | InvalidProducerEpochException expected) {
            first.close(Duration.ZERO);
        }
        second.beginTransaction();
        second.send(new ProducerRecord<>(topic, "k", "second"));
        second.commitTransaction();
        second.close();
        check(readAll(topic, "read_committed").size() == 1, "first is gone");
    }

    private void staticMembers() throws Exception {
        String topic = topic("static", 2);
        String group = "static-" + UUID.randomUUID();
        Properties properties = properties("group.id", group, "group.instance.id", "one", "auto.offset.reset", "earliest");
        KafkaConsumer<String, String> consumer = new KafkaConsumer<>(properties);
        consumer.subscribe(List.of(topic));
        awaitAssignment(consumer);
        int generation = consumer.groupMetadata().generationId();
        consumer.close();
        consumer = new KafkaConsumer<>(properties);
        consumer.subscribe(List.of(topic));
        awaitAssignment(consumer);
        check(consumer.groupMetadata().generationId() == generation, consumer.groupMetadata());
        check(consumer.assignment().size() == 2, consumer.assignment());
        consumer.close();
    }

    private static void awaitAssignment(KafkaConsumer<String, String> consumer) {
        long until = System.nanoTime() + 20_000_000_000L;
        while (consumer.assignment().isEmpty()) {
            check(System.nanoTime() < until, "no assignment");
            consumer.poll(Duration.ofMillis(100));
        }
    }

    private void administration() throws Exception {
        String topic = topic("admin", 1, "cleanup.policy", "compact,delete");
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        check(config(resource, "cleanup.policy").value().equals("compact,delete"), "policy");
        admin.incrementalAlterConfigs(Map.of(resource, List.of(
            new AlterConfigOp(new ConfigEntry("retention.ms", "1234567"), AlterConfigOp.OpType.SET),
            new AlterConfigOp(new ConfigEntry("cleanup.policy", "compact"), AlterConfigOp.OpType.SUBTRACT)))).all().get();
        check(config(resource, "retention.ms").value().equals("1234567"), "retention");
        check(config(resource, "cleanup.policy").value().equals("delete"), "policy");
        admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(3))).all().get();
        check(admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).partitions().size() == 3, "partitions");
        TopicPartition partition = new TopicPartition(topic, 0);
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(properties())) {
            for (int number = 0; number < 10; number++) {
                producer.send(new ProducerRecord<>(topic, 0, 1_000L + number, "k", "v")).get();
            }
        }
        long low = admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(4))).lowWatermarks().get(partition).get().lowWatermark();
        check(low == 4, low);
        check(offset(partition, OffsetSpec.earliest()) == 4, "earliest");
        check(offset(partition, OffsetSpec.latest()) == 10, "latest");
        check(offset(partition, OffsetSpec.forTimestamp(1_006)) == 6, "timestamp");
        check(offset(partition, OffsetSpec.maxTimestamp()) == 9, "maximum");
        check(admin.describeCluster().nodes().get().size() == 1, "nodes");
        check(!admin.describeProducers(List.of(partition)).all().get().get(partition).activeProducers().isEmpty(), "producers");
        check(admin.listTransactions().all().get() != null, "transactions");
        check(admin.describeLogDirs(List.of(1)).allDescriptions().get().containsKey(1), "log dirs");
        admin.deleteTopics(List.of(topic)).all().get();
        check(!admin.listTopics().names().get().contains(topic), "deleted");
    }

    private ConfigEntry config(ConfigResource resource, String name) throws Exception {
        return admin.describeConfigs(List.of(resource)).all().get().get(resource).get(name);
    }

    private long offset(TopicPartition partition, OffsetSpec spec) throws Exception {
        return admin.listOffsets(Map.of(partition, spec)).partitionResult(partition).get().offset();
    }

    private void groups() throws Exception {
        String topic = topic("groups", 2);
        String group = "group-" + UUID.randomUUID();
        TopicPartition partition = new TopicPartition(topic, 0);
        KafkaConsumer<String, String> consumer = new KafkaConsumer<>(properties("group.id", group));
        consumer.subscribe(List.of(topic));
        awaitAssignment(consumer);
        consumer.commitSync(Map.of(partition, new OffsetAndMetadata(7, Optional.of(0), "note")));
        var described = admin.describeConsumerGroups(List.of(group)).all().get().get(group);
        check(described.members().size() == 1, described);
        check(described.members().iterator().next().assignment().topicPartitions().size() == 2, described);
        var offsets = admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get();
        check(offsets.get(partition).offset() == 7 && offsets.get(partition).metadata().equals("note"), offsets);
        check(admin.listConsumerGroups().all().get().stream().anyMatch(listed -> listed.groupId().equals(group)), "listed");
        consumer.close();
        admin.alterConsumerGroupOffsets(group, Map.of(partition, new OffsetAndMetadata(3))).all().get();
        admin.deleteConsumerGroupOffsets(group, Set.of(partition)).all().get();
        check(admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get().get(partition) == null, "deleted");
        admin.deleteConsumerGroups(Arrays.asList(group)).all().get();
    }
}
