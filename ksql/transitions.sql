-- When a device goes from one activity to another, and how often it does: standard SQL would say LAG(gt) OVER.
-- A table keeps the last two activities of each device, and a stream over its changes sees each transition.

-- Without this, changes within a commit interval are merged, and transitions with them.
SET 'cache.max.bytes.buffering'='0';

CREATE STREAM IF NOT EXISTS device_readings (
    arrival_time BIGINT, creation_time BIGINT, device VARCHAR, index INT, model VARCHAR, user VARCHAR, gt VARCHAR,
    x DOUBLE, y DOUBLE, z DOUBLE
  ) WITH (KAFKA_TOPIC='device-sensors', VALUE_FORMAT='JSON', KEY_FORMAT='KAFKA');

CREATE TABLE device_last2 AS
  SELECT device, LATEST_BY_OFFSET(gt, 2) AS last2, LATEST_BY_OFFSET(arrival_time) AS seen_at
  FROM device_readings
  GROUP BY device
  EMIT CHANGES;

-- The topic of that table, read as a stream: every change is a row.
CREATE STREAM device_last2_changes (device VARCHAR KEY, last2 ARRAY<VARCHAR>, seen_at BIGINT)
  WITH (KAFKA_TOPIC='DEVICE_LAST2', VALUE_FORMAT='JSON', KEY_FORMAT='KAFKA');

CREATE STREAM activity_transitions AS
  SELECT device, last2[1] AS from_activity, last2[2] AS to_activity, seen_at AS transition_time
  FROM device_last2_changes
  WHERE last2[1] <> last2[2]
  EMIT CHANGES;

CREATE TABLE transition_counts WITH (KEY_FORMAT='JSON') AS
  SELECT from_activity, to_activity, COUNT(*) AS n
  FROM activity_transitions
  GROUP BY from_activity, to_activity
  EMIT CHANGES;
