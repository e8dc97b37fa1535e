-- LAG is the value that a row before had, of those with the same PARTITION BY; a row that is older than one before it has NULL.
CREATE STREAM readings (device STRING KEY, gt STRING, x INT) WITH (kafka_topic='readings', value_format='JSON', partitions=1);
CREATE STREAM steps AS SELECT device, gt, LAG(gt) OVER (PARTITION BY device ORDER BY ROWTIME) AS before,
    x - LAG(x, 2, 100) OVER (PARTITION BY device ORDER BY ROWTIME) AS gained
  FROM readings WHERE x > 0;
CREATE STREAM transitions AS SELECT device, before, gt FROM steps WHERE before <> gt;
---- records
readings a {"gt":"sit","x":1} @ 1s    => STEPS a {"GT":"sit","BEFORE":null,"GAINED":-99} @ 1s
readings b {"gt":"run","x":5} @ 1s    => STEPS b {"GT":"run","BEFORE":null,"GAINED":-95} @ 1s
readings a {"gt":"walk","x":2} @ 2s   => STEPS a {"GT":"walk","BEFORE":"sit","GAINED":-98} @ 2s
                                      => TRANSITIONS a {"BEFORE":"sit","GT":"walk"} @ 2s
readings a {"gt":"stand","x":0} @ 3s  => nothing
readings a {"gt":"walk","x":4} @ 4s   => STEPS a {"GT":"walk","BEFORE":"walk","GAINED":3} @ 4s
readings b {"gt":null,"x":7} @ 4s     => STEPS b {"GT":null,"BEFORE":"run","GAINED":-93} @ 4s
readings a {"gt":"sit","x":9} @ 3s    => log: The row comes too late: its time is 3000, and that of the last row with its PARTITION BY is 4000. What is computed of it OVER rows is NULL. in ["a","sit",9,0,6,100]  -- older than the one before
                                      => log: Error computing expression (X - KSQL_OVER_VARIABLE_1) for column GAINED with index 2; Cannot invoke "java.lang.Integer.intValue()" because the return value of "java.util.Map.get(Object)" is null in ["a","sit",9,0,6,100,null,null]
                                      => STEPS a {"GT":"sit","BEFORE":null,"GAINED":null} @ 3s
readings a {"gt":"sit","x":9} @ 4s    => STEPS a {"GT":"sit","BEFORE":"walk","GAINED":7} @ 4s  -- as old
                                      => TRANSITIONS a {"BEFORE":"walk","GT":"sit"} @ 4s
readings b {"gt":"sit","x":null} @ 5s => nothing
readings null {"gt":"sit","x":3} @ 6s => log: The PARTITION BY column of OVER with index 0 is NULL. The row is left out. in [null,"sit",3,0,9,100]  -- no key
readings b {"gt":"sit","x":3} @ 6s    => STEPS b {"GT":"sit","BEFORE":null,"GAINED":-2} @ 6s
readings a null @ 7s                  => nothing
readings a {"gt":"sit","x":10} @ 8s   => STEPS a {"GT":"sit","BEFORE":"sit","GAINED":6} @ 8s
---- stores
CSAS_STEPS_0-Over-LastRows a [0] {"KSQL_OVER_ROW":4,"GT":"sit","X":10,"ROWPARTITION":0,"ROWOFFSET":12} @ 8s
CSAS_STEPS_0-Over-LastRows a [1] {"KSQL_OVER_ROW":3,"GT":"sit","X":9,"ROWPARTITION":0,"ROWOFFSET":7} @ 4s
CSAS_STEPS_0-Over-LastRows b [0] {"KSQL_OVER_ROW":2,"GT":"sit","X":3,"ROWPARTITION":0,"ROWOFFSET":10} @ 6s
CSAS_STEPS_0-Over-LastRows b [1] {"KSQL_OVER_ROW":1,"GT":null,"X":7,"ROWPARTITION":0,"ROWOFFSET":5} @ 4s
