-- Sources, types and connectors: every clause of CREATE.
CREATE STREAM readings (device VARCHAR KEY, x DOUBLE, at_ms BIGINT) WITH (value_format='JSON', kafka_topic='readings', partitions=4);
create or replace table devices (id int primary key, `Name` varchar(20), tags map<string, int>) with (kafka_topic = 'd', format = 'AVRO');
CREATE SOURCE TABLE IF NOT EXISTS "Sites" (id STRING PRIMARY KEY, place STRUCT<lat DOUBLE, `from` DECIMAL(9,6)>) WITH (kafka_topic='sites', wrap_single_value=FALSE);
CREATE STREAM traced (h BYTES HEADER('trace'), hs ARRAY<STRUCT<key STRING, value BYTES>> HEADERS, v INT) WITH (kafka_topic='t', replicas=-1);
CREATE STREAM inferred WITH (kafka_topic='i', value_schema_id=12);
CREATE STREAM if (date DATE, time TIME, timestamp TIMESTAMP, id INTEGER, type home, list2 INT ARRAY ARRAY) WITH (kafka_topic='if');
CREATE TYPE IF NOT EXISTS home AS STRUCT<street STRING, nested STRUCT< >>;
CREATE SINK CONNECTOR IF NOT EXISTS files WITH ('connector.class'='FileStream', 'tasks.max'=1, name='it''s');
CREATE SOURCE CONNECTOR `Db` WITH ("Mode"='bulk');
---- printed
CREATE STREAM READINGS (DEVICE STRING KEY, X DOUBLE, AT_MS BIGINT) WITH (KAFKA_TOPIC='readings', PARTITIONS=4, VALUE_FORMAT='JSON');
CREATE OR REPLACE TABLE DEVICES (ID INTEGER PRIMARY KEY, `Name` STRING, TAGS MAP<STRING, INTEGER>) WITH (FORMAT='AVRO', KAFKA_TOPIC='d');
CREATE SOURCE TABLE IF NOT EXISTS `Sites` (ID STRING PRIMARY KEY, PLACE STRUCT<LAT DOUBLE, `from` DECIMAL(9, 6)>) WITH (KAFKA_TOPIC='sites', WRAP_SINGLE_VALUE=false);
CREATE STREAM TRACED (H BYTES HEADER('trace'), HS ARRAY<STRUCT<KEY STRING, VALUE BYTES>> HEADERS, V INTEGER) WITH (KAFKA_TOPIC='t', REPLICAS=-1);
CREATE STREAM INFERRED WITH (KAFKA_TOPIC='i', VALUE_SCHEMA_ID=12);
CREATE STREAM IF (DATE DATE, TIME TIME, TIMESTAMP TIMESTAMP, ID INTEGER, TYPE HOME, LIST2 ARRAY<ARRAY<INTEGER>>) WITH (KAFKA_TOPIC='if');
CREATE TYPE IF NOT EXISTS HOME AS STRUCT<STREET STRING, NESTED STRUCT< >>;
CREATE SINK CONNECTOR IF NOT EXISTS FILES WITH ('connector.class'='FileStream', 'tasks.max'=1, NAME='it''s');
CREATE SOURCE CONNECTOR `Db` WITH ('Mode'='bulk');
