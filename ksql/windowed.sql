-- Statistics of x by device in windows of event time: the arrival time that a reading names, not when Kafka took them.

CREATE STREAM IF NOT EXISTS device_readings_by_arrival (
    arrival_time BIGINT, creation_time BIGINT, device VARCHAR, index INT, model VARCHAR, user VARCHAR, gt VARCHAR,
    x DOUBLE, y DOUBLE, z DOUBLE
  ) WITH (KAFKA_TOPIC='device-sensors', VALUE_FORMAT='JSON', KEY_FORMAT='KAFKA', TIMESTAMP='arrival_time');

-- One row a device and minute, when the minute and its grace are over.
CREATE TABLE tumbling_final AS
  SELECT device, COUNT(*) AS n, AVG(x) AS avg_x, MIN(x) AS min_x, MAX(x) AS max_x, STDDEV_SAMP(x) AS sd_x
  FROM device_readings_by_arrival
  WINDOW TUMBLING (SIZE 1 MINUTE, GRACE PERIOD 10 SECONDS)
  GROUP BY device
  EMIT FINAL;

-- The same, a row for each reading.
CREATE TABLE tumbling_changes AS
  SELECT device, WINDOWSTART AS ws, WINDOWEND AS we,
         COUNT(*) AS n, AVG(x) AS avg_x, MIN(x) AS min_x, MAX(x) AS max_x, STDDEV_SAMP(x) AS sd_x
  FROM device_readings_by_arrival
  WINDOW TUMBLING (SIZE 1 MINUTE, GRACE PERIOD 10 SECONDS)
  GROUP BY device
  EMIT CHANGES;

-- The moving minute: a window begins every ten seconds.
CREATE TABLE hopping_changes AS
  SELECT device, COUNT(*) AS n, AVG(x) AS avg_x, MIN(x) AS min_x, MAX(x) AS max_x, STDDEV_SAMP(x) AS sd_x
  FROM device_readings_by_arrival
  WINDOW HOPPING (SIZE 1 MINUTE, ADVANCE BY 10 SECONDS)
  GROUP BY device
  EMIT CHANGES;

-- Thirty seconds of silence end a session.
CREATE TABLE session_changes AS
  SELECT device, COUNT(*) AS n, AVG(x) AS avg_x, MIN(x) AS min_x, MAX(x) AS max_x, STDDEV_SAMP(x) AS sd_x
  FROM device_readings_by_arrival
  WINDOW SESSION (30 SECONDS)
  GROUP BY device
  EMIT CHANGES;
