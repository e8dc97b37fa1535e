-- A session that grew before it left the cache leaves no trace; one that had left it is deleted.
CREATE STREAM clicks (person STRING KEY, page STRING) WITH (kafka_topic='clicks', value_format='JSON', partitions=1);
CREATE TABLE visits AS SELECT person, COUNT(*) AS pages FROM clicks WINDOW SESSION (10 SECONDS) GROUP BY person;
---- records
clicks ann {"page":"home"} @ 0s => nothing
clicks ann {"page":"cart"} @ 5s => nothing
commit                          => VISITS ann [0s,5s] {"PAGES":2} @ 5s  -- the first click's own session is not mentioned
clicks ann {"page":"pay"} @ 8s  => nothing
commit                          => VISITS ann [0s,5s] null @ 5s  -- it is now, as it had been told
                                => VISITS ann [0s,8s] {"PAGES":3} @ 8s
clicks ann {"page":"help"} @ 8s => nothing
clicks bob {"page":"home"} @ 9s => nothing
clicks cid {"page":"home"} @ 9s => VISITS ann [0s,8s] {"PAGES":4} @ 8s  -- one more than the cache holds
                                => VISITS bob [9s,9s] {"PAGES":1} @ 9s
                                => VISITS cid [9s,9s] {"PAGES":1} @ 9s
commit                          => nothing
---- stores
CTAS_VISITS_0-Aggregate-Aggregate-Materialize ann [0s,5s] null @ 8s
CTAS_VISITS_0-Aggregate-Aggregate-Materialize ann [0s,8s] {"PERSON":"ann","ROWTIME":8000,"KSQL_AGG_VARIABLE_0":4} @ 8s
CTAS_VISITS_0-Aggregate-Aggregate-Materialize bob [9s,9s] {"PERSON":"bob","ROWTIME":9000,"KSQL_AGG_VARIABLE_0":1} @ 9s
CTAS_VISITS_0-Aggregate-Aggregate-Materialize cid [9s,9s] {"PERSON":"cid","ROWTIME":9000,"KSQL_AGG_VARIABLE_0":1} @ 9s
