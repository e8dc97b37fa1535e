-- A table's row that changes group is taken out of the old one and added to the new one.
CREATE TABLE employees (name STRING PRIMARY KEY, team STRING, pay INT) WITH (kafka_topic='employees', value_format='JSON', partitions=1);
CREATE TABLE teams AS SELECT team, COUNT(*) AS members, SUM(pay) AS cost FROM employees GROUP BY team;
---- records
employees ann {"team":"red","pay":100} @ 1s  => TEAMS red {"MEMBERS":1,"COST":100} @ 1s
employees bob {"team":"red","pay":50} @ 2s   => TEAMS red {"MEMBERS":2,"COST":150} @ 2s
employees ann {"team":"blue","pay":120} @ 3s => TEAMS red {"MEMBERS":1,"COST":50} @ 3s  -- leaves red, joins blue
                                             => TEAMS blue {"MEMBERS":1,"COST":120} @ 3s
employees bob {"team":"red","pay":60} @ 4s   => TEAMS red {"MEMBERS":0,"COST":0} @ 4s  -- a raise: out with 50, in with 60
                                             => TEAMS red {"MEMBERS":1,"COST":60} @ 4s
employees bob null @ 5s                      => TEAMS red {"MEMBERS":0,"COST":0} @ 5s  -- nobody is left in red
employees bob null @ 6s                      => nothing  -- was gone already
employees eve {"pay":1} @ 7s                 => log: Group-by column with index 0 resolved to null. The source row will be excluded from the table. in [null,7000,1]  -- without a team
---- stores
CTAS_TEAMS_0-KsqlTopic-Reduce ann {"TEAM":"blue","PAY":120,"ROWPARTITION":0,"ROWOFFSET":2} @ 3s
CTAS_TEAMS_0-KsqlTopic-Reduce bob null @ 6s
CTAS_TEAMS_0-KsqlTopic-Reduce eve {"TEAM":null,"PAY":1,"ROWPARTITION":0,"ROWOFFSET":6} @ 7s
CTAS_TEAMS_0-Aggregate-Aggregate-Materialize blue {"TEAM":"blue","ROWTIME":3000,"PAY":120,"KSQL_AGG_VARIABLE_0":1,"KSQL_AGG_VARIABLE_1":120} @ 3s
CTAS_TEAMS_0-Aggregate-Aggregate-Materialize red {"TEAM":"red","ROWTIME":5000,"PAY":60,"KSQL_AGG_VARIABLE_0":0,"KSQL_AGG_VARIABLE_1":0} @ 5s
