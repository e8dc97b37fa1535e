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
SET 'processing.guarantee' = 'exactly_once_beta';
SET 'processing.guarantee' = 'at_least_once';
SET 'linger.ms' = '5';
SET 'num.standby.replicas' = '1';
SET 'topology.optimization' = 'all';
---- check
error: Unknown property: auto.offset.rest
--> script.sql:2:5
 2 | SET 'auto.offset.rest' = 'earliest';
   |     ^^^^^^^^^^^^^^^^^^
help: did you mean auto.offset.reset?

error: Invalid value soon for configuration commit.interval.ms: Not a number of type LONG
--> script.sql:3:28
 3 | SET 'commit.interval.ms' = 'soon';
   |                            ^^^^^^

error: Invalid value sometimes for configuration auto.offset.reset: String must be one of: latest, earliest, none
--> script.sql:4:40
 4 | SET 'ksql.streams.auto.offset.reset' = 'sometimes';
   |                                        ^^^^^^^^^^^

error: Cannot override properties: bootstrap.servers
--> script.sql:5:1
 5 | SET 'bootstrap.servers' = 'kafka:9092';
   | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ in this statement
help: set it with --property or in the file of --config

error: Unknown property: nope
--> script.sql:8:7
 8 | UNSET 'nope';
   |       ^^^^^^

note: script.sql:6:1: ksql.streams.num.stream.threads is read when the process starts, so this has no effect
note: script.sql:11:1: processing.guarantee is exactly_once_beta, which is deprecated: it is taken as exactly_once_v2
note: script.sql:13:1: linger.ms is read when the process starts, so this has no effect
note: script.sql:14:1: num.standby.replicas has no effect: there are no standby replicas: another instance restores state from changelogs
note: script.sql:15:1: topology.optimization has no effect
script.sql: 5 statements are faulty
exit code 1
