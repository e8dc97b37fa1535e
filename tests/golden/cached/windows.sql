-- Windows wait like groups.
CREATE STREAM pings (id VARCHAR KEY, n BIGINT) WITH (kafka_topic='pings', value_format='JSON', partitions=1);
CREATE TABLE pinged AS SELECT id, SUM(n) AS n FROM pings WINDOW TUMBLING (SIZE 10 SECONDS) GROUP BY id;
---- records
pings a {"n":1} @ 1s  => nothing
pings a {"n":2} @ 2s  => nothing
pings b {"n":3} @ 3s  => nothing
pings a {"n":4} @ 15s => PINGED a [0s,10s) {"N":3} @ 2s  -- a third window
commit                => PINGED b [0s,10s) {"N":3} @ 3s
                      => PINGED a [10s,20s) {"N":4} @ 15s
---- stores
CTAS_PINGED_0-Aggregate-Aggregate-Materialize a [0s,10s) {"ID":"a","N":2,"KSQL_AGG_VARIABLE_0":3} @ 2s
CTAS_PINGED_0-Aggregate-Aggregate-Materialize a [10s,20s) {"ID":"a","N":4,"KSQL_AGG_VARIABLE_0":4} @ 15s
CTAS_PINGED_0-Aggregate-Aggregate-Materialize b [0s,10s) {"ID":"b","N":3,"KSQL_AGG_VARIABLE_0":3} @ 3s
