-- Properties that do not exist, values that do not fit, and one that only the start of the process can set.
SET 'auto.offset.rest' = 'earliest';
SET 'commit.interval.ms' = 'soon';
SET 'ksql.streams.auto.offset.reset' = 'sometimes';
SET 'bootstrap.servers' = 'kafka:9092';
SET 'ksql.streams.num.stream.threads' = '2';
SET 'auto.offset.reset' = 'earliest';
UNSET 'nope';
CREATE STREAM clicks (id VARCHAR) WITH (KAFKA_TOPIC='clicks', VALUE_FORMAT='JSON', PARTITIONS=1);
CREATE STREAM copy AS SELECT * FROM clicks;
---- check
error: Unknown property: auto.offset.rest
--> script.sql:2:1
 2 | SET 'auto.offset.rest' = 'earliest';
   | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ in this statement
help: did you mean auto.offset.reset?

error: Invalid value soon for configuration commit.interval.ms: Not a number of type LONG
--> script.sql:3:1
 3 | SET 'commit.interval.ms' = 'soon';
   | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ in this statement

error: Invalid value sometimes for configuration auto.offset.reset: String must be one of: latest, earliest, none
--> script.sql:4:1
 4 | SET 'ksql.streams.auto.offset.reset' = 'sometimes';
   | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ in this statement

error: Cannot override properties: bootstrap.servers
--> script.sql:5:1
 5 | SET 'bootstrap.servers' = 'kafka:9092';
   | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ in this statement
help: set it with --property or in the file of --config

error: Unknown property: nope
--> script.sql:8:1
 8 | UNSET 'nope';
   | ^^^^^^^^^^^^^ in this statement

note: script.sql:6:1: ksql.streams.num.stream.threads is read when the process starts, so this has no effect
script.sql: 5 statements are faulty
exit code 1
