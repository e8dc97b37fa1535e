-- An aggregate OVER ROWS takes the row and so many before it, or all; it is computed anew of these rows each time.
CREATE STREAM readings (device STRING KEY, x DOUBLE, gt STRING) WITH (kafka_topic='readings', value_format='JSON', partitions=1);
CREATE STREAM rolling AS SELECT device, x,
    AVG(x) OVER (PARTITION BY device ORDER BY rowtime ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) AS mean,
    MAX(ABS(x)) OVER (PARTITION BY device ORDER BY rowtime ROWS 1 PRECEDING) AS peak,
    COUNT(*) OVER (PARTITION BY device ORDER BY rowtime ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS n,
    SUM(x) OVER (PARTITION BY device ORDER BY rowtime ROWS UNBOUNDED PRECEDING) AS total,
    COLLECT_LIST(gt) OVER (PARTITION BY device ORDER BY rowtime ROWS BETWEEN CURRENT ROW AND CURRENT ROW) AS own,
    LATEST_BY_OFFSET(gt, 2) OVER (PARTITION BY device ORDER BY rowtime ROWS UNBOUNDED PRECEDING) AS last2
  FROM readings;
---- records
readings a {"x":1.0,"gt":"sit"} @ 1s  => ROLLING a {"X":1.0,"MEAN":1.0,"PEAK":1.0,"N":1,"TOTAL":1.0,"OWN":["sit"],"LAST2":["sit"]} @ 1s
readings a {"x":-4.0,"gt":"run"} @ 2s => ROLLING a {"X":-4.0,"MEAN":-1.5,"PEAK":4.0,"N":2,"TOTAL":-3.0,"OWN":["run"],"LAST2":["sit","run"]} @ 2s
readings b {"x":10.0,"gt":"run"} @ 1s => ROLLING b {"X":10.0,"MEAN":10.0,"PEAK":10.0,"N":1,"TOTAL":10.0,"OWN":["run"],"LAST2":["run"]} @ 1s
readings a {"x":null,"gt":"run"} @ 3s => ROLLING a {"X":null,"MEAN":-1.5,"PEAK":4.0,"N":3,"TOTAL":-3.0,"OWN":["run"],"LAST2":["run","run"]} @ 3s
readings a {"x":2.0,"gt":"walk"} @ 3s => ROLLING a {"X":2.0,"MEAN":-1.0,"PEAK":2.0,"N":4,"TOTAL":-1.0,"OWN":["walk"],"LAST2":["run","walk"]} @ 3s
readings a {"x":7.0,"gt":"late"} @ 2s => log: The row comes too late: its time is 2000, and that of the last row with its PARTITION BY is 3000. What is computed of it OVER rows is NULL. in ["a",7.0,0,5,7.0,2000,"late",2]
                                      => ROLLING a {"X":7.0,"MEAN":null,"PEAK":null,"N":null,"TOTAL":null,"OWN":null,"LAST2":null} @ 2s
readings a {"x":3.0} @ 4s             => ROLLING a {"X":3.0,"MEAN":2.5,"PEAK":3.0,"N":5,"TOTAL":2.0,"OWN":[null],"LAST2":["run","walk"]} @ 4s
readings b {"x":20.0,"gt":"sit"} @ 5s => ROLLING b {"X":20.0,"MEAN":15.0,"PEAK":20.0,"N":2,"TOTAL":30.0,"OWN":["sit"],"LAST2":["run","sit"]} @ 5s
---- stores
CSAS_ROLLING_0-Over-LastRows a [0] {"KSQL_OVER_ROW":4,"X":3.0,"ROWPARTITION":0,"ROWOFFSET":6,"KSQL_INTERNAL_COL_4":3.0,"KSQL_OVER_STATE_0":5,"KSQL_OVER_STATE_1":2.0,"KSQL_OVER_STATE_2":[{"SEQ":3,"VAL":"run"},{"SEQ":4,"VAL":"walk"}]} @ 4s
CSAS_ROLLING_0-Over-LastRows a [1] {"KSQL_OVER_ROW":3,"X":2.0,"ROWPARTITION":0,"ROWOFFSET":4,"KSQL_INTERNAL_COL_4":2.0,"KSQL_OVER_STATE_0":4,"KSQL_OVER_STATE_1":-1.0,"KSQL_OVER_STATE_2":[{"SEQ":3,"VAL":"run"},{"SEQ":4,"VAL":"walk"}]} @ 3s
CSAS_ROLLING_0-Over-LastRows b [0] {"KSQL_OVER_ROW":0,"X":10.0,"ROWPARTITION":0,"ROWOFFSET":2,"KSQL_INTERNAL_COL_4":10.0,"KSQL_OVER_STATE_0":1,"KSQL_OVER_STATE_1":10.0,"KSQL_OVER_STATE_2":[{"SEQ":2,"VAL":"run"}]} @ 1s
CSAS_ROLLING_0-Over-LastRows b [1] {"KSQL_OVER_ROW":1,"X":20.0,"ROWPARTITION":0,"ROWOFFSET":7,"KSQL_INTERNAL_COL_4":20.0,"KSQL_OVER_STATE_0":2,"KSQL_OVER_STATE_1":30.0,"KSQL_OVER_STATE_2":[{"SEQ":2,"VAL":"run"},{"SEQ":5,"VAL":"sit"}]} @ 5s
