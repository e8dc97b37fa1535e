-- Calls with the same PARTITION BY share a step; where it is not the key, rows go through a topic, and have their key again in the end.
CREATE STREAM readings (id STRING KEY, device STRING, gt STRING, x DOUBLE, seen BIGINT)
  WITH (kafka_topic='readings', value_format='JSON', timestamp='seen', partitions=1);
CREATE STREAM by_key AS SELECT id, gt, LAG(gt, 1, 'none') OVER (PARTITION BY id ORDER BY seen) AS before,
    AVG(x) OVER (PARTITION BY id ORDER BY rowtime ROWS BETWEEN 49 PRECEDING AND CURRENT ROW) AS mean
  FROM readings WHERE x > 0;
CREATE STREAM of_two AS SELECT id, LEAD(gt) OVER (PARTITION BY id ORDER BY seen) AS after,
    COUNT(*) OVER (PARTITION BY UCASE(device) ORDER BY rowtime ROWS UNBOUNDED PRECEDING) AS n
  FROM readings;
SET 'ksql.millstream.over.grace.ms'='5000';
CREATE STREAM in_order AS SELECT device, LAG(x) OVER (PARTITION BY device ORDER BY seen) AS before FROM readings PARTITION BY device;
---- plan
CSAS_BY_KEY_0
source  READINGS: STREAM on readings, KAFKA keys, JSON values
        `ID` STRING KEY, `DEVICE` STRING, `GT` STRING, `X` DOUBLE, `SEEN` BIGINT
step 1  KsqlTopic.Source reads a stream
        `ID` STRING KEY, `DEVICE` STRING, `GT` STRING, `X` DOUBLE, `SEEN` BIGINT, `ROWTIME` BIGINT, `ROWPARTITION` INTEGER, `ROWOFFSET` BIGINT, `ID` STRING
step 2  WhereFilter keeps rows for which (X > 0)
        `ID` STRING KEY, `DEVICE` STRING, `GT` STRING, `X` DOUBLE, `SEEN` BIGINT, `ROWTIME` BIGINT, `ROWPARTITION` INTEGER, `ROWOFFSET` BIGINT, `ID` STRING
step 3  Over.Prepare selects ID, GT, 'none' AS KSQL_INTERNAL_COL_2, X
        `ID` STRING KEY, `ID` STRING, `GT` STRING, `KSQL_INTERNAL_COL_2` STRING, `X` DOUBLE
step 4  Over computes LAG(GT, 1, KSQL_INTERNAL_COL_2), AVG(X) of the row and 49 before, keeps the last 49 rows of each key in Over-LastRows, KAFKA keys, JSON values
        `ID` STRING KEY, `ID` STRING, `GT` STRING, `KSQL_INTERNAL_COL_2` STRING, `X` DOUBLE, `KSQL_OVER_VARIABLE_0` STRING, `KSQL_OVER_VARIABLE_1` DOUBLE
step 5  Project selects GT, KSQL_OVER_VARIABLE_0 AS BEFORE, KSQL_OVER_VARIABLE_1 AS MEAN
        `ID` STRING KEY, `GT` STRING, `BEFORE` STRING, `MEAN` DOUBLE
sink    BY_KEY: STREAM on BY_KEY, KAFKA keys, JSON values
        `ID` STRING KEY, `GT` STRING, `BEFORE` STRING, `MEAN` DOUBLE

CSAS_OF_TWO_1
source  READINGS: STREAM on readings, KAFKA keys, JSON values
        `ID` STRING KEY, `DEVICE` STRING, `GT` STRING, `X` DOUBLE, `SEEN` BIGINT
step 1  KsqlTopic.Source reads a stream
        `ID` STRING KEY, `DEVICE` STRING, `GT` STRING, `X` DOUBLE, `SEEN` BIGINT, `ROWTIME` BIGINT, `ROWPARTITION` INTEGER, `ROWOFFSET` BIGINT, `ID` STRING
step 2  Over.PartitionBy groups by UCASE(DEVICE) AS KSQL_OVER_KEY_0
        `KSQL_OVER_KEY_0` STRING KEY, `DEVICE` STRING, `GT` STRING, `X` DOUBLE, `SEEN` BIGINT, `ROWTIME` BIGINT, `ROWPARTITION` INTEGER, `ROWOFFSET` BIGINT, `ID` STRING
step 3  Over.Prepare selects ID, ROWTIME, GT
        `KSQL_OVER_KEY_0` STRING KEY, `ID` STRING, `ROWTIME` BIGINT, `GT` STRING
step 4  Over.PartitionBy goes through Over-PartitionBy-repartition, KAFKA keys, JSON values
        `KSQL_OVER_KEY_0` STRING KEY, `ID` STRING, `ROWTIME` BIGINT, `GT` STRING
step 5  Over computes COUNT(ROWTIME) of the row and all before, keeps the last row of each key in Over-LastRows, KAFKA keys, JSON values
        `KSQL_OVER_KEY_0` STRING KEY, `ID` STRING, `ROWTIME` BIGINT, `GT` STRING, `KSQL_OVER_VARIABLE_1` BIGINT
step 6  Over2.PartitionBy groups by ID
        `ID` STRING KEY, `ID` STRING, `ROWTIME` BIGINT, `GT` STRING, `KSQL_OVER_VARIABLE_1` BIGINT
step 7  Over2.PartitionBy goes through Over2-PartitionBy-repartition, KAFKA keys, JSON values
        `ID` STRING KEY, `ID` STRING, `ROWTIME` BIGINT, `GT` STRING, `KSQL_OVER_VARIABLE_1` BIGINT
step 8  Over2 computes LEAD(GT, 1), keeps the last 2 rows of each key in Over2-LastRows, KAFKA keys, JSON values
        `ID` STRING KEY, `ID` STRING, `ROWTIME` BIGINT, `GT` STRING, `KSQL_OVER_VARIABLE_1` BIGINT, `KSQL_OVER_VARIABLE_0` STRING
step 9  Project selects KSQL_OVER_VARIABLE_0 AS AFTER, KSQL_OVER_VARIABLE_1 AS N
        `ID` STRING KEY, `AFTER` STRING, `N` BIGINT
sink    OF_TWO: STREAM on OF_TWO, KAFKA keys, JSON values
        `ID` STRING KEY, `AFTER` STRING, `N` BIGINT

CSAS_IN_ORDER_2
source  READINGS: STREAM on readings, KAFKA keys, JSON values
        `ID` STRING KEY, `DEVICE` STRING, `GT` STRING, `X` DOUBLE, `SEEN` BIGINT
step 1  KsqlTopic.Source reads a stream
        `ID` STRING KEY, `DEVICE` STRING, `GT` STRING, `X` DOUBLE, `SEEN` BIGINT, `ROWTIME` BIGINT, `ROWPARTITION` INTEGER, `ROWOFFSET` BIGINT, `ID` STRING
step 2  Over.PartitionBy groups by DEVICE
        `DEVICE` STRING KEY, `DEVICE` STRING, `GT` STRING, `X` DOUBLE, `SEEN` BIGINT, `ROWTIME` BIGINT, `ROWPARTITION` INTEGER, `ROWOFFSET` BIGINT, `ID` STRING
step 3  Over.Prepare selects DEVICE, X
        `DEVICE` STRING KEY, `DEVICE` STRING, `X` DOUBLE
step 4  Over.PartitionBy goes through Over-PartitionBy-repartition, KAFKA keys, JSON values
        `DEVICE` STRING KEY, `DEVICE` STRING, `X` DOUBLE
step 5  Over computes LAG(X, 1), keeps the last row of each key in Over-LastRows, KAFKA keys, JSON values, in the order of time after 5000 ms in Over-HeldRows
        `DEVICE` STRING KEY, `DEVICE` STRING, `X` DOUBLE, `KSQL_OVER_VARIABLE_0` DOUBLE
step 6  PartitionBy partitions by DEVICE
        `DEVICE` STRING KEY, `DEVICE` STRING, `X` DOUBLE, `KSQL_OVER_VARIABLE_0` DOUBLE
step 7  Project selects KSQL_OVER_VARIABLE_0 AS BEFORE
        `DEVICE` STRING KEY, `BEFORE` DOUBLE
sink    IN_ORDER: STREAM on IN_ORDER, KAFKA keys, JSON values
        `DEVICE` STRING KEY, `BEFORE` DOUBLE
