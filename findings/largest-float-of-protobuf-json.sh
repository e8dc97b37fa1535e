#!/bin/sh
# Protobuf's Python library refuses the JSON that it has itself written for the largest float.
#
# Versions:  PyPI protobuf 7.36.2, Python 3
# Guess:     what MessageToJson writes, Parse reads: the text of a float is the shortest that means it, and is rounded to a
#            float again before its range is looked at.
# Seen:      the largest float is written as 3.4028235e+38 and refused as "Float value too large", its negative as "too small".
#            As a text in quotes the same digits are read, and so is 3.4028234e38. The range is looked at before the number is
#            rounded, and the shortest text lies above the largest float.
# So:        JSON with a sentinel of FLT_MAX, as sensors send where they have no reading, is read by Java and refused here;
#            who writes for both puts such numbers in quotes, which the JSON form of Protobuf allows.
set -eu
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check protobuf==7.36.2

cat > largest.py <<'PYTHON'
import struct

from google.protobuf import json_format
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

message = DescriptorProto(name="Reading")
message.field.add(name="x", number=1, type=FieldDescriptorProto.TYPE_FLOAT, label=FieldDescriptorProto.LABEL_OPTIONAL)
file = FileDescriptorProto(name="reading.proto", package="p", syntax="proto3", message_type=[message])
pool = DescriptorPool()
pool.AddSerializedFile(file.SerializeToString())
Reading = GetMessageClass(pool.FindMessageTypeByName("p.Reading"))


def read(text):
    try:
        return "read" if json_format.Parse(text, Reading()).x == largest else "read as another"
    except json_format.ParseError as error:
        return "refused, " + str(error).removeprefix("Failed to parse x field: ").split(" at ")[0]


largest = struct.unpack("<f", b"\xff\xff\x7f\x7f")[0]
written = json_format.MessageToJson(Reading(x=largest), indent=None)
print("written", written, read(written))
print("in quotes", read('{"x": "3.4028235e+38"}'))
print("one digit less", read('{"x": 3.4028234e38}'))
PYTHON
seen=$(env/bin/python largest.py)
echo "$seen"
expected='written {"x": 3.4028235e+38} refused, Float value too large
in quotes read
one digit less read'
[ "$seen" = "$expected" ] || { echo "not as it was" >&2; exit 1; }
