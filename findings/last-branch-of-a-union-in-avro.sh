#!/bin/sh
# Apache's Avro for Python writes a number into the last branch of a union that takes it, be it the narrower one.
#
# Versions:  PyPI avro 1.12.2 and fastavro 1.13.1, Python 3
# Guess:     both write a value into the first branch that takes it, so that the order of a union says what is preferred:
#            a reading of ["null","double","float"] is a double, a counter of ["null","long","double"] a long, and one of
#            ["null","float","double"] is cut to a float.
# Seen:      avro writes the first as a float (0.1 is read as 0.10000000149011612, and 1e300 cannot be written at all), the
#            second as a double (2^53 + 1 is read as 2^53, True as 1.0), and the third as a double. fastavro writes double,
#            long, and, although float comes first, double: it knows that a float would not hold the value.
# So:        the same record of the same schema has other values by which library a producer uses, without a fault anywhere.
#            A reading belongs into ["null","double"], where nobody has a choice.
set -eu
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check avro==1.12.2 fastavro==1.13.1

cat > write.py <<'PYTHON'
import io
import json

import avro.io
import avro.schema
import fastavro


def apache(union, value):
    schema, out = avro.schema.parse(json.dumps(union)), io.BytesIO()
    try:
        avro.io.DatumWriter(schema).write(value, avro.io.BinaryEncoder(out))
    except Exception as error:
        return type(error).__name__
    read = avro.io.DatumReader(schema).read(avro.io.BinaryDecoder(io.BytesIO(out.getvalue())))
    return f"{union[out.getvalue()[0] // 2]} {read!r}"


def fast(union, value):
    out = io.BytesIO()
    try:
        fastavro.schemaless_writer(out, union, value)
    except Exception as error:
        return type(error).__name__
    read = fastavro.schemaless_reader(io.BytesIO(out.getvalue()), union)
    return f"{union[out.getvalue()[0] // 2]} {read!r}"


for union, values in (
    (["null", "double", "float"], (0.1, 1e300)),
    (["null", "float", "double"], (0.1,)),
    (["null", "long", "double"], (2**53 + 1, True)),
):
    for value in values:
        print(f"{value!r} in {'|'.join(union)}: apache {apache(union, value)}; fastavro {fast(union, value)}")
PYTHON
env/bin/python write.py > seen
cat seen
cat > expected <<'TEXT'
0.1 in null|double|float: apache float 0.10000000149011612; fastavro double 0.1
1e+300 in null|double|float: apache OverflowError; fastavro double 1e+300
0.1 in null|float|double: apache double 0.1; fastavro double 0.1
9007199254740993 in null|long|double: apache double 9007199254740992.0; fastavro long 9007199254740993
True in null|long|double: apache double 1.0; fastavro ValueError
TEXT
cmp -s seen expected || { echo "not as it was" >&2; exit 1; }
