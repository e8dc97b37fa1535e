-- A key is forgotten once a row has come that is later than its last one by more than the retention; what still waits is given.
SET 'ksql.millstream.over.retention.ms'='10000';
CREATE STREAM readings (device STRING KEY, n INT) WITH (kafka_topic='readings', value_format='JSON', partitions=1);
CREATE STREAM steps AS SELECT device, n, LAG(n, 1, -1) OVER (PARTITION BY device ORDER BY rowtime) AS before,
    COUNT(*) OVER (PARTITION BY device ORDER BY rowtime ROWS UNBOUNDED PRECEDING) AS seen FROM readings;
CREATE STREAM spans AS SELECT device, n, LEAD(n, 2, n * 100) OVER (PARTITION BY device ORDER BY rowtime) AS second,
    LEAD(n) OVER (PARTITION BY device ORDER BY rowtime) AS next FROM readings;
---- records
readings a {"n":1} @ 1s     => STEPS a {"N":1,"BEFORE":-1,"SEEN":1} @ 1s
readings b {"n":5} @ 2s     => STEPS b {"N":5,"BEFORE":-1,"SEEN":1} @ 2s
readings a {"n":2} @ 3s     => STEPS a {"N":2,"BEFORE":1,"SEEN":2} @ 3s
readings b {"n":6} @ 13s    => STEPS b {"N":6,"BEFORE":-1,"SEEN":1} @ 13s  -- ten seconds after the last of a, which is kept
                            => SPANS b {"N":5,"SECOND":500,"NEXT":null} @ 2s
readings c {"n":9} @ 14s    => STEPS c {"N":9,"BEFORE":-1,"SEEN":1} @ 14s  -- a is gone, b is not
                            => SPANS a {"N":1,"SECOND":100,"NEXT":2} @ 1s
                            => SPANS a {"N":2,"SECOND":200,"NEXT":null} @ 3s
readings a {"n":3} @ 5s     => STEPS a {"N":3,"BEFORE":-1,"SEEN":1} @ 5s  -- a is as good as new
readings a {"n":4} @ 3s     => log: The row comes too late: its time is 3000, and that of the last row with its PARTITION BY is 5000. What is computed of it OVER rows is NULL. in ["a",4,0,6,-1,3000]  -- may follow what is forgotten
                            => STEPS a {"N":4,"BEFORE":null,"SEEN":null} @ 3s
                            => log: The row comes too late: its time is 3000, and that of the last row with its PARTITION BY is 5000. What is computed of it OVER rows is NULL. in ["a",4,0,6,400]
                            => SPANS a {"N":4,"SECOND":null,"NEXT":null} @ 3s
readings d {"n":8} @ 3500ms => log: The row comes too late: its time is 3500, and rows from before 4000 are forgotten. What is computed of it OVER rows is NULL. in ["d",8,0,7,-1,3500]
                            => STEPS d {"N":8,"BEFORE":null,"SEEN":null} @ 3500ms
                            => log: The row comes too late: its time is 3500, and rows from before 4000 are forgotten. What is computed of it OVER rows is NULL. in ["d",8,0,7,800]
                            => SPANS d {"N":8,"SECOND":null,"NEXT":null} @ 3500ms
readings a {"n":4} @ 30s    => STEPS a {"N":4,"BEFORE":-1,"SEEN":1} @ 30s  -- all others are gone
                            => SPANS a {"N":3,"SECOND":300,"NEXT":null} @ 5s
                            => SPANS b {"N":6,"SECOND":600,"NEXT":null} @ 13s
                            => SPANS c {"N":9,"SECOND":900,"NEXT":null} @ 14s
readings b {"n":7} @ 31s    => STEPS b {"N":7,"BEFORE":-1,"SEEN":1} @ 31s
---- stores
CSAS_STEPS_0-Over-LastRows a [0] {"KSQL_OVER_ROW":0,"N":4,"ROWPARTITION":0,"ROWOFFSET":8,"KSQL_OVER_STATE_0":1} @ 30s
CSAS_STEPS_0-Over-LastRows b [0] {"KSQL_OVER_ROW":0,"N":7,"ROWPARTITION":0,"ROWOFFSET":9,"KSQL_OVER_STATE_0":1} @ 31s
CSAS_STEPS_0-Over-LastRows c [0] null @ 30s
CSAS_SPANS_1-Over-LastRows a [0] {"KSQL_OVER_ROW":0,"DEVICE":"a","N":4,"ROWPARTITION":0,"ROWOFFSET":8,"KSQL_INTERNAL_COL_4":400,"KSQL_OVER_VARIABLE_0":null,"KSQL_OVER_VARIABLE_1":null,"KSQL_OVER_HEADERS":null} @ 30s
CSAS_SPANS_1-Over-LastRows a [1] null @ 14s
CSAS_SPANS_1-Over-LastRows b [0] {"KSQL_OVER_ROW":0,"DEVICE":"b","N":7,"ROWPARTITION":0,"ROWOFFSET":9,"KSQL_INTERNAL_COL_4":700,"KSQL_OVER_VARIABLE_0":null,"KSQL_OVER_VARIABLE_1":null,"KSQL_OVER_HEADERS":null} @ 31s
CSAS_SPANS_1-Over-LastRows c [0] null @ 30s
