#!/bin/sh
# Protobuf's Java library prints a map that was read without generated classes back to front, up to version 3.25.
#
# Versions:  Maven com.google.protobuf:protobuf-java 3.25.5 and 4.33.0, JDK 17
# Guess:     TextFormat puts the entries of a map in the order of their keys, so that equal messages have equal texts,
#            whether the message has a generated class or is a DynamicMessage.
# Seen:      with 3.25.5 a DynamicMessage that was written as y, x, z is printed as z, x, y: what compares two entries finds
#            no key in them, says "Invalid key for map field." in the log each time, and calls each less than the one before,
#            which Java's sort takes for a list that descends. 4.33.0 prints x, y, z.
# So:        a tool that shows messages by a schema of a registry, as ksqlDB's PRINT does with a version 3, shows maps
#            backwards; texts of two versions of such a tool are not compared letter for letter.
set -eu
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"

for version in 3.25.5 4.33.0; do
    mvn --batch-mode --quiet org.apache.maven.plugins:maven-dependency-plugin:3.8.1:get \
        -Dartifact=com.google.protobuf:protobuf-java:$version > maven.log 2>&1 || { cat maven.log; exit 1; }
    mvn --batch-mode --quiet org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy \
        -Dartifact=com.google.protobuf:protobuf-java:$version -DoutputDirectory="$directory/$version" \
        > maven.log 2>&1 || { cat maven.log; exit 1; }
done

cat > Show.java <<'JAVA'
import com.google.protobuf.DescriptorProtos.DescriptorProto;
import com.google.protobuf.DescriptorProtos.FieldDescriptorProto;
import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.DescriptorProtos.MessageOptions;
import com.google.protobuf.Descriptors;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.TextFormat;

public class Show {
    static FieldDescriptorProto.Builder field(String name, int number, FieldDescriptorProto.Type type) {
        return FieldDescriptorProto.newBuilder().setName(name).setNumber(number).setType(type)
            .setLabel(FieldDescriptorProto.Label.LABEL_OPTIONAL);
    }

    public static void main(String[] args) throws Exception {
        DescriptorProto entry = DescriptorProto.newBuilder().setName("AxesEntry")
            .setOptions(MessageOptions.newBuilder().setMapEntry(true))
            .addField(field("key", 1, FieldDescriptorProto.Type.TYPE_STRING))
            .addField(field("value", 2, FieldDescriptorProto.Type.TYPE_INT32)).build();
        DescriptorProto message = DescriptorProto.newBuilder().setName("Reading").addNestedType(entry)
            .addField(field("axes", 1, FieldDescriptorProto.Type.TYPE_MESSAGE).setTypeName(".Reading.AxesEntry")
                .setLabel(FieldDescriptorProto.Label.LABEL_REPEATED)).build();
        FileDescriptorProto file = FileDescriptorProto.newBuilder().setName("reading.proto").setSyntax("proto3")
            .addMessageType(message).build();
        Descriptors.Descriptor reading = Descriptors.FileDescriptor
            .buildFrom(file, new Descriptors.FileDescriptor[0]).findMessageTypeByName("Reading");
        Descriptors.Descriptor axis = reading.getNestedTypes().get(0);
        DynamicMessage.Builder built = DynamicMessage.newBuilder(reading);
        for (String name : new String[] {"y", "x", "z"}) {
            built.addRepeatedField(reading.getFields().get(0), DynamicMessage.newBuilder(axis)
                .setField(axis.getFields().get(0), name).setField(axis.getFields().get(1), 1).build());
        }
        DynamicMessage read = DynamicMessage.parseFrom(reading, built.build().toByteArray());
        String text = TextFormat.printer().printToString(read);
        System.out.println(text.replaceAll("[^\"]*\"([xyz])\"[^\"]*", "$1"));
    }
}
JAVA
seen=
for version in 3.25.5 4.33.0; do
    javac -cp "$version/*" -d "$version" Show.java
    seen="$seen$version:$(java -cp "$version/*:$version" Show 2> /dev/null) "
done
echo "$seen"
[ "$seen" = "3.25.5:zxy 4.33.0:xyz " ] || { echo "not as it was" >&2; exit 1; }
