#!/bin/sh
# fastavro writes whole numbers that an Avro int cannot hold, and Java reads them as others.
#
# Versions:  PyPI fastavro 1.13.1 and avro 1.12.2, Python 3; Maven org.apache.avro:avro 1.12.0, JDK 17
# Guess:     fastavro refuses 2147483648 and 5.7 in a field of the type int, as Apache's library for Python does ("is not an
#            example of the schema"): its type says 32 bits, and no fraction.
# Seen:      both are written without a word, 2147483648 with all its bits and 5.7 as 5; only in a union are they held against
#            the type. fastavro reads 2147483648 back, Java reads the same bytes as 0: what an int has too many is lost.
# So:        a counter that outgrows int in a Python producer is 0 for every consumer in Java, ksqlDB among them, without a
#            fault on either side. A reader that wants ksqlDB's results loses the bits, too.
set -eu
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check fastavro==1.13.1 avro==1.12.2

cat > write.py <<'PYTHON'
import io
import sys

import avro.io
import avro.schema
import fastavro


def fast(schema, value):
    out = io.BytesIO()
    try:
        fastavro.schemaless_writer(out, schema, value)
    except Exception as error:
        return type(error).__name__
    bytes = out.getvalue()
    return f"{bytes.hex()}, read back as {fastavro.schemaless_reader(io.BytesIO(bytes), schema)}"


def apache(value):
    try:
        avro.io.DatumWriter(avro.schema.parse('"int"')).write(value, avro.io.BinaryEncoder(io.BytesIO()))
    except Exception as error:
        return type(error).__name__
    return "written"


for value in (2**31, 5.7):
    print(f"{value}: fastavro {fast('int', value)}; in a union {fast(['null', 'int'], value)}; apache {apache(value)}")
PYTHON
env/bin/python write.py > seen

cat > pom.xml <<'XML'
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>t</groupId><artifactId>t</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>org.apache.avro</groupId><artifactId>avro</artifactId><version>1.12.0</version></dependency>
  </dependencies>
</project>
XML
mvn --batch-mode --quiet org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
    -DoutputDirectory="$directory/jars" > maven.log 2>&1 || { cat maven.log; exit 1; }
cat > Read.java <<'JAVA'
import java.util.HexFormat;
import org.apache.avro.io.DecoderFactory;

public class Read {
    public static void main(String[] args) throws Exception {
        byte[] bytes = HexFormat.of().parseHex(args[0]);
        System.out.println("Java reads " + args[0] + " as " + DecoderFactory.get().binaryDecoder(bytes, null).readInt());
    }
}
JAVA
java -cp "jars/*" Read.java 8080808010 2> java.log >> seen || { cat java.log; exit 1; }
cat seen
cat > expected <<'TEXT'
2147483648: fastavro 8080808010, read back as 2147483648; in a union ValueError; apache AvroTypeException
5.7: fastavro 0a, read back as 5; in a union ValueError; apache AvroTypeException
Java reads 8080808010 as 0
TEXT
cmp -s seen expected || { echo "not as it was" >&2; exit 1; }
