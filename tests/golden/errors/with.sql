-- The WITH clause: names and values, formats and what they go with.
CREATE STREAM a1 (a INT) WITH (KAFKA_TOPIC='x', VALUE_FORMT='JSON');
CREATE STREAM a2 (a INT) WITH (NAME='x', VALUE_FORMAT='JSON', RETENTION='7 days', NOPE=1);
CREATE STREAM a3 (a INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='CSV');
CREATE STREAM a4 (a INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSN', KEY_FORMAT='STRING');
CREATE STREAM a5 (a INT) WITH (VALUE_FORMAT='JSON');
CREATE STREAM a6 (a INT) WITH (KAFKA_TOPIC='x');
CREATE STREAM a7 (a INT);
CREATE STREAM a8 (a INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON', PARTITIONS='many', REPLICAS=99999, WRAP_SINGLE_VALUE='no');
CREATE STREAM a9 (a INT) WITH (KAFKA_TOPIC=5, VALUE_FORMAT='JSON', CLEANUP_POLICY='compact');
CREATE STREAM b1 (a INT) WITH (KAFKA_TOPIC='x', FORMAT='JSON', VALUE_FORMAT='JSON');
CREATE STREAM b2 (a INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='DELIMITED', VALUE_DELIMITER='::');
CREATE STREAM b3 (a INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON', VALUE_DELIMITER=';');
CREATE STREAM b4 (a INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='DELIMITED', WRAP_SINGLE_VALUE=FALSE);
CREATE STREAM b5 (a INT, b INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON', WRAP_SINGLE_VALUE=FALSE);
CREATE STREAM b6 (a INT KEY, b INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON', WINDOW_TYPE='TUMBLNG');
CREATE STREAM b7 (a INT KEY, b INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON', WINDOW_TYPE='TUMBLING');
CREATE STREAM b8 (a INT KEY, b INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON', WINDOW_TYPE='TUMBLING', WINDOW_SIZE='10');
CREATE STREAM b9 (a INT KEY, b INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON', WINDOW_SIZE='10 SECONDS');
CREATE STREAM c1 (a INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON', WINDOW_TYPE='SESSION');
CREATE STREAM c2 (a STRING, b INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON', TIMESTAMP='at');
CREATE STREAM c3 (a STRING, b INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON', TIMESTAMP='a');
CREATE STREAM c4 (a STRING, b INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON', TIMESTAMP='b');
CREATE STREAM c5 (a STRING, b BIGINT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON', TIMESTAMP='b', TIMESTAMP_FORMAT='yyyy');
CREATE STREAM c6 (a STRING, b INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON', TIMESTAMP='a', TIMESTAMP_FORMAT='yyyy-MM-ddTHH:mm');
CREATE STREAM c7 (a STRING) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='AVRO');
CREATE STREAM c8 (a STRING) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON', VALUE_SCHEMA_ID=1);
CREATE STREAM c9 (a STRING KEY, b MAP<INT, STRING>) WITH (KAFKA_TOPIC='x', FORMAT='KAFKA');
CREATE STREAM d1 (a STRING) WITH (KAFKA_TOPIC='d1', VALUE_FORMAT='JSON');
CREATE STREAM d2 WITH (VALUE_FORMAT='CSV', WINDOW_TYPE='SESSION') AS SELECT a, b FROM d1;
CREATE STREAM d3 WITH (VALUE_FORMAT='CSV') AS SELECT a FROM d1;
CREATE STREAM d4 WITH (TIMESTAMP='b') AS SELECT a FROM d1;
CREATE STREAM d5 WITH (KEY_FORMAT='JSON') AS SELECT a FROM d1;
INSERT INTO d1 WITH (QUERY='x') SELECT a FROM d1;
CREATE STREAM d6 (a STRING) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON', TOPIC_NAME='y');
CREATE STREAM d7 WITH (KAFKA_TOPIC='y', TIMESTAMP='a', TIMESTAMP_FORMAT='x-y-z Q') AS SELECT a FROM d1;
---- check
error: Failed to prepare statement: Invalid config variable(s) in the WITH clause: VALUE_FORMT
--> script.sql:2:49
 2 | CREATE STREAM a1 (a INT) WITH (KAFKA_TOPIC='x', VALUE_FORMT='JSON');
   |                                                 ^^^^^^^^^^^ there is no VALUE_FORMT
help: did you mean VALUE_FORMAT?

error: line 3:63: Syntax error at line 3:63
--> script.sql:3:63
 3 | CREATE STREAM a2 (a INT) WITH (NAME='x', VALUE_FORMAT='JSON', RETENTION='7 days', NOPE=1);
   |                                                               ^^^^^^^^^ not expected here
help: write RETENTION_MS

error: Unknown format: CSV
--> script.sql:4:62
 4 | CREATE STREAM a3 (a INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='CSV');
   |                                                              ^^^^^
help: write DELIMITED

error: Unknown format: STRING
--> script.sql:5:80
 5 | CREATE STREAM a4 (a INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSN', KEY_FORMAT='STRING');
   |                                                                                ^^^^^^^^
help: write KAFKA, which writes a single column as Kafka's own serializers do

error: Unknown format: JSN
--> script.sql:5:62
 5 | CREATE STREAM a4 (a INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSN', KEY_FORMAT='STRING');
   |                                                              ^^^^^
help: did you mean JSON?

error: Failed to prepare statement: Missing required property "KAFKA_TOPIC" which has no default value.
--> script.sql:6:15
 6 | CREATE STREAM a5 (a INT) WITH (VALUE_FORMAT='JSON');
   |               ^^
help: add KAFKA_TOPIC='name of the topic' to the WITH clause

error: Statement is missing the 'VALUE_FORMAT' property from the WITH clause. Either provide one or set a default via the 'ksql.persistence.default.format.value' config.
--> script.sql:7:15
 7 | CREATE STREAM a6 (a INT) WITH (KAFKA_TOPIC='x');
   |               ^^
help: add VALUE_FORMAT='JSON', or another of DELIMITED, JSON, JSON_SR, AVRO, KAFKA, PROTOBUF, PROTOBUF_NOSR

error: Failed to prepare statement: Missing required property "KAFKA_TOPIC" which has no default value.
--> script.sql:8:15
 8 | CREATE STREAM a7 (a INT);
   |               ^^
help: add KAFKA_TOPIC='name of the topic' to the WITH clause

error: Failed to prepare statement: Invalid value many for property PARTITIONS: Not a number of type INT
--> script.sql:9:81
 9 | CREATE STREAM a8 (a INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON', PARTITIONS='many', REPLICAS=99999, WRAP_SINGLE_VALUE='no');
   |                                                                                 ^^^^^^

error: Failed to prepare statement: Invalid value 99999 for property REPLICAS: Not a number of type SHORT
--> script.sql:9:98
 9 | CREATE STREAM a8 (a INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON', PARTITIONS='many', REPLICAS=99999, WRAP_SINGLE_VALUE='no');
   |                                                                                                  ^^^^^

error: Failed to prepare statement: Invalid value no for property WRAP_SINGLE_VALUE: Expected value to be either true or false
--> script.sql:9:123
 9 | CREATE STREAM a8 (a INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON', PARTITIONS='many', REPLICAS=99999, WRAP_SINGLE_VALUE='no');
   |                                                                                                                           ^^^^

error: Failed to prepare statement: Invalid value 5 for property KAFKA_TOPIC: Expected value to be a string, but it was a java.lang.Integer
--> script.sql:10:44
 10 | CREATE STREAM a9 (a INT) WITH (KAFKA_TOPIC=5, VALUE_FORMAT='JSON', CLEANUP_POLICY='compact');
    |                                            ^
help: write '5': the value is a text

error: Invalid config variable in the WITH clause: CLEANUP_POLICY.
The CLEANUP_POLICY config is automatically inferred based on the type of source (STREAM or TABLE).
Users can't set the CLEANUP_POLICY config manually.
--> script.sql:10:83
 10 | CREATE STREAM a9 (a INT) WITH (KAFKA_TOPIC=5, VALUE_FORMAT='JSON', CLEANUP_POLICY='compact');
    |                                                                                   ^^^^^^^^^
help: leave it out

error: Failed to prepare statement: Cannot supply both 'VALUE_FORMAT' and 'FORMAT' properties, as 'FORMAT' sets both key and value formats. Either use just 'FORMAT', or use 'KEY_FORMAT' and 'VALUE_FORMAT'.
--> script.sql:11:77
 11 | CREATE STREAM b1 (a INT) WITH (KAFKA_TOPIC='x', FORMAT='JSON', VALUE_FORMAT='JSON');
    |                                                                             ^^^^^^

error: Failed to prepare statement: Configuration VALUE_DELIMITER is invalid: Invalid delimiter value: '::'. Delimiter must be a single character or TAB,SPACE
Example valid value: ';'
--> script.sql:12:91
 12 | CREATE STREAM b2 (a INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='DELIMITED', VALUE_DELIMITER='::');
    |                                                                                           ^^^^

error: JSON does not support the following configs: [delimiter]
--> script.sql:13:86
 13 | CREATE STREAM b3 (a INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON', VALUE_DELIMITER=';');
    |                                                                                      ^^^

error: 'WRAP_SINGLE_VALUE' is only valid for single-field value schemas
--> script.sql:15:95
 15 | CREATE STREAM b5 (a INT, b INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON', WRAP_SINGLE_VALUE=FALSE);
    |                                                                                               ^^^^^

error: Failed to prepare statement: Invalid value TUMBLNG for property WINDOW_TYPE: String must be one of: SESSION, HOPPING, TUMBLING, null
--> script.sql:16:93
 16 | CREATE STREAM b6 (a INT KEY, b INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON', WINDOW_TYPE='TUMBLNG');
    |                                                                                             ^^^^^^^^^

error: Failed to prepare statement: TUMBLING windows require 'WINDOW_SIZE' to be provided in the WITH clause. For example: 'WINDOW_SIZE'='10 SECONDS'
--> script.sql:17:93
 17 | CREATE STREAM b7 (a INT KEY, b INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON', WINDOW_TYPE='TUMBLING');
    |                                                                                             ^^^^^^^^^^
help: add WINDOW_SIZE, as in WINDOW_SIZE='10 SECONDS'

error: Failed to prepare statement: Configuration WINDOW_SIZE is invalid: Invalid duration: '10'. Expected 2 tokens, got: 1
--> script.sql:18:117
 18 | CREATE STREAM b8 (a INT KEY, b INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON', WINDOW_TYPE='TUMBLING', WINDOW_SIZE='10');
    |                                                                                                                     ^^^^
help: write a number and a unit, as in '10 SECONDS'

error: Failed to prepare statement: 'WINDOW_SIZE' should only be set when 'WINDOW_TYPE' is set to TUMBLING or HOPPING.
--> script.sql:19:93
 19 | CREATE STREAM b9 (a INT KEY, b INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON', WINDOW_SIZE='10 SECONDS');
    |                                                                                             ^^^^^^^^^^^^
help: add WINDOW_TYPE='TUMBLING' or WINDOW_TYPE='HOPPING'

error: Windowed sources require a key column.
--> script.sql:20:15
 20 | CREATE STREAM c1 (a INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON', WINDOW_TYPE='SESSION');
    |               ^^
help: write KEY behind the column that is the key

error: The TIMESTAMP column set in the WITH clause does not exist in the schema: 'AT'
--> script.sql:21:90
 21 | CREATE STREAM c2 (a STRING, b INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON', TIMESTAMP='at');
    |                                                                                          ^^^^
help: columns: A, B

error: A String timestamp field has been specified without also specifying the timestamp_format
--> script.sql:22:90
 22 | CREATE STREAM c3 (a STRING, b INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON', TIMESTAMP='a');
    |                                                                                          ^^^ A is a STRING
help: add TIMESTAMP_FORMAT='yyyy-MM-dd HH:mm:ss', with the pattern of the text

error: Timestamp column, `B`, should be LONG(INT64), TIMESTAMP, or a String with a timestamp_format specified.
--> script.sql:23:90
 23 | CREATE STREAM c4 (a STRING, b INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON', TIMESTAMP='b');
    |                                                                                          ^^^ B is an INTEGER

error: Timestamp column, `B`, should be LONG(INT64), TIMESTAMP, or a String with a timestamp_format specified.
--> script.sql:24:93
 24 | CREATE STREAM c5 (a STRING, b BIGINT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON', TIMESTAMP='b', TIMESTAMP_FORMAT='yyyy');
    |                                                                                             ^^^ B is a BIGINT: a TIMESTAMP_FORMAT is for text

error: Failed to prepare statement: Invalid datetime format for config:TIMESTAMP_FORMAT, reason:Unknown pattern letter: T
--> script.sql:25:112
 25 | CREATE STREAM c6 (a STRING, b INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON', TIMESTAMP='a', TIMESTAMP_FORMAT='yyyy-MM-ddTHH:mm');
    |                                                                                                                ^^^^^^^^^^^^^^^^^^
help: a letter that stands for itself is quoted, with the quotes doubled here: ''T''

error: KSQL is not configured to use a schema registry. To enable it, please set ksql.schema.registry.url
--> script.sql:26:65
 26 | CREATE STREAM c7 (a STRING) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='AVRO');
    |                                                                 ^^^^^^
help: the schemas of AVRO are in a Schema Registry: --property ksql.schema.registry.url=URL tells the server, or whatever runs the statement, where it is

error: VALUE_FORMAT should support schema inference when VALUE_SCHEMA_ID is provided. Current format is JSON.
--> script.sql:27:65
 27 | CREATE STREAM c8 (a STRING) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON', VALUE_SCHEMA_ID=1);
    |                                                                 ^^^^^^

error: Value format does not support schema.
format: KAFKA
schema: Persistence{columns=[`B` MAP<INTEGER, STRING>], features=[]}
reason: The 'KAFKA' format does not support type 'MAP'
--> script.sql:28:83
 28 | CREATE STREAM c9 (a STRING KEY, b MAP<INT, STRING>) WITH (KAFKA_TOPIC='x', FORMAT='KAFKA');
    |                                                                                   ^^^^^^^

error: Failed to prepare statement: Invalid config variable(s) in the WITH clause: WINDOW_TYPE
--> script.sql:30:44
 30 | CREATE STREAM d2 WITH (VALUE_FORMAT='CSV', WINDOW_TYPE='SESSION') AS SELECT a, b FROM d1;
    |                                            ^^^^^^^^^^^ WINDOW_TYPE does not go with CREATE … AS SELECT

error: Could not determine output schema for query due to error: Line: 30, Col: 80: SELECT column 'B' cannot be resolved.
--> script.sql:30:80
 30 | CREATE STREAM d2 WITH (VALUE_FORMAT='CSV', WINDOW_TYPE='SESSION') AS SELECT a, b FROM d1;
    |                                                                                ^
help: columns: A, ROWTIME, ROWPARTITION, ROWOFFSET

error: Could not determine output schema for query due to error: Unknown format: CSV
--> script.sql:31:37
 31 | CREATE STREAM d3 WITH (VALUE_FORMAT='CSV') AS SELECT a FROM d1;
    |                                     ^^^^^
help: write DELIMITED

error: Could not determine output schema for query due to error: The TIMESTAMP column set in the WITH clause does not exist in the schema: 'B'
--> script.sql:32:34
 32 | CREATE STREAM d4 WITH (TIMESTAMP='b') AS SELECT a FROM d1;
    |                                  ^^^
help: columns: A

error: line 34:22: Syntax error at line 34:22
--> script.sql:34:22
 34 | INSERT INTO d1 WITH (QUERY='x') SELECT a FROM d1;
    |                      ^^^^^ not expected here
help: write QUERY_ID

error: Failed to prepare statement: Invalid config variable(s) in the WITH clause: TOPIC_NAME
--> script.sql:35:73
 35 | CREATE STREAM d6 (a STRING) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON', TOPIC_NAME='y');
    |                                                                         ^^^^^^^^^^ there is no TOPIC_NAME
help: write KAFKA_TOPIC

assumed: topic d1 exists (--bootstrap-servers checks it)
script.sql: 31 statements are faulty
exit code 1
