"""confluent-kafka's serializers against a broker and a Schema Registry.

Usage: registry.py BROKER URL check            all that the client does, alone
       registry.py BROKER URL write            READINGS in each format to `python-FORMAT`
       registry.py BROKER URL read WRITER…     the same from `WRITER-FORMAT`
"""
import sys
import uuid

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.schema_registry import (
    Schema,
    SchemaReference,
    SchemaRegistryClient,
    header_schema_id_serializer,
)
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.error import SchemaRegistryError
from confluent_kafka.schema_registry.json_schema import JSONDeserializer, JSONSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer, ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

BROKER, URL, DOES = sys.argv[1:4]
REGISTRY = SchemaRegistryClient({"url": URL})

READINGS = [
    {"device": "d1", "reading": 1.5, "count": 7, "tags": ["a", "b"]},
    {"device": "größe", "reading": -0.25, "count": 9007199254740990, "tags": []},
    {"device": "", "reading": 0.0, "count": 0, "tags": ["x"]},
]
AVRO = """{"type": "record", "name": "Reading", "namespace": "clients", "fields": [
  {"name": "device", "type": "string"}, {"name": "reading", "type": "double"},
  {"name": "count", "type": "long"}, {"name": "tags", "type": {"type": "array", "items": "string"}}]}"""
JSON = """{"$schema": "http://json-schema.org/draft-07/schema#", "title": "Reading", "type": "object",
  "properties": {"device": {"type": "string"}, "reading": {"type": "number"}, "count": {"type": "integer"},
    "tags": {"type": "array", "items": {"type": "string"}}}, "required": ["device"]}"""


def message_class():
    """The message of `reading.proto`, made without a compiler."""
    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="reading.proto", package="clients", syntax="proto3")
    message = file.message_type.add(name="Reading")
    for number, (name, kind) in enumerate(
        [("device", field.TYPE_STRING), ("reading", field.TYPE_DOUBLE), ("count", field.TYPE_INT64)], 1
    ):
        message.field.add(name=name, number=number, type=kind, label=field.LABEL_OPTIONAL)
    message.field.add(name="tags", number=4, type=field.TYPE_STRING, label=field.LABEL_REPEATED)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("clients.Reading"))


READING = message_class()


def to_message(reading):
    return READING(**reading)


def of_message(message):
    return {
        "device": message.device,
        "reading": message.reading,
        "count": message.count,
        "tags": list(message.tags),
    }


def serializers(**conf):
    return {
        "avro": AvroSerializer(REGISTRY, AVRO, conf=conf),
        "json": JSONSerializer(JSON, REGISTRY, conf=conf),
        "protobuf": ProtobufSerializer(READING, REGISTRY, conf=conf),
    }


def deserializers():
    return {
        "avro": AvroDeserializer(REGISTRY),
        "json": JSONDeserializer(None, schema_registry_client=REGISTRY),
        "protobuf": ProtobufDeserializer(READING, schema_registry_client=REGISTRY, conf={}),
    }


def write(writer, **conf):
    producer = Producer({"bootstrap.servers": BROKER})
    for form, serialize in serializers(**conf).items():
        topic = f"{writer}-{form}"
        for reading in READINGS:
            headers = []
            context = SerializationContext(topic, MessageField.VALUE, headers)
            value = to_message(reading) if form == "protobuf" else reading
            producer.produce(topic, serialize(value, context), headers=context.headers)
    assert producer.flush(20) == 0


def records(topic, count):
    reader = Consumer({"bootstrap.servers": BROKER, "group.id": uuid.uuid4().hex})
    reader.assign([TopicPartition(topic, 0, 0)])
    found = []
    while len(found) < count:
        record = reader.poll(20)
        assert record is not None, f"{len(found)} of {count} records in {topic}"
        assert not record.error(), record.error()
        found.append(record)
    reader.close()
    return found


def read(writers):
    for writer in writers:
        for form, deserialize in deserializers().items():
            if (writer, form) == ("node", "protobuf"):
                # kafkajs writes no message indexes, and so nobody but kafkajs can read it.
                continue
            topic = f"{writer}-{form}"
            values = []
            for record in records(topic, len(READINGS)):
                context = SerializationContext(topic, MessageField.VALUE, record.headers())
                value = deserialize(record.value(), context)
                values.append(of_message(value) if form == "protobuf" else value)
            assert values == READINGS, f"{topic}: {values}"
            print(f"ok python reads {topic}")


def refused(code, act):
    try:
        act()
    except SchemaRegistryError as error:
        assert error.error_code == code, error
    else:
        raise AssertionError(f"no error {code}")


def check():
    write("python")
    read(["python"])
    # The same with the schema's number in a header, which is a GUID then.
    write("headers", **{"schema.id.serializer": header_schema_id_serializer})
    assert records("headers-avro", 1)[0].headers()[0][0] == "__value_schema_id"
    read(["headers"])

    subjects = REGISTRY.get_subjects()
    assert subjects == sorted(
        f"{writer}-{form}-value" for writer in ("headers", "python") for form in ("avro", "json", "protobuf")
    ), subjects
    latest = REGISTRY.get_latest_version("python-avro-value")
    assert (latest.version, latest.schema.schema_type) == (1, "AVRO"), latest
    assert REGISTRY.get_schema(latest.schema_id).schema_str == latest.schema.schema_str
    assert REGISTRY.get_versions("python-avro-value") == [1]
    same = REGISTRY.get_latest_version("headers-avro-value")
    assert same.schema_id == latest.schema_id, "the same schema has the same id"
    print("ok python finds what it registered")

    wider = Schema(AVRO.replace('"double"}', '"double"}, {"name": "more", "type": ["null", "int"], "default": null}'))
    other = Schema('{"type": "record", "name": "Other", "fields": []}')
    assert REGISTRY.test_compatibility("python-avro-value", wider)
    assert not REGISTRY.test_compatibility("python-avro-value", other)
    refused(409, lambda: REGISTRY.register_schema("python-avro-value", other))
    refused(42201, lambda: REGISTRY.register_schema("python-avro-value", Schema("{nope")))
    refused(40401, lambda: REGISTRY.get_latest_version("nope"))
    refused(40402, lambda: REGISTRY.get_version("python-avro-value", 9))
    wider_id = REGISTRY.register_schema("python-avro-value", wider)
    assert REGISTRY.lookup_schema("python-avro-value", wider).version == 2
    assert wider_id != latest.schema_id
    print("ok python evolves a schema")

    REGISTRY.set_compatibility("python-avro-value", "FULL")
    assert REGISTRY.get_compatibility("python-avro-value") == "FULL"
    user = Schema('{"type": "record", "name": "User", "namespace": "n", "fields": []}')
    REGISTRY.register_schema("user", user)
    order = Schema(
        '{"type": "record", "name": "Order", "namespace": "n", "fields": [{"name": "user", "type": "n.User"}]}',
        references=[SchemaReference("n.User", "user", 1)],
    )
    order_id = REGISTRY.register_schema("order", order)
    found = REGISTRY.get_schema(order_id)
    assert [(r.name, r.subject, r.version) for r in found.references] == [("n.User", "user", 1)], found
    refused(42206, lambda: REGISTRY.delete_subject("user"))
    assert REGISTRY.delete_subject("order") == [1]
    assert REGISTRY.delete_subject("order", permanent=True) == [1]
    assert REGISTRY.delete_version("python-avro-value", 1) == 1
    assert REGISTRY.get_versions("python-avro-value") == [2]
    print("ok python refers, configures and deletes")


if DOES == "check":
    check()
elif DOES == "write":
    write("python")
else:
    read(sys.argv[4:])
