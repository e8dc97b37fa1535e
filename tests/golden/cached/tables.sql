-- A table's rows are counted by team; the teams that wait are those that the cache can hold.
CREATE TABLE employees (name STRING PRIMARY KEY, team STRING) WITH (kafka_topic='employees', value_format='JSON', partitions=1);
CREATE TABLE teams AS SELECT team, COUNT(*) AS members FROM employees GROUP BY team;
---- records
employees ann {"team":"red"} @ 1s   => nothing
employees bob {"team":"red"} @ 2s   => nothing
employees cid {"team":"blue"} @ 3s  => nothing
employees ann {"team":"green"} @ 4s => TEAMS blue {"MEMBERS":1} @ 3s  -- blue waited longest
employees bob null @ 5s             => nothing
commit                              => TEAMS green {"MEMBERS":1} @ 4s
                                    => TEAMS red {"MEMBERS":0} @ 5s
---- stores
CTAS_TEAMS_0-KsqlTopic-Reduce ann {"TEAM":"green","ROWPARTITION":0,"ROWOFFSET":3} @ 4s
CTAS_TEAMS_0-KsqlTopic-Reduce bob null @ 5s
CTAS_TEAMS_0-KsqlTopic-Reduce cid {"TEAM":"blue","ROWPARTITION":0,"ROWOFFSET":2} @ 3s
CTAS_TEAMS_0-Aggregate-Aggregate-Materialize blue {"TEAM":"blue","ROWTIME":3000,"KSQL_AGG_VARIABLE_0":1} @ 3s
CTAS_TEAMS_0-Aggregate-Aggregate-Materialize green {"TEAM":"green","ROWTIME":4000,"KSQL_AGG_VARIABLE_0":1} @ 4s
CTAS_TEAMS_0-Aggregate-Aggregate-Materialize red {"TEAM":"red","ROWTIME":5000,"KSQL_AGG_VARIABLE_0":0} @ 5s
