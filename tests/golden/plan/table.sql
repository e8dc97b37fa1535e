-- Queries over a table: it is kept in a store, and grouping it goes through a topic.
CREATE TABLE employees (name STRING PRIMARY KEY, team STRING, pay INT) WITH (kafka_topic='employees', value_format='JSON', partitions=1);
CREATE TABLE paid AS SELECT name, pay FROM employees WHERE pay > 0;
CREATE TABLE teams AS SELECT team, COUNT(*) AS members, SUM(pay) AS cost FROM employees GROUP BY team;
---- plan
CTAS_PAID_0
source  EMPLOYEES: TABLE on employees, KAFKA keys, JSON values
        `NAME` STRING KEY, `TEAM` STRING, `PAY` INTEGER
step 1  KsqlTopic.Source reads a table into KsqlTopic-Reduce
        `NAME` STRING KEY, `TEAM` STRING, `PAY` INTEGER, `ROWTIME` BIGINT, `ROWPARTITION` INTEGER, `ROWOFFSET` BIGINT, `NAME` STRING
step 2  WhereFilter keeps rows for which (PAY > 0)
        `NAME` STRING KEY, `TEAM` STRING, `PAY` INTEGER, `ROWTIME` BIGINT, `ROWPARTITION` INTEGER, `ROWOFFSET` BIGINT, `NAME` STRING
step 3  Project selects PAY
        `NAME` STRING KEY, `PAY` INTEGER
sink    PAID: TABLE on PAID, KAFKA keys, JSON values
        `NAME` STRING KEY, `PAY` INTEGER

CTAS_TEAMS_1
source  EMPLOYEES: TABLE on employees, KAFKA keys, JSON values
        `NAME` STRING KEY, `TEAM` STRING, `PAY` INTEGER
step 1  KsqlTopic.Source reads a table into KsqlTopic-Reduce
        `NAME` STRING KEY, `TEAM` STRING, `PAY` INTEGER, `ROWTIME` BIGINT, `ROWPARTITION` INTEGER, `ROWOFFSET` BIGINT, `NAME` STRING
step 2  Aggregate.Prepare selects TEAM, ROWTIME, PAY
        `NAME` STRING KEY, `TEAM` STRING, `ROWTIME` BIGINT, `PAY` INTEGER
step 3  Aggregate.GroupBy groups by TEAM
        `TEAM` STRING KEY, `TEAM` STRING, `ROWTIME` BIGINT, `PAY` INTEGER
step 4  Aggregate.GroupBy goes through Aggregate-GroupBy-repartition, KAFKA keys, JSON values
        `TEAM` STRING KEY, `TEAM` STRING, `ROWTIME` BIGINT, `PAY` INTEGER
step 5  Aggregate.Aggregate aggregates COUNT(ROWTIME), SUM(PAY) into Aggregate-Aggregate-Materialize, KAFKA keys, JSON values
        `TEAM` STRING KEY, `TEAM` STRING, `ROWTIME` BIGINT, `PAY` INTEGER, `KSQL_AGG_VARIABLE_0` BIGINT, `KSQL_AGG_VARIABLE_1` INTEGER
step 6  Aggregate.Project selects KSQL_AGG_VARIABLE_0 AS MEMBERS, KSQL_AGG_VARIABLE_1 AS COST
        `TEAM` STRING KEY, `MEMBERS` BIGINT, `COST` INTEGER
sink    TEAMS: TABLE on TEAMS, KAFKA keys, JSON values
        `TEAM` STRING KEY, `MEMBERS` BIGINT, `COST` INTEGER
