-- The device monitor over topics whose schemas are in a registry: the columns come from there, and results are registered.
-- Runs on Millstream and on ksqlDB alike (ksql.schema.registry.url). The topics and their schemas must be there:
-- `millstream produce FORMAT --schema-registry URL` makes those of json, protobuf and avro.

CREATE STREAM IF NOT EXISTS readings_json_sr WITH (KAFKA_TOPIC='device-sensors-json-sr', VALUE_FORMAT='JSON_SR');
CREATE STREAM IF NOT EXISTS readings_proto_sr WITH (KAFKA_TOPIC='device-sensors-proto-sr', VALUE_FORMAT='PROTOBUF');
CREATE STREAM IF NOT EXISTS readings_avro WITH (KAFKA_TOPIC='device-sensors-avro', VALUE_FORMAT='AVRO');

-- Readings of each activity, counted in the format in which they came.
CREATE TABLE activities_json_sr WITH (VALUE_FORMAT='JSON_SR') AS
  SELECT gt, COUNT(*) AS readings, LATEST_BY_OFFSET(device) AS last_device
  FROM readings_json_sr
  GROUP BY gt
  EMIT CHANGES;

CREATE TABLE activities_proto_sr WITH (VALUE_FORMAT='PROTOBUF') AS
  SELECT gt, COUNT(*) AS readings, LATEST_BY_OFFSET(device) AS last_device
  FROM readings_proto_sr
  GROUP BY gt
  EMIT CHANGES;

-- Statistics of each device, and alerts, as Avro.
CREATE TABLE device_stats_avro WITH (VALUE_FORMAT='AVRO') AS
  SELECT device, COUNT(*) AS readings, AVG(x) AS avg_x, AVG(y) AS avg_y, AVG(z) AS avg_z
  FROM readings_avro
  GROUP BY device
  EMIT CHANGES;

CREATE STREAM movement_alerts_avro WITH (VALUE_FORMAT='AVRO') AS
  SELECT device, model, gt, SQRT(x*x + y*y + z*z) AS movement_magnitude, arrival_time
  FROM readings_avro
  WHERE SQRT(x*x + y*y + z*z) > 0.05
  EMIT CHANGES;
