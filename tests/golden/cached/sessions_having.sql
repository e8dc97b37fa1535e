-- HAVING sees what a session was when it left the cache.
CREATE STREAM clicks (person STRING KEY, page STRING) WITH (kafka_topic='clicks', value_format='JSON', partitions=1);
CREATE TABLE readers AS SELECT person, COUNT(*) AS pages FROM clicks WINDOW SESSION (10 SECONDS) GROUP BY person HAVING COUNT(*) > 1;
---- records
clicks ann {"page":"home"} @ 0s => nothing
commit                          => nothing
clicks ann {"page":"home"} @ 0s => nothing  -- the same session: no bound moves
commit                          => READERS ann [0s,0s] {"PAGES":2} @ 0s
clicks ann {"page":"cart"} @ 5s => nothing
commit                          => READERS ann [0s,0s] null @ 0s
                                => READERS ann [0s,5s] {"PAGES":3} @ 5s
---- stores
CTAS_READERS_0-Aggregate-Aggregate-Materialize ann [0s,0s] null @ 5s
CTAS_READERS_0-Aggregate-Aggregate-Materialize ann [0s,5s] {"PERSON":"ann","ROWTIME":5000,"KSQL_AGG_VARIABLE_0":3,"KSQL_AGG_VARIABLE_1":3} @ 5s
