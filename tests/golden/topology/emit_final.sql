-- EMIT FINAL gives one row for each window, once its grace has passed.
CREATE STREAM clicks (id STRING KEY, n INT) WITH (kafka_topic='clicks', value_format='JSON', partitions=1);
CREATE TABLE hits AS SELECT id, COUNT(*) AS hits FROM clicks
  WINDOW TUMBLING (SIZE 10 SECONDS, GRACE PERIOD 5 SECONDS) GROUP BY id EMIT FINAL;
---- records
clicks a {"n":1} @ 1s  => nothing
clicks b {"n":1} @ 2s  => nothing
clicks a {"n":1} @ 12s => nothing  -- the first window is over, but not its grace
clicks a {"n":1} @ 3s  => nothing
clicks c {"n":1} @ 15s => HITS a [0s,10s) {"HITS":2} @ 3s  -- now it closes
                       => HITS b [0s,10s) {"HITS":1} @ 2s
clicks a {"n":1} @ 4s  => nothing  -- late
clicks c {"n":1} @ 25s => HITS a [10s,20s) {"HITS":1} @ 12s  -- and [10s,20s) as soon as stream time is past its grace
                       => HITS c [10s,20s) {"HITS":1} @ 15s
---- stores
CTAS_HITS_0-Aggregate-Aggregate-Materialize a [0s,10s) {"ID":"a","ROWTIME":3000,"KSQL_AGG_VARIABLE_0":2} @ 3s
CTAS_HITS_0-Aggregate-Aggregate-Materialize a [10s,20s) {"ID":"a","ROWTIME":12000,"KSQL_AGG_VARIABLE_0":1} @ 12s
CTAS_HITS_0-Aggregate-Aggregate-Materialize b [0s,10s) {"ID":"b","ROWTIME":2000,"KSQL_AGG_VARIABLE_0":1} @ 2s
CTAS_HITS_0-Aggregate-Aggregate-Materialize c [10s,20s) {"ID":"c","ROWTIME":15000,"KSQL_AGG_VARIABLE_0":1} @ 15s
CTAS_HITS_0-Aggregate-Aggregate-Materialize c [20s,30s) {"ID":"c","ROWTIME":25000,"KSQL_AGG_VARIABLE_0":1} @ 25s
