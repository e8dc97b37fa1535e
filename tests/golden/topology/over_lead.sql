-- LEAD is the value of a row that comes later: until then a row waits. What it is given with is its own key and time.
CREATE STREAM readings (device STRING KEY, gt STRING, n INT) WITH (kafka_topic='readings', value_format='JSON', partitions=1);
CREATE STREAM steps AS SELECT device, gt, LEAD(gt, 2) OVER (PARTITION BY device ORDER BY rowtime) AS second,
    LEAD(n, 1, 0) OVER (PARTITION BY device ORDER BY rowtime) AS next, LAG(n) OVER (PARTITION BY device ORDER BY rowtime) AS before,
    LEAD(n, 0) OVER (PARTITION BY device ORDER BY rowtime) AS own
  FROM readings;
---- records
readings a {"gt":"sit","n":1} @ 1s  => nothing
readings b {"gt":"run","n":5} @ 1s  => nothing
readings a {"gt":"walk","n":2} @ 2s => nothing
readings a {"gt":"run","n":3} @ 4s  => STEPS a {"GT":"sit","SECOND":"run","NEXT":2,"BEFORE":null,"OWN":1} @ 1s  -- gives the first
readings a {"gt":"late","n":9} @ 3s => log: The row comes too late: its time is 3000, and that of the last row with its PARTITION BY is 4000. What is computed of it OVER rows is NULL. in ["a","late",0,4,9,0]  -- is no row that others wait for
                                    => STEPS a {"GT":"late","SECOND":null,"NEXT":null,"BEFORE":null,"OWN":null} @ 3s
readings b {"gt":null,"n":6} @ 2s   => nothing
readings b {"gt":"sit","n":7} @ 2s  => STEPS b {"GT":"run","SECOND":"sit","NEXT":6,"BEFORE":null,"OWN":5} @ 1s
readings a {"gt":"sit","n":4} @ 5s  => STEPS a {"GT":"walk","SECOND":"sit","NEXT":3,"BEFORE":1,"OWN":2} @ 2s
---- stores
CSAS_STEPS_0-Over-LastRows a [0] {"KSQL_OVER_ROW":3,"DEVICE":"a","GT":"sit","ROWPARTITION":0,"ROWOFFSET":7,"N":4,"KSQL_INTERNAL_COL_5":0,"KSQL_OVER_VARIABLE_0":null,"KSQL_OVER_VARIABLE_1":null,"KSQL_OVER_VARIABLE_2":3,"KSQL_OVER_VARIABLE_3":4,"KSQL_OVER_HEADERS":null} @ 5s
CSAS_STEPS_0-Over-LastRows a [1] {"KSQL_OVER_ROW":1,"DEVICE":"a","GT":"walk","ROWPARTITION":0,"ROWOFFSET":2,"N":2,"KSQL_INTERNAL_COL_5":0,"KSQL_OVER_VARIABLE_0":null,"KSQL_OVER_VARIABLE_1":null,"KSQL_OVER_VARIABLE_2":1,"KSQL_OVER_VARIABLE_3":2,"KSQL_OVER_HEADERS":null} @ 2s
CSAS_STEPS_0-Over-LastRows a [2] {"KSQL_OVER_ROW":2,"DEVICE":"a","GT":"run","ROWPARTITION":0,"ROWOFFSET":3,"N":3,"KSQL_INTERNAL_COL_5":0,"KSQL_OVER_VARIABLE_0":null,"KSQL_OVER_VARIABLE_1":null,"KSQL_OVER_VARIABLE_2":2,"KSQL_OVER_VARIABLE_3":3,"KSQL_OVER_HEADERS":null} @ 4s
CSAS_STEPS_0-Over-LastRows b [0] {"KSQL_OVER_ROW":0,"DEVICE":"b","GT":"run","ROWPARTITION":0,"ROWOFFSET":1,"N":5,"KSQL_INTERNAL_COL_5":0,"KSQL_OVER_VARIABLE_0":null,"KSQL_OVER_VARIABLE_1":null,"KSQL_OVER_VARIABLE_2":null,"KSQL_OVER_VARIABLE_3":5,"KSQL_OVER_HEADERS":null} @ 1s
CSAS_STEPS_0-Over-LastRows b [1] {"KSQL_OVER_ROW":1,"DEVICE":"b","GT":null,"ROWPARTITION":0,"ROWOFFSET":5,"N":6,"KSQL_INTERNAL_COL_5":0,"KSQL_OVER_VARIABLE_0":null,"KSQL_OVER_VARIABLE_1":null,"KSQL_OVER_VARIABLE_2":5,"KSQL_OVER_VARIABLE_3":6,"KSQL_OVER_HEADERS":null} @ 2s
CSAS_STEPS_0-Over-LastRows b [2] {"KSQL_OVER_ROW":2,"DEVICE":"b","GT":"sit","ROWPARTITION":0,"ROWOFFSET":6,"N":7,"KSQL_INTERNAL_COL_5":0,"KSQL_OVER_VARIABLE_0":null,"KSQL_OVER_VARIABLE_1":null,"KSQL_OVER_VARIABLE_2":6,"KSQL_OVER_VARIABLE_3":7,"KSQL_OVER_HEADERS":null} @ 2s
