-- Windows, their grace and how long their results are kept.
CREATE STREAM readings (sensor STRING KEY, room STRING, celsius DOUBLE) WITH (kafka_topic='readings', value_format='JSON', partitions=1);
CREATE TABLE by_ten AS SELECT sensor, COUNT(*) AS seen FROM readings WINDOW TUMBLING (SIZE 10 SECONDS) GROUP BY sensor;
CREATE TABLE rolling AS SELECT room, AVG(celsius) AS mean, WINDOWSTART AS began FROM readings
  WINDOW HOPPING (SIZE 1 MINUTE, ADVANCE BY 10 SECONDS, RETENTION 2 HOURS, GRACE PERIOD 1 HOUR) GROUP BY room
  HAVING COUNT(*) > 1 EMIT FINAL;
CREATE TABLE visits AS SELECT sensor, MAX(celsius) AS high FROM readings WINDOW SESSION (5 MINUTES) GROUP BY sensor;
---- plan
CTAS_BY_TEN_0
source  READINGS: STREAM on readings, KAFKA keys, JSON values
        `SENSOR` STRING KEY, `ROOM` STRING, `CELSIUS` DOUBLE
step 1  KsqlTopic.Source reads a stream
        `SENSOR` STRING KEY, `ROOM` STRING, `CELSIUS` DOUBLE, `ROWTIME` BIGINT, `ROWPARTITION` INTEGER, `ROWOFFSET` BIGINT, `SENSOR` STRING
step 2  Aggregate.Prepare selects SENSOR, ROWTIME
        `SENSOR` STRING KEY, `SENSOR` STRING, `ROWTIME` BIGINT
step 3  Aggregate.Aggregate aggregates COUNT(ROWTIME) into Aggregate-Aggregate-Materialize, KAFKA keys, JSON values, windows of 10000 ms every 10000 ms with 86390000 ms of grace, kept 86400000 ms
        `SENSOR` STRING KEY, `SENSOR` STRING, `ROWTIME` BIGINT, `KSQL_AGG_VARIABLE_0` BIGINT, `WINDOWSTART` BIGINT, `WINDOWEND` BIGINT
step 4  Aggregate.Project selects KSQL_AGG_VARIABLE_0 AS SEEN
        `SENSOR` STRING KEY, `SEEN` BIGINT
sink    BY_TEN: TABLE on BY_TEN, KAFKA keys, JSON values, TUMBLING windows of 10000 ms
        `SENSOR` STRING KEY, `SEEN` BIGINT

CTAS_ROLLING_1
source  READINGS: STREAM on readings, KAFKA keys, JSON values
        `SENSOR` STRING KEY, `ROOM` STRING, `CELSIUS` DOUBLE
step 1  KsqlTopic.Source reads a stream
        `SENSOR` STRING KEY, `ROOM` STRING, `CELSIUS` DOUBLE, `ROWTIME` BIGINT, `ROWPARTITION` INTEGER, `ROWOFFSET` BIGINT, `SENSOR` STRING
step 2  Aggregate.Prepare selects ROOM, CELSIUS, ROWTIME
        `SENSOR` STRING KEY, `ROOM` STRING, `CELSIUS` DOUBLE, `ROWTIME` BIGINT
step 3  Aggregate.GroupBy groups by ROOM
        `ROOM` STRING KEY, `ROOM` STRING, `CELSIUS` DOUBLE, `ROWTIME` BIGINT
step 4  Aggregate.GroupBy goes through Aggregate-GroupBy-repartition, KAFKA keys, JSON values
        `ROOM` STRING KEY, `ROOM` STRING, `CELSIUS` DOUBLE, `ROWTIME` BIGINT
step 5  Aggregate.Aggregate aggregates AVG(CELSIUS), COUNT(ROWTIME) into Aggregate-Aggregate-Materialize, KAFKA keys, JSON values, windows of 60000 ms every 10000 ms with 3600000 ms of grace, kept 7200000 ms, final results only
        `ROOM` STRING KEY, `ROOM` STRING, `CELSIUS` DOUBLE, `ROWTIME` BIGINT, `KSQL_AGG_VARIABLE_0` DOUBLE, `KSQL_AGG_VARIABLE_1` BIGINT, `WINDOWSTART` BIGINT, `WINDOWEND` BIGINT
step 6  Aggregate.HavingFilter keeps rows for which (KSQL_AGG_VARIABLE_1 > 1)
        `ROOM` STRING KEY, `ROOM` STRING, `CELSIUS` DOUBLE, `ROWTIME` BIGINT, `KSQL_AGG_VARIABLE_0` DOUBLE, `KSQL_AGG_VARIABLE_1` BIGINT, `WINDOWSTART` BIGINT, `WINDOWEND` BIGINT
step 7  Aggregate.Project selects KSQL_AGG_VARIABLE_0 AS MEAN, WINDOWSTART AS BEGAN
        `ROOM` STRING KEY, `MEAN` DOUBLE, `BEGAN` BIGINT
sink    ROLLING: TABLE on ROLLING, KAFKA keys, JSON values, HOPPING windows of 60000 ms
        `ROOM` STRING KEY, `MEAN` DOUBLE, `BEGAN` BIGINT

CTAS_VISITS_2
source  READINGS: STREAM on readings, KAFKA keys, JSON values
        `SENSOR` STRING KEY, `ROOM` STRING, `CELSIUS` DOUBLE
step 1  KsqlTopic.Source reads a stream
        `SENSOR` STRING KEY, `ROOM` STRING, `CELSIUS` DOUBLE, `ROWTIME` BIGINT, `ROWPARTITION` INTEGER, `ROWOFFSET` BIGINT, `SENSOR` STRING
step 2  Aggregate.Prepare selects SENSOR, CELSIUS
        `SENSOR` STRING KEY, `SENSOR` STRING, `CELSIUS` DOUBLE
step 3  Aggregate.Aggregate aggregates MAX(CELSIUS) into Aggregate-Aggregate-Materialize, KAFKA keys, JSON values, sessions with gaps of 300000 ms and 86100000 ms of grace, kept 86400000 ms
        `SENSOR` STRING KEY, `SENSOR` STRING, `CELSIUS` DOUBLE, `KSQL_AGG_VARIABLE_0` DOUBLE, `WINDOWSTART` BIGINT, `WINDOWEND` BIGINT
step 4  Aggregate.Project selects KSQL_AGG_VARIABLE_0 AS HIGH
        `SENSOR` STRING KEY, `HIGH` DOUBLE
sink    VISITS: TABLE on VISITS, KAFKA keys, JSON values, SESSION windows
        `SENSOR` STRING KEY, `HIGH` DOUBLE
