-- An entry of the processing log shows the row that failed, as ksqlDB's log prints it: also what an aggregation gave.
CREATE STREAM readings (device STRING KEY, day DATE, place STRUCT<room STRING, floor INT>, x INT) WITH (kafka_topic='readings', value_format='JSON', partitions=1);
CREATE TABLE ratios AS SELECT device, LATEST_BY_OFFSET(day) AS day, LATEST_BY_OFFSET(place) AS place, SUM(x) AS total FROM readings GROUP BY device HAVING 10 / SUM(x) > 1;
---- records
readings a {"day":1,"place":{"room":"hall","floor":2},"x":5} @ 1s  => log: Error evaluating predicate ((10 / KSQL_AGG_VARIABLE_3) > 1); / by zero in [null,null,null,null,null,null,0,0]
                                                                   => RATIOS a {"DAY":1,"PLACE":{"ROOM":"hall","FLOOR":2},"TOTAL":5} @ 1s
readings a {"day":2,"place":{"room":"hall","floor":2},"x":-5} @ 2s => log: Error evaluating predicate ((10 / KSQL_AGG_VARIABLE_3) > 1); / by zero in ["a",172800000,{"ROOM":"hall","FLOOR":2},-5,172800000,{"ROOM":"hall","FLOOR":2},0,0]
                                                                   => RATIOS a null @ 2s
---- stores
CTAS_RATIOS_0-Aggregate-Aggregate-Materialize a {"DEVICE":"a","DAY":2,"PLACE":{"ROOM":"hall","FLOOR":2},"X":-5,"KSQL_AGG_VARIABLE_0":{"SEQ":4,"VAL":2},"KSQL_AGG_VARIABLE_1":{"SEQ":5,"VAL":{"ROOM":"hall","FLOOR":2}},"KSQL_AGG_VARIABLE_2":0,"KSQL_AGG_VARIABLE_3":0} @ 2s
