-- With a grace period rows wait until one has come that is later by it, of whatever key, and go on in the order of their time.
SET 'ksql.millstream.over.grace.ms'='2000';
CREATE STREAM readings (device STRING KEY, n INT) WITH (kafka_topic='readings', value_format='JSON', partitions=1);
CREATE STREAM steps AS SELECT device, n, LAG(n) OVER (PARTITION BY device ORDER BY rowtime) AS before FROM readings;
CREATE STREAM spans AS SELECT device, n, LEAD(n) OVER (PARTITION BY device ORDER BY rowtime) AS next FROM readings;
---- records
readings a {"n":3} @ 3s     => nothing
readings a {"n":1} @ 1s     => STEPS a {"N":1,"BEFORE":null} @ 1s  -- two seconds before, which is not too late
readings a {"n":2} @ 2s     => nothing
readings b {"n":9} @ 4s     => STEPS a {"N":2,"BEFORE":1} @ 2s  -- lets go what is two seconds older
                            => SPANS a {"N":1,"NEXT":2} @ 1s
readings b {"n":8} @ 3500ms => nothing
readings a {"n":5} @ 6s     => STEPS a {"N":3,"BEFORE":2} @ 3s
                            => STEPS b {"N":8,"BEFORE":null} @ 3500ms
                            => STEPS b {"N":9,"BEFORE":8} @ 4s
                            => SPANS a {"N":2,"NEXT":3} @ 2s
                            => SPANS b {"N":8,"NEXT":9} @ 3500ms
readings a {"n":4} @ 3s     => STEPS a {"N":4,"BEFORE":3} @ 3s  -- in time by its neighbours, as the row at 3s was given
                            => SPANS a {"N":3,"NEXT":4} @ 3s
readings a {"n":0} @ 2500ms => log: The row comes too late: its time is 2500, and that of the last row with its PARTITION BY is 3000. What is computed of it OVER rows is NULL. in ["a",0,0,7]  -- too late
                            => STEPS a {"N":0,"BEFORE":null} @ 2500ms
                            => log: The row comes too late: its time is 2500, and that of the last row with its PARTITION BY is 3000. What is computed of it OVER rows is NULL. in ["a",0,0,7]
                            => SPANS a {"N":0,"NEXT":null} @ 2500ms
readings b {"n":10} @ 20s   => STEPS a {"N":5,"BEFORE":4} @ 6s
                            => SPANS a {"N":4,"NEXT":5} @ 3s
---- stores
CSAS_STEPS_0-Over-LastRows a [0] {"KSQL_OVER_ROW":4,"N":5,"ROWPARTITION":0,"ROWOFFSET":5} @ 6s
CSAS_STEPS_0-Over-LastRows b [0] {"KSQL_OVER_ROW":1,"N":9,"ROWPARTITION":0,"ROWOFFSET":3} @ 4s
CSAS_STEPS_0-Over-HeldRows [2s, 0:2] a null @ 4s
CSAS_STEPS_0-Over-HeldRows [3s, 0:0] a null @ 6s
CSAS_STEPS_0-Over-HeldRows [3500ms, 0:4] b null @ 6s
CSAS_STEPS_0-Over-HeldRows [4s, 0:3] b null @ 6s
CSAS_STEPS_0-Over-HeldRows [6s, 0:5] a null @ 20s
CSAS_STEPS_0-Over-HeldRows [20s, 0:8] b {"DEVICE":"b","N":10,"ROWPARTITION":0,"ROWOFFSET":8,"KSQL_OVER_HEADERS":null} @ 20s
CSAS_SPANS_1-Over-LastRows a [0] {"KSQL_OVER_ROW":4,"DEVICE":"a","N":5,"ROWPARTITION":0,"ROWOFFSET":5,"KSQL_OVER_VARIABLE_0":null,"KSQL_OVER_HEADERS":null} @ 6s
CSAS_SPANS_1-Over-LastRows a [1] {"KSQL_OVER_ROW":3,"DEVICE":"a","N":4,"ROWPARTITION":0,"ROWOFFSET":6,"KSQL_OVER_VARIABLE_0":null,"KSQL_OVER_HEADERS":null} @ 3s
CSAS_SPANS_1-Over-LastRows b [0] {"KSQL_OVER_ROW":0,"DEVICE":"b","N":8,"ROWPARTITION":0,"ROWOFFSET":4,"KSQL_OVER_VARIABLE_0":null,"KSQL_OVER_HEADERS":null} @ 3500ms
CSAS_SPANS_1-Over-LastRows b [1] {"KSQL_OVER_ROW":1,"DEVICE":"b","N":9,"ROWPARTITION":0,"ROWOFFSET":3,"KSQL_OVER_VARIABLE_0":null,"KSQL_OVER_HEADERS":null} @ 4s
CSAS_SPANS_1-Over-HeldRows [2s, 0:2] a null @ 4s
CSAS_SPANS_1-Over-HeldRows [3s, 0:0] a null @ 6s
CSAS_SPANS_1-Over-HeldRows [3500ms, 0:4] b null @ 6s
CSAS_SPANS_1-Over-HeldRows [4s, 0:3] b null @ 6s
CSAS_SPANS_1-Over-HeldRows [6s, 0:5] a null @ 20s
CSAS_SPANS_1-Over-HeldRows [20s, 0:8] b {"DEVICE":"b","N":10,"ROWPARTITION":0,"ROWOFFSET":8,"KSQL_OVER_HEADERS":null} @ 20s
