-- The rows before a row, for which ksqlDB has no words: it refuses this file, and so does ksql.millstream.strict=true.
-- Rows are taken in the order of their arrival; one that is late has no rows before it (ksql.millstream.over.grace.ms waits for such).

CREATE STREAM IF NOT EXISTS device_readings_by_arrival (
    arrival_time BIGINT, creation_time BIGINT, device VARCHAR, index INT, model VARCHAR, user VARCHAR, gt VARCHAR,
    x DOUBLE, y DOUBLE, z DOUBLE
  ) WITH (KAFKA_TOPIC='device-sensors', VALUE_FORMAT='JSON', KEY_FORMAT='KAFKA', TIMESTAMP='arrival_time');

-- What a device did before. That of transitions.sql needs a table and a stream over its changes for this.
CREATE STREAM device_steps AS
  SELECT device, gt AS to_activity, LAG(gt, 1) OVER (PARTITION BY device ORDER BY arrival_time) AS from_activity,
         arrival_time AS transition_time
  FROM device_readings_by_arrival
  EMIT CHANGES;

CREATE STREAM device_transitions AS
  SELECT device, from_activity, to_activity, transition_time
  FROM device_steps
  WHERE from_activity <> to_activity
  PARTITION BY device
  EMIT CHANGES;

-- What millstream consume shows of each device: its last fifty readings, and counts since the start.
CREATE STREAM device_rolling AS
  SELECT device,
         COUNT(*) OVER (PARTITION BY device ORDER BY arrival_time ROWS UNBOUNDED PRECEDING) AS total,
         COUNT(*) OVER (PARTITION BY device ORDER BY arrival_time ROWS BETWEEN 49 PRECEDING AND CURRENT ROW) AS n,
         HISTOGRAM(gt) OVER (PARTITION BY device ORDER BY arrival_time ROWS UNBOUNDED PRECEDING) AS activities,
         AVG(x) OVER (PARTITION BY device ORDER BY arrival_time ROWS BETWEEN 49 PRECEDING AND CURRENT ROW) AS mean_x,
         STDDEV_SAMPLE(x) OVER (PARTITION BY device ORDER BY arrival_time ROWS BETWEEN 49 PRECEDING AND CURRENT ROW) AS sd_x,
         MIN(x) OVER (PARTITION BY device ORDER BY arrival_time ROWS BETWEEN 49 PRECEDING AND CURRENT ROW) AS min_x,
         MAX(x) OVER (PARTITION BY device ORDER BY arrival_time ROWS BETWEEN 49 PRECEDING AND CURRENT ROW) AS max_x,
         AVG(y) OVER (PARTITION BY device ORDER BY arrival_time ROWS BETWEEN 49 PRECEDING AND CURRENT ROW) AS mean_y,
         STDDEV_SAMPLE(y) OVER (PARTITION BY device ORDER BY arrival_time ROWS BETWEEN 49 PRECEDING AND CURRENT ROW) AS sd_y,
         MIN(y) OVER (PARTITION BY device ORDER BY arrival_time ROWS BETWEEN 49 PRECEDING AND CURRENT ROW) AS min_y,
         MAX(y) OVER (PARTITION BY device ORDER BY arrival_time ROWS BETWEEN 49 PRECEDING AND CURRENT ROW) AS max_y
  FROM device_readings_by_arrival
  EMIT CHANGES;
