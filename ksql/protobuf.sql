-- The device monitor and its transitions over the Protobuf readings. Results are JSON, so that they can be read
-- without a schema. The topic device-sensors-proto must exist, and `millstream produce protobuf` makes it.

-- Without this, changes within a commit interval are merged, and transitions with them.
SET 'cache.max.bytes.buffering'='0';

-- PROTOBUF_NOSR is plain Protobuf with no Schema Registry: the columns are the fields of proto/device_reading.proto, in order.
CREATE STREAM IF NOT EXISTS device_readings_proto (
    arrival_time BIGINT, creation_time BIGINT, device VARCHAR, index INT, model VARCHAR, user VARCHAR, gt VARCHAR,
    x DOUBLE, y DOUBLE, z DOUBLE
  ) WITH (KAFKA_TOPIC='device-sensors-proto', VALUE_FORMAT='PROTOBUF_NOSR', KEY_FORMAT='KAFKA');

CREATE TABLE device_activity_counts_proto WITH (VALUE_FORMAT='JSON') AS
  SELECT CONCAT(device,'-',gt) AS device_activity_key,
         COUNT(*) AS activity_count,
         LATEST_BY_OFFSET(model) AS model,
         LATEST_BY_OFFSET(user) AS user
  FROM device_readings_proto
  GROUP BY CONCAT(device,'-',gt)
  EMIT CHANGES;

CREATE TABLE device_sensor_stats_proto WITH (VALUE_FORMAT='JSON') AS
  SELECT device,
         AVG(x) AS avg_x, AVG(y) AS avg_y, AVG(z) AS avg_z,
         COUNT(*) AS reading_count,
         LATEST_BY_OFFSET(model) AS model,
         MAX(ABS(x)) AS max_movement_x, MAX(ABS(y)) AS max_movement_y, MAX(ABS(z)) AS max_movement_z
  FROM device_readings_proto
  GROUP BY device
  EMIT CHANGES;

CREATE STREAM movement_alerts_proto WITH (VALUE_FORMAT='JSON') AS
  SELECT device, model, gt, x, y, z, SQRT(x*x + y*y + z*z) AS movement_magnitude, arrival_time
  FROM device_readings_proto
  WHERE SQRT(x*x + y*y + z*z) > 0.05
  EMIT CHANGES;

CREATE TABLE device_last2_proto WITH (VALUE_FORMAT='JSON') AS
  SELECT device, LATEST_BY_OFFSET(gt, 2) AS last2, LATEST_BY_OFFSET(arrival_time) AS seen_at
  FROM device_readings_proto
  GROUP BY device
  EMIT CHANGES;

CREATE STREAM device_last2_changes_proto (device VARCHAR KEY, last2 ARRAY<VARCHAR>, seen_at BIGINT)
  WITH (KAFKA_TOPIC='DEVICE_LAST2_PROTO', VALUE_FORMAT='JSON', KEY_FORMAT='KAFKA');

CREATE STREAM activity_transitions_proto WITH (VALUE_FORMAT='JSON') AS
  SELECT device, last2[1] AS from_activity, last2[2] AS to_activity, seen_at AS transition_time
  FROM device_last2_changes_proto
  WHERE last2[1] <> last2[2]
  EMIT CHANGES;

CREATE TABLE transition_counts_proto WITH (KEY_FORMAT='JSON', VALUE_FORMAT='JSON') AS
  SELECT from_activity, to_activity, COUNT(*) AS n
  FROM activity_transitions_proto
  GROUP BY from_activity, to_activity
  EMIT CHANGES;
