-- With a cache, rows that others look back on are logged with the commit: once for each place, and not at all if they came and went.
CREATE STREAM readings (device STRING KEY, n INT) WITH (kafka_topic='readings', value_format='JSON', partitions=1);
CREATE STREAM steps AS SELECT device, n, LAG(n, 2) OVER (PARTITION BY device ORDER BY rowtime) AS before,
    SUM(n) OVER (PARTITION BY device ORDER BY rowtime ROWS UNBOUNDED PRECEDING) AS total FROM readings;
SET 'ksql.millstream.over.grace.ms'='1000';
CREATE STREAM spans AS SELECT device, n, LEAD(n) OVER (PARTITION BY device ORDER BY rowtime) AS next FROM readings;
---- records
readings a {"n":1} @ 1s     => STEPS a {"N":1,"BEFORE":null,"TOTAL":1} @ 1s
readings a {"n":2} @ 2s     => STEPS a {"N":2,"BEFORE":null,"TOTAL":3} @ 2s
readings a {"n":3} @ 3s     => STEPS a {"N":3,"BEFORE":1,"TOTAL":6} @ 3s
                            => SPANS a {"N":1,"NEXT":2} @ 1s
readings b {"n":7} @ 2500ms => STEPS b {"N":7,"BEFORE":null,"TOTAL":7} @ 2500ms
commit                      => nothing
readings a {"n":4} @ 4s     => STEPS a {"N":4,"BEFORE":2,"TOTAL":10} @ 4s
                            => SPANS a {"N":2,"NEXT":3} @ 2s
readings c {"n":0} @ 4s     => STEPS c {"N":0,"BEFORE":null,"TOTAL":0} @ 4s
commit                      => nothing
readings a {"n":5} @ 6s     => STEPS a {"N":5,"BEFORE":3,"TOTAL":15} @ 6s
                            => SPANS a {"N":3,"NEXT":4} @ 3s
readings b {"n":8} @ 6s     => STEPS b {"N":8,"BEFORE":null,"TOTAL":15} @ 6s
commit                      => nothing
commit                      => nothing
---- stores
CSAS_STEPS_0-Over-LastRows a [0] {"KSQL_OVER_ROW":4,"N":5,"ROWPARTITION":0,"ROWOFFSET":6,"KSQL_OVER_STATE_0":15} @ 6s
CSAS_STEPS_0-Over-LastRows a [1] {"KSQL_OVER_ROW":3,"N":4,"ROWPARTITION":0,"ROWOFFSET":4,"KSQL_OVER_STATE_0":10} @ 4s
CSAS_STEPS_0-Over-LastRows b [0] {"KSQL_OVER_ROW":0,"N":7,"ROWPARTITION":0,"ROWOFFSET":3,"KSQL_OVER_STATE_0":7} @ 2500ms
CSAS_STEPS_0-Over-LastRows b [1] {"KSQL_OVER_ROW":1,"N":8,"ROWPARTITION":0,"ROWOFFSET":7,"KSQL_OVER_STATE_0":15} @ 6s
CSAS_STEPS_0-Over-LastRows c [0] {"KSQL_OVER_ROW":0,"N":0,"ROWPARTITION":0,"ROWOFFSET":5,"KSQL_OVER_STATE_0":0} @ 4s
CSAS_SPANS_1-Over-LastRows a [0] {"KSQL_OVER_ROW":2,"DEVICE":"a","N":3,"ROWPARTITION":0,"ROWOFFSET":2,"KSQL_OVER_VARIABLE_0":null,"KSQL_OVER_HEADERS":null} @ 3s
CSAS_SPANS_1-Over-LastRows a [1] {"KSQL_OVER_ROW":3,"DEVICE":"a","N":4,"ROWPARTITION":0,"ROWOFFSET":4,"KSQL_OVER_VARIABLE_0":null,"KSQL_OVER_HEADERS":null} @ 4s
CSAS_SPANS_1-Over-LastRows b [0] {"KSQL_OVER_ROW":0,"DEVICE":"b","N":7,"ROWPARTITION":0,"ROWOFFSET":3,"KSQL_OVER_VARIABLE_0":null,"KSQL_OVER_HEADERS":null} @ 2500ms
CSAS_SPANS_1-Over-LastRows c [0] {"KSQL_OVER_ROW":0,"DEVICE":"c","N":0,"ROWPARTITION":0,"ROWOFFSET":5,"KSQL_OVER_VARIABLE_0":null,"KSQL_OVER_HEADERS":null} @ 4s
CSAS_SPANS_1-Over-HeldRows [2500ms, 0:3] b null @ 4s
CSAS_SPANS_1-Over-HeldRows [3s, 0:2] a null @ 4s
CSAS_SPANS_1-Over-HeldRows [4s, 0:4] a null @ 6s
CSAS_SPANS_1-Over-HeldRows [4s, 0:5] c null @ 6s
CSAS_SPANS_1-Over-HeldRows [6s, 0:6] a {"DEVICE":"a","N":5,"ROWPARTITION":0,"ROWOFFSET":6,"KSQL_OVER_HEADERS":null} @ 6s
CSAS_SPANS_1-Over-HeldRows [6s, 0:7] b {"DEVICE":"b","N":8,"ROWPARTITION":0,"ROWOFFSET":7,"KSQL_OVER_HEADERS":null} @ 6s
