"""librdkafka (confluent-kafka) against a broker: groups, transactions, administration.

Usage: librdkafka.py HOST:PORT
"""
import sys
import threading
import time
import uuid

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewPartitions, NewTopic, ResourceType

BROKER = sys.argv[1]
ADMIN = AdminClient({"bootstrap.servers": BROKER})


def name(stem):
    return f"{stem}-{uuid.uuid4().hex[:8]}"


def create(topic, partitions=1, config=None):
    created = ADMIN.create_topics([NewTopic(topic, partitions, 1, config=config or {})])
    created[topic].result(10)
    return topic


def consumer(group, **settings):
    return Consumer({"bootstrap.servers": BROKER, "group.id": group, "auto.offset.reset": "earliest", **settings})


def poll(reader, count, seconds=20):
    """Reads `count` records, or fails."""
    found, until = [], time.monotonic() + seconds
    while len(found) < count:
        assert time.monotonic() < until, f"{len(found)} of {count} records"
        record = reader.poll(0.2)
        if record is None:
            continue
        if record.error():
            raise KafkaException(record.error())
        found.append(record)
    return found


def read_all(topic, isolation="read_committed"):
    """All records of a topic, up to its end."""
    reader = consumer(name("all"), **{"isolation.level": isolation, "enable.partition.eof": True})
    partitions = ADMIN.list_topics(topic, 10).topics[topic].partitions
    reader.assign([TopicPartition(topic, number, 0) for number in partitions])
    ended, found = set(), []
    while len(ended) < len(partitions):
        record = reader.poll(20)
        assert record is not None, "the topic's end does not come"
        if record.error() and record.error().code() == KafkaError._PARTITION_EOF:
            ended.add(record.partition())
        elif record.error():
            raise KafkaException(record.error())
        else:
            found.append(record)
    reader.close()
    return found


def produces_with_each_codec():
    for codec in ["none", "gzip", "snappy", "lz4", "zstd"]:
        topic = create(name(f"codec-{codec}"), 3)
        producer = Producer({"bootstrap.servers": BROKER, "compression.type": codec, "linger.ms": 50})
        for number in range(1000):
            producer.produce(topic, key=f"k{number}", value=f"v{number}" * 10, headers=[("h", b"1"), ("h", None)])
        assert producer.flush(20) == 0
        records = read_all(topic)
        assert sorted(record.value() for record in records) == sorted(f"v{number}".encode() * 10 for number in range(1000))
        assert records[0].headers() == [("h", b"1"), ("h", None)]


def a_group_shares_partitions():
    topic, group = create(name("shared"), 4), name("group")
    owned = {"a": set(), "b": set()}
    done = threading.Event()

    def member(own):
        reader = consumer(group, **{"session.timeout.ms": 6000, "heartbeat.interval.ms": 200})
        reader.subscribe([topic])
        while not done.is_set():
            reader.poll(0.1)
            owned[own] = {assigned.partition for assigned in reader.assignment()}
        reader.close()

    members = [threading.Thread(target=member, args=(own,)) for own in owned]
    [thread.start() for thread in members]
    until = time.monotonic() + 30
    while not (len(owned["a"]) == 2 and len(owned["b"]) == 2 and owned["a"] | owned["b"] == {0, 1, 2, 3}):
        assert time.monotonic() < until, owned
        time.sleep(0.05)
    done.set()
    [thread.join() for thread in members]


def a_group_goes_on_where_it_was():
    topic, group = create(name("resumed")), name("group")
    producer = Producer({"bootstrap.servers": BROKER, "enable.idempotence": True})
    for number in range(10):
        producer.produce(topic, value=str(number))
    producer.flush(10)
    reader = consumer(group, **{"enable.auto.commit": False})
    reader.subscribe([topic])
    assert [record.value() for record in poll(reader, 10)][4] == b"4"
    reader.commit(offsets=[TopicPartition(topic, 0, 5)], asynchronous=False)
    reader.close()
    reader = consumer(group)
    reader.subscribe([topic])
    assert poll(reader, 1)[0].value() == b"5"
    assert reader.committed([TopicPartition(topic, 0)], 10)[0].offset == 5
    assert reader.get_watermark_offsets(TopicPartition(topic, 0), 10) == (0, 10)
    reader.close()


def aborted_records_are_not_read():
    topic = create(name("transactions"), 2)
    producer = Producer({"bootstrap.servers": BROKER, "transactional.id": name("tx")})
    producer.init_transactions(20)
    for number in range(20):
        producer.begin_transaction()
        for partition in [0, 1]:
            producer.produce(topic, value=f"{number}", partition=partition)
        if number % 3 == 0:
            producer.flush(10)
            producer.abort_transaction(10)
        else:
            producer.commit_transaction(10)
    committed = [record.value() for record in read_all(topic) if record.partition() == 0]
    assert committed == [str(number).encode() for number in range(20) if number % 3], committed
    assert len(read_all(topic, "read_uncommitted")) == 40


def an_open_transaction_hides_what_follows():
    topic = create(name("stable"))
    producer = Producer({"bootstrap.servers": BROKER, "transactional.id": name("tx")})
    producer.init_transactions(20)
    producer.begin_transaction()
    producer.produce(topic, value="open")
    producer.flush(10)
    plain = Producer({"bootstrap.servers": BROKER})
    plain.produce(topic, value="plain")
    plain.flush(10)
    assert read_all(topic) == []
    assert len(read_all(topic, "read_uncommitted")) == 2
    producer.commit_transaction(10)
    assert [record.value() for record in read_all(topic)] == [b"open", b"plain"]


def offsets_belong_to_the_transaction():
    source, sink, group = create(name("in")), create(name("out")), name("group")
    plain = Producer({"bootstrap.servers": BROKER})
    for number in range(4):
        plain.produce(source, value=str(number))
    plain.flush(10)
    producer = Producer({"bootstrap.servers": BROKER, "transactional.id": name("tx")})
    producer.init_transactions(20)
    for commit in [False, True]:
        reader = consumer(group, **{"enable.auto.commit": False, "isolation.level": "read_committed"})
        reader.subscribe([source])
        producer.begin_transaction()
        for record in poll(reader, 4):
            producer.produce(sink, value=record.value())
        producer.send_offsets_to_transaction(reader.position(reader.assignment()), reader.consumer_group_metadata(), 10)
        (producer.commit_transaction if commit else producer.abort_transaction)(10)
        offset = reader.committed([TopicPartition(source, 0)], 10)[0].offset
        assert offset == (4 if commit else -1001), offset
        reader.close()
    assert len(read_all(sink)) == 4


def a_second_producer_fences_the_first():
    topic, own = create(name("fenced")), name("tx")
    first = Producer({"bootstrap.servers": BROKER, "transactional.id": own})
    first.init_transactions(20)
    first.begin_transaction()
    first.produce(topic, value="first")
    first.flush(10)
    second = Producer({"bootstrap.servers": BROKER, "transactional.id": own})
    second.init_transactions(20)
    try:
        first.commit_transaction(10)
        raise AssertionError("the first producer is not fenced")
    except KafkaException as error:
        assert error.args[0].code() in (KafkaError._FENCED, KafkaError.PRODUCER_FENCED, KafkaError.INVALID_PRODUCER_EPOCH), error
    second.begin_transaction()
    second.produce(topic, value="second")
    second.commit_transaction(10)
    assert [record.value() for record in read_all(topic)] == [b"second"]


def administration():
    topic = create(name("admin"), 2, {"cleanup.policy": "compact"})
    resource = ConfigResource(ResourceType.TOPIC, topic)
    config = ADMIN.describe_configs([resource])[resource].result(10)
    assert config["cleanup.policy"].value == "compact" and config["max.message.bytes"].value == "1048588"
    ADMIN.create_partitions([NewPartitions(topic, 5)])[topic].result(10)
    assert len(ADMIN.list_topics(topic, 10).topics[topic].partitions) == 5
    for wrong in ["no spaces", topic]:
        try:
            ADMIN.create_topics([NewTopic(wrong, 1, 1)])[wrong].result(10)
            raise AssertionError(f"{wrong} was created")
        except KafkaException:
            pass
    groups = ADMIN.list_consumer_groups(request_timeout=10).result(10)
    assert groups.errors == [] and groups.valid
    described = ADMIN.describe_consumer_groups([groups.valid[0].group_id])[groups.valid[0].group_id].result(10)
    assert described.group_id == groups.valid[0].group_id
    ADMIN.delete_topics([topic])[topic].result(10)
    assert topic not in ADMIN.list_topics(timeout=10).topics


def a_large_record_is_refused():
    topic = create(name("large"), 1, {"max.message.bytes": "1000"})
    producer, outcome = Producer({"bootstrap.servers": BROKER}), []
    producer.produce(topic, value=b"x" * 2000, callback=lambda error, record: outcome.append(error))
    producer.flush(10)
    assert outcome[0].code() == KafkaError.MSG_SIZE_TOO_LARGE, outcome


def a_time_finds_its_offset():
    topic = create(name("times"))
    producer = Producer({"bootstrap.servers": BROKER, "linger.ms": 100})
    for number in range(100):
        producer.produce(topic, value=str(number), timestamp=1_700_000_000_000 + number * 1000)
    producer.flush(10)
    reader = consumer(name("group"))
    found = reader.offsets_for_times([TopicPartition(topic, 0, 1_700_000_042_000)], 10)
    assert found[0].offset == 42, found
    assert reader.offsets_for_times([TopicPartition(topic, 0, 1_800_000_000_000)], 10)[0].offset == -1
    reader.close()


CASES = [
    produces_with_each_codec,
    a_group_shares_partitions,
    a_group_goes_on_where_it_was,
    aborted_records_are_not_read,
    an_open_transaction_hides_what_follows,
    offsets_belong_to_the_transaction,
    a_second_producer_fences_the_first,
    administration,
    a_large_record_is_refused,
    a_time_finds_its_offset,
]

for case in CASES:
    case()
    print("ok", case.__name__, flush=True)
