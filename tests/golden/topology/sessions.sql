-- A record that falls between two sessions makes one of them; what they said before is deleted.
CREATE STREAM clicks (person STRING KEY, page STRING) WITH (kafka_topic='clicks', value_format='JSON', partitions=1);
CREATE TABLE visits AS SELECT person, COUNT(*) AS pages, COLLECT_LIST(page) AS path FROM clicks
  WINDOW SESSION (10 SECONDS, GRACE PERIOD 1 MINUTE) GROUP BY person;
---- records
clicks ann {"page":"home"} @ 0s   => VISITS ann [0s,0s] {"PAGES":1,"PATH":["home"]} @ 0s
clicks ann {"page":"cart"} @ 5s   => VISITS ann [0s,0s] null @ 0s  -- the session grows
                                  => VISITS ann [0s,5s] {"PAGES":2,"PATH":["home","cart"]} @ 5s
clicks ann {"page":"pay"} @ 20s   => VISITS ann [20s,20s] {"PAGES":1,"PATH":["pay"]} @ 20s  -- the gap is longer: another session
clicks ann {"page":"help"} @ 13s  => VISITS ann [0s,5s] null @ 5s  -- within 10 s of both
                                  => VISITS ann [20s,20s] null @ 20s
                                  => VISITS ann [0s,20s] {"PAGES":4,"PATH":["home","cart","pay","help"]} @ 20s
clicks bob {"page":"home"} @ 100s => VISITS bob [100s,100s] {"PAGES":1,"PATH":["home"]} @ 100s
clicks ann {"page":"home"} @ 21s  => nothing  -- late, the grace of its session is over
---- stores
CTAS_VISITS_0-Aggregate-Aggregate-Materialize ann [0s,0s] null @ 5s
CTAS_VISITS_0-Aggregate-Aggregate-Materialize ann [0s,5s] null @ 13s
CTAS_VISITS_0-Aggregate-Aggregate-Materialize ann [0s,20s] {"PERSON":"ann","ROWTIME":13000,"PAGE":"help","KSQL_AGG_VARIABLE_0":4,"KSQL_AGG_VARIABLE_1":["home","cart","pay","help"]} @ 13s
CTAS_VISITS_0-Aggregate-Aggregate-Materialize ann [20s,20s] null @ 13s
CTAS_VISITS_0-Aggregate-Aggregate-Materialize bob [100s,100s] {"PERSON":"bob","ROWTIME":100000,"PAGE":"home","KSQL_AGG_VARIABLE_0":1,"KSQL_AGG_VARIABLE_1":["home"]} @ 100s
