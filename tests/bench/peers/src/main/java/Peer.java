import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import java.util.Properties;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.JoinWindows;
import org.apache.kafka.streams.kstream.Joined;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.StreamJoined;

/** The joins of the benchmark as a Kafka Streams application, with ksqlDB's cache and commit interval. */
public class Peer {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** {@code Peer stream-table|stream-stream|table-table BOOTSTRAP-SERVERS APPLICATION-ID STATE-DIR} */
    public static void main(String[] args) {
        Properties config = new Properties();
        config.put("bootstrap.servers", args[1]);
        config.put("application.id", args[2]);
        config.put("state.dir", args[3]);
        config.put("auto.offset.reset", "earliest");
        config.put("num.stream.threads", "1");
        config.put("commit.interval.ms", "2000");
        config.put("statestore.cache.max.bytes", "10000000");
        StreamsBuilder builder = new StreamsBuilder();
        join(args[0], builder);
        KafkaStreams streams = new KafkaStreams(builder.build(), config);
        Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
        streams.start();
    }

    private static void join(String kind, StreamsBuilder builder) {
        Serde<String> text = Serdes.String();
        Serde<ObjectNode> json = json();
        Consumed<String, ObjectNode> consumed = Consumed.with(text, json);
        Produced<String, ObjectNode> produced = Produced.with(text, json);
        switch (kind) {
            case "stream-table":
                builder.stream("join-left", consumed)
                        .join(builder.table("join-right", consumed), Peer::both, Joined.with(text, json, json))
                        .to("join-out", produced);
                break;
            case "stream-stream":
                JoinWindows windows =
                        JoinWindows.ofTimeDifferenceAndGrace(Duration.ofSeconds(1), Duration.ofSeconds(10));
                builder.stream("join-left", consumed)
                        .join(builder.stream("join-right", consumed), Peer::values, windows,
                                StreamJoined.with(text, json, json))
                        .to("join-out", produced);
                break;
            case "table-table":
                builder.table("join-left", consumed)
                        .join(builder.table("join-right", consumed), Peer::both)
                        .toStream()
                        .to("join-out", produced);
                break;
            default:
                throw new IllegalArgumentException(kind);
        }
    }

    private static ObjectNode both(ObjectNode left, ObjectNode right) {
        ObjectNode row = JSON.createObjectNode();
        row.set("X", left.get("X"));
        row.set("GT", left.get("GT"));
        row.set("OWNER", right.get("OWNER"));
        row.set("ROOM", right.get("ROOM"));
        return row;
    }

    private static ObjectNode values(ObjectNode left, ObjectNode right) {
        ObjectNode row = JSON.createObjectNode();
        row.set("X", left.get("X"));
        row.set("Y", right.get("X"));
        return row;
    }

    private static Serde<ObjectNode> json() {
        Serializer<ObjectNode> write = (topic, row) -> {
            try {
                return row == null ? null : JSON.writeValueAsBytes(row);
            } catch (Exception error) {
                throw new IllegalStateException(error);
            }
        };
        Deserializer<ObjectNode> read = (topic, bytes) -> {
            try {
                return bytes == null ? null : (ObjectNode) JSON.readTree(bytes);
            } catch (Exception error) {
                throw new IllegalStateException(error);
            }
        };
        return Serdes.serdeFrom(write, read);
    }
}
