#!/bin/sh
# Two clients of the same registry API, and one Protobuf message: what Node writes, Python reads as an empty one.
#
# Versions:  npm @kafkajs/confluent-schema-registry 4.1.0; PyPI confluent-kafka 2.12.2, protobuf 6.33.1
# Guess:     both frame a message as the registry's documentation says (a zero byte, the id, the indexes of the message, the
#            message), so Python's deserializer gives back what Node's encoder was given.
# Seen:      Node's encoder writes no indexes: after the id the message begins at once. Python takes the bytes of the message for
#            indexes (the first, 8, says that there are four), finds nothing behind them, and gives an empty reading: no error.
#            With a single byte 0 put in between it reads what was written.
# So:        a reader of topics that both write cannot tell from the bytes; with Node's client JSON or Avro are safe.
set -eu
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
python3 -m venv python > /dev/null
python/bin/pip install --quiet --disable-pip-version-check \
    'confluent-kafka[protobuf,schemaregistry]==2.12.2' 'protobuf==6.33.1'
npm install --silent --no-fund --no-audit --no-package-lock @kafkajs/confluent-schema-registry@4.1.0 > /dev/null

cat > write.js <<'JS'
// A registry of one schema, whose id is 7, is all that the encoder asks.
const http = require('http');
const { SchemaRegistry, SchemaType } = require('@kafkajs/confluent-schema-registry');
const schema = 'syntax = "proto3"; message Reading { int32 index = 1; string device = 2; }';
const answers = (url) => {
  if (url.startsWith('/config')) return { compatibilityLevel: 'BACKWARD' };
  return { id: 7, schema, schemaType: 'PROTOBUF', subject: 's', version: 1 };
};
const server = http.createServer((request, response) => {
  request.resume();
  response.setHeader('Content-Type', 'application/vnd.schemaregistry.v1+json');
  response.end(JSON.stringify(answers(request.url)));
});
server.listen(0, '127.0.0.1', async () => {
  const registry = new SchemaRegistry({ host: `http://127.0.0.1:${server.address().port}` });
  const { id } = await registry.register({ type: SchemaType.PROTOBUF, schema }, { subject: 's' });
  const bytes = await registry.encode(id, { index: 5, device: 'd' });
  console.log(bytes.toString('hex'));
  server.close();
  server.closeAllConnections();
});
JS

cat > read.py <<'PY'
import sys
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext, SerializationError
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

file = descriptor_pb2.FileDescriptorProto(name="reading.proto", syntax="proto3")
message = file.message_type.add(name="Reading")
for name, number, kind in [("index", 1, 5), ("device", 2, 9)]:
    message.field.add(name=name, number=number, type=kind, label=1)
pool = descriptor_pool.DescriptorPool()
pool.Add(file)
reading = message_factory.GetMessageClass(pool.FindMessageTypeByName("Reading"))
deserializer = ProtobufDeserializer(reading, {"use.deprecated.format": False})
context = SerializationContext("s", MessageField.VALUE)


def read(data):
    try:
        found = deserializer(data, context)
        return f"index {found.index}, device {found.device}"
    except Exception as error:
        return f"refused ({type(error).__name__})"


data = bytes.fromhex(sys.argv[1])
print("as written:", read(data))
print("with an index byte:", read(data[:5] + b"\x00" + data[5:]))
PY

bytes=$(node write.js)
echo "Node writes $bytes"
python/bin/python -W ignore read.py "$bytes" | tee seen
case "$bytes" in
    00000000070805*) ;;
    *) echo "the frame has changed" >&2; exit 1 ;;
esac
grep -q '^as written: index 0, device $' seen && grep -q '^with an index byte: index 5, device d$' seen || {
    echo "what was seen has changed" >&2
    exit 1
}
