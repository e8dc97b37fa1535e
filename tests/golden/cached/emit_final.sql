-- A window that closes is emitted, also by the record that fills the cache.
CREATE STREAM pings (id VARCHAR KEY, n BIGINT) WITH (kafka_topic='pings', value_format='JSON', partitions=1);
CREATE TABLE pinged AS SELECT id, SUM(n) AS n FROM pings
    WINDOW TUMBLING (SIZE 10 SECONDS, GRACE PERIOD 0 SECONDS) GROUP BY id EMIT FINAL;
---- records
pings a {"n":1} @ 1s  => nothing
pings b {"n":2} @ 2s  => nothing
pings c {"n":3} @ 15s => PINGED a [0s,10s) {"N":1} @ 1s
                      => PINGED b [0s,10s) {"N":2} @ 2s
---- stores
CTAS_PINGED_0-Aggregate-Aggregate-Materialize a [0s,10s) {"ID":"a","N":1,"KSQL_AGG_VARIABLE_0":1} @ 1s
