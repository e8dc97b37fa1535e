-- Readings joined with a registry of the devices, alerts by each device's own threshold, and devices of one room that
-- move within a second of each other. Runs on Millstream and on ksqlDB alike.
-- The topics device-sensors and device-registry must exist, with as many partitions: `millstream produce json` and
-- `millstream register` make them.

CREATE STREAM IF NOT EXISTS device_readings (
    arrival_time BIGINT, creation_time BIGINT, device VARCHAR, index INT, model VARCHAR, user VARCHAR, gt VARCHAR,
    x DOUBLE, y DOUBLE, z DOUBLE
  ) WITH (KAFKA_TOPIC='device-sensors', VALUE_FORMAT='JSON', KEY_FORMAT='KAFKA');

CREATE TABLE IF NOT EXISTS device_registry (
    device_id VARCHAR PRIMARY KEY, owner VARCHAR, room VARCHAR, threshold DOUBLE
  ) WITH (KAFKA_TOPIC='device-registry', VALUE_FORMAT='JSON', KEY_FORMAT='KAFKA');

-- Stream with table: each reading as the registry was when it came; a device that nobody registered stays in.
CREATE STREAM readings_located AS
  SELECT r.device AS device, r.model AS model, r.gt AS gt, r.arrival_time AS arrival_time,
         SQRT(r.x*r.x + r.y*r.y + r.z*r.z) AS magnitude,
         d.owner AS owner, d.room AS room, d.threshold AS threshold
  FROM device_readings r
  LEFT JOIN device_registry d ON r.device = d.device_id
  EMIT CHANGES;

CREATE STREAM room_alerts AS
  SELECT device, room, owner, gt, magnitude, threshold
  FROM readings_located
  WHERE magnitude > threshold
  EMIT CHANGES;

-- What each device did last, and how often it was heard of.
CREATE TABLE device_last_activity AS
  SELECT device, LATEST_BY_OFFSET(gt) AS activity, COUNT(*) AS readings
  FROM device_readings
  GROUP BY device
  EMIT CHANGES;

-- Stream with an aggregated table: an alert beside what its device did last.
CREATE STREAM alerts_explained AS
  SELECT a.device AS device, a.room AS room, a.magnitude AS magnitude, l.activity AS last_activity,
         l.readings AS readings
  FROM room_alerts a
  LEFT JOIN device_last_activity l ON a.device = l.device
  EMIT CHANGES;

-- Stream with stream: two devices of one room, of different models, that move within a second of each other.
CREATE STREAM moving_phones AS
  SELECT room, device, magnitude FROM room_alerts WHERE device LIKE 'iphone%' OR device LIKE 'pixel%'
  PARTITION BY room EMIT CHANGES;

CREATE STREAM moving_others AS
  SELECT room, device, magnitude FROM room_alerts WHERE device LIKE 'nexus%' OR device LIKE 'galaxy%'
  PARTITION BY room EMIT CHANGES;

CREATE STREAM moving_together AS
  SELECT p.room AS room, p.device AS one, o.device AS other, p.magnitude AS one_magnitude,
         o.magnitude AS other_magnitude
  FROM moving_phones p
  INNER JOIN moving_others o WITHIN 1 SECOND GRACE PERIOD 10 SECONDS ON p.room = o.room
  EMIT CHANGES;

-- Table with table: what each device did last, with whose it is.
CREATE TABLE owners_activity AS
  SELECT l.device AS device, d.owner AS owner, d.room AS room, l.activity AS activity, l.readings AS readings
  FROM device_last_activity l
  INNER JOIN device_registry d ON l.device = d.device_id
  EMIT CHANGES;
