-- A record out of order counts until its window's grace has passed; then it is late.
CREATE STREAM clicks (id STRING KEY, n INT) WITH (kafka_topic='clicks', value_format='JSON', partitions=1);
CREATE TABLE hits AS SELECT id, COUNT(*) AS hits, SUM(n) AS total FROM clicks
  WINDOW TUMBLING (SIZE 10 SECONDS, GRACE PERIOD 5 SECONDS) GROUP BY id;
---- records
clicks a {"n":1} @ 1s  => HITS a [0s,10s) {"HITS":1,"TOTAL":1} @ 1s
clicks a {"n":1} @ 14s => HITS a [10s,20s) {"HITS":1,"TOTAL":1} @ 14s
clicks a {"n":1} @ 9s  => HITS a [0s,10s) {"HITS":2,"TOTAL":2} @ 9s  -- out of order, but its window is open until 15s
clicks b {"n":7} @ 9s  => HITS b [0s,10s) {"HITS":1,"TOTAL":7} @ 9s  -- windows close with the partition's time, whatever the key
clicks a {"n":1} @ 15s => HITS a [10s,20s) {"HITS":2,"TOTAL":2} @ 15s
clicks a {"n":1} @ 9s  => nothing  -- late: the window [0s,10s) is closed
clicks a null @ 16s    => CTAS_HITS_0 stops: Cannot invoke "io.confluent.ksql.GenericRow.get(int)" because "<parameter2>" is null
---- stores
CTAS_HITS_0-Aggregate-Aggregate-Materialize a [0s,10s) {"ID":"a","ROWTIME":9000,"N":1,"KSQL_AGG_VARIABLE_0":2,"KSQL_AGG_VARIABLE_1":2} @ 9s
CTAS_HITS_0-Aggregate-Aggregate-Materialize a [10s,20s) {"ID":"a","ROWTIME":15000,"N":1,"KSQL_AGG_VARIABLE_0":2,"KSQL_AGG_VARIABLE_1":2} @ 15s
CTAS_HITS_0-Aggregate-Aggregate-Materialize b [0s,10s) {"ID":"b","ROWTIME":9000,"N":7,"KSQL_AGG_VARIABLE_0":1,"KSQL_AGG_VARIABLE_1":7} @ 9s
