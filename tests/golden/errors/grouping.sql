-- Groups, windows, keys and what may stand beside them.
CREATE STREAM clicks (id VARCHAR KEY, page VARCHAR, ms BIGINT, ts TIMESTAMP, d DATE, ok BOOLEAN, price DECIMAL(6, 2),
  s STRUCT<name STRING, n INT>, tags ARRAY<STRING>, m MAP<STRING, INT>) WITH (KAFKA_TOPIC='clicks', VALUE_FORMAT='JSON');
CREATE TABLE users (id VARCHAR PRIMARY KEY, name VARCHAR, level INT) WITH (KAFKA_TOPIC='users', VALUE_FORMAT='JSON');
CREATE TABLE a1 AS SELECT page, ms, tags, COUNT(*) AS n FROM clicks GROUP BY page;
CREATE TABLE a2 AS SELECT page, COUNT(*) AS n FROM clicks GROUP BY page HAVING ms > 5;
CREATE TABLE a3 AS SELECT page, COUNT(*) AS n FROM clicks GROUP BY page HAVING COUNT(*) > 'x';
CREATE TABLE a4 AS SELECT page, COUNT(*) AS n FROM clicks GROUP BY page HAVING COUNT(*);
CREATE TABLE a5 AS SELECT page AS p, COUNT(*) AS n FROM clicks GROUP BY p;
CREATE TABLE a6 AS SELECT page AS p, COUNT(*) AS n FROM clicks GROUP BY page HAVING n > 1;
CREATE STREAM a7 AS SELECT id, ms * 2 AS double FROM clicks WHERE double > 5;
CREATE TABLE a8 AS SELECT COUNT(*) AS n FROM clicks GROUP BY page;
CREATE TABLE a9 AS SELECT page, page AS again, COUNT(*) AS n FROM clicks GROUP BY page;
CREATE STREAM b1 AS SELECT page FROM clicks;
CREATE STREAM b2 AS SELECT id FROM clicks;
CREATE STREAM b3 AS SELECT id, id AS copy, page FROM clicks;
CREATE STREAM b4 AS SELECT id, page, ms AS page FROM clicks;
CREATE STREAM b5 AS SELECT id, page AS rowtime FROM clicks;
CREATE STREAM b6 AS SELECT page, ms FROM clicks PARTITION BY id;
CREATE TABLE b7 AS SELECT id, name FROM users PARTITION BY name;
CREATE STREAM b8 AS SELECT page, COUNT(*) AS n FROM clicks GROUP BY page;
CREATE TABLE b9 AS SELECT id, page FROM clicks;
CREATE STREAM c1 AS SELECT id, page FROM clicks GROUP BY page;
CREATE STREAM c2 AS SELECT id, page FROM clicks HAVING ms > 1;
CREATE STREAM c3 AS SELECT id, page FROM clicks WINDOW TUMBLING (SIZE 1 HOUR);
CREATE TABLE c4 AS SELECT page, COUNT(*) AS n FROM clicks GROUP BY page EMIT FINAL;
CREATE TABLE c5 AS SELECT page, COUNT(*) AS n FROM clicks WINDOW TUMBLING (SIZE 0 HOURS) GROUP BY page;
CREATE TABLE c6 AS SELECT page, COUNT(*) AS n FROM clicks WINDOW HOPPING (SIZE 1 HOUR, ADVANCE BY 2 HOURS) GROUP BY page;
CREATE TABLE c7 AS SELECT page, COUNT(*) AS n FROM clicks WINDOW TUMBLING (SIZE 2 HOURS, RETENTION 1 HOUR) GROUP BY page;
CREATE TABLE c8 AS SELECT page, COUNT(*) AS n FROM clicks GROUP BY page PARTITION BY page;
CREATE TABLE c9 AS SELECT level, LATEST_BY_OFFSET(name) AS n, MAX(level) AS top FROM users GROUP BY level;
CREATE TABLE d1 AS SELECT m, COUNT(*) AS n FROM clicks GROUP BY m;
CREATE TABLE d2 AS SELECT page, COUNT(*) AS n FROM clicks GROUP BY page, page;
CREATE STREAM d3 AS SELECT id, page FROM clicks LIMIT 5;
CREATE STREAM d4 AS SELECT id, page FROM clicks PARTITION BY id, NULL;
CREATE TABLE d5 AS SELECT level, COUNT(*) AS n FROM users WINDOW TUMBLING (SIZE 1 HOUR) GROUP BY level;
---- check
error: Could not determine output schema for query due to error: Non-aggregate SELECT expression(s) not part of GROUP BY: MS, TAGS
Either add the column(s) to the GROUP BY or remove them from the SELECT.
--> script.sql:5:33
 5 | CREATE TABLE a1 AS SELECT page, ms, tags, COUNT(*) AS n FROM clicks GROUP BY page;
   |                                 ^^ of which row of a group? It is neither grouped nor aggregated
   |                                     ^^^^ of which row of a group? It is neither grouped nor aggregated
help: add MS to GROUP BY, or take the latest with LATEST_BY_OFFSET(MS)

error: Could not determine output schema for query due to error: Non-aggregate HAVING expression not part of GROUP BY: MS
Consider switching the HAVING clause to a WHERE clause before the GROUP BY.
--> script.sql:6:80
 6 | CREATE TABLE a2 AS SELECT page, COUNT(*) AS n FROM clicks GROUP BY page HAVING ms > 5;
   |                                                                                ^^ of which row of a group? It is neither grouped nor aggregated

error: Could not determine output schema for query due to error: Error in HAVING expression
--> script.sql:7:80
 7 | CREATE TABLE a3 AS SELECT page, COUNT(*) AS n FROM clicks GROUP BY page HAVING COUNT(*) > 'x';
   |                                                                                ^^^^^^^^^^^^^^ COUNT(*) is a BIGINT and 'x' a STRING

error: Could not determine output schema for query due to error: Type error in HAVING expression: Should evaluate to boolean but is (BIGINT) instead.
--> script.sql:8:80
 8 | CREATE TABLE a4 AS SELECT page, COUNT(*) AS n FROM clicks GROUP BY page HAVING COUNT(*);
   |                                                                                ^^^^^^^^ this is a BIGINT, not a condition
help: compare it with a value, as in … = … or … > …

error: Could not determine output schema for query due to error: Line: 9, Col: 73: GROUP BY column 'P' cannot be resolved.
--> script.sql:9:73
 9 | CREATE TABLE a5 AS SELECT page AS p, COUNT(*) AS n FROM clicks GROUP BY p;
   |                                                                         ^
help: P is a name that SELECT gives, which GROUP BY does not see: write page

error: Could not determine output schema for query due to error: Non-aggregate HAVING expression not part of GROUP BY: N
Consider switching the HAVING clause to a WHERE clause before the GROUP BY.
--> script.sql:10:85
 10 | CREATE TABLE a6 AS SELECT page AS p, COUNT(*) AS n FROM clicks GROUP BY page HAVING n > 1;
    |                                                                                     ^ of which row of a group? It is neither grouped nor aggregated
help: N is a name that SELECT gives, which HAVING does not see: write COUNT(*)

error: Could not determine output schema for query due to error: Line: 11, Col: 67: WHERE column 'DOUBLE' cannot be resolved.
--> script.sql:11:67
 11 | CREATE STREAM a7 AS SELECT id, ms * 2 AS double FROM clicks WHERE double > 5;
    |                                                                   ^^^^^^
help: DOUBLE is a name that SELECT gives, which WHERE does not see: write ms * 2

error: Could not determine output schema for query due to error: Key missing from projection (ie, SELECT). 
The query used to build `A8` must include the grouping expression PAGE in its projection (eg, SELECT PAGE...).
--> script.sql:12:27
 12 | CREATE TABLE a8 AS SELECT COUNT(*) AS n FROM clicks GROUP BY page;
    |                           ^^^^^^^^^^^^^ PAGE is not selected

error: Could not determine output schema for query due to error: The projection contains a key column more than once: `PAGE` and `AGAIN`.
Each key column must only be in the projection once. If you intended to copy the key into the value, then consider using the `AS_VALUE` function to indicate which key reference should be copied.
--> script.sql:13:33
 13 | CREATE TABLE a9 AS SELECT page, page AS again, COUNT(*) AS n FROM clicks GROUP BY page;
    |                                 ^^^^^^^^^^^^^ the key is selected as PAGE already

error: Could not determine output schema for query due to error: Key missing from projection (ie, SELECT). 
The query used to build `B1` must include the key column ID in its projection (eg, SELECT ID...).
--> script.sql:14:28
 14 | CREATE STREAM b1 AS SELECT page FROM clicks;
    |                            ^^^^ ID is not selected

error: Could not determine output schema for query due to error: The projection contains no value columns.
--> script.sql:15:28
 15 | CREATE STREAM b2 AS SELECT id FROM clicks;
    |                            ^^ all of this is the key
help: select another column; AS_VALUE(column) copies one of the key

error: Could not determine output schema for query due to error: The projection contains a key column (`ID`) more than once, aliased as: COPY and ID.
Each key column must only be in the projection once. If you intended to copy the key into the value, then consider using the `AS_VALUE` function to indicate which key reference should be copied.
--> script.sql:16:32
 16 | CREATE STREAM b3 AS SELECT id, id AS copy, page FROM clicks;
    |                                ^^^^^^^^^^ the key is selected as ID already

error: Could not determine output schema for query due to error: Duplicate value columns found in schema: `PAGE` BIGINT
--> script.sql:17:38
 17 | CREATE STREAM b4 AS SELECT id, page, ms AS page FROM clicks;
    |                                      ^^^^^^^^^^ PAGE is selected already
help: give one of them another name with AS

error: Could not determine output schema for query due to error: `ROWTIME` is a reserved column name. You cannot use it as an alias for a column.
--> script.sql:18:40
 18 | CREATE STREAM b5 AS SELECT id, page AS rowtime FROM clicks;
    |                                        ^^^^^^^

error: Could not determine output schema for query due to error: Key missing from projection (ie, SELECT). 
The query used to build `B6` must include the partitioning expression CLICKS.ID in its projection (eg, SELECT CLICKS.ID...).
--> script.sql:19:28
 19 | CREATE STREAM b6 AS SELECT page, ms FROM clicks PARTITION BY id;
    |                            ^^^^^^^^ CLICKS.ID is not selected

error: Could not determine output schema for query due to error: PARTITION BY is not supported for tables, only for streams.
--> script.sql:20:60
 20 | CREATE TABLE b7 AS SELECT id, name FROM users PARTITION BY name;
    |                                                            ^^^^

error: Could not determine output schema for query due to error: Invalid result type. Your SELECT query produces a TABLE. Please use CREATE TABLE AS SELECT statement instead.
--> script.sql:21:15
 21 | CREATE STREAM b8 AS SELECT page, COUNT(*) AS n FROM clicks GROUP BY page;
    |               ^^ the query groups rows or reads tables only: its rows change
help: write CREATE TABLE B8 …

error: Could not determine output schema for query due to error: Invalid result type. Your SELECT query produces a STREAM. Please use CREATE STREAM AS SELECT statement instead.
--> script.sql:22:14
 22 | CREATE TABLE b9 AS SELECT id, page FROM clicks;
    |              ^^ the query gives facts, which do not change
help: write CREATE STREAM B9 …

error: Could not determine output schema for query due to error: GROUP BY requires aggregate functions in either the SELECT or HAVING clause.
--> script.sql:23:58
 23 | CREATE STREAM c1 AS SELECT id, page FROM clicks GROUP BY page;
    |                                                          ^^^^ nothing is counted or summed
help: select an aggregate such as COUNT(*), or write PARTITION BY to give rows another key

error: Could not determine output schema for query due to error: Line: 24, Col: 56: HAVING clause requires a GROUP BY clause.
--> script.sql:24:56
 24 | CREATE STREAM c2 AS SELECT id, page FROM clicks HAVING ms > 1;
    |                                                        ^^^^^^
help: write WHERE for a condition on each row, or add GROUP BY

error: Could not determine output schema for query due to error: Line: 25, Col: 56: WINDOW clause requires a GROUP BY clause.
--> script.sql:25:56
 25 | CREATE STREAM c3 AS SELECT id, page FROM clicks WINDOW TUMBLING (SIZE 1 HOUR);
    |                                                        ^^^^^^^^^^^^^^^^^^^^^^
help: add GROUP BY with what is to be counted apart in each window

error: Could not determine output schema for query due to error: EMIT FINAL is only supported for windowed aggregations.
--> script.sql:26:73
 26 | CREATE TABLE c4 AS SELECT page, COUNT(*) AS n FROM clicks GROUP BY page EMIT FINAL;
    |                                                                         ^^^^^^^^^^ without a WINDOW, a result is never final
help: write EMIT CHANGES, or add a WINDOW

error: Could not determine output schema for query due to error: Size must be positive
--> script.sql:27:81
 27 | CREATE TABLE c5 AS SELECT page, COUNT(*) AS n FROM clicks WINDOW TUMBLING (SIZE 0 HOURS) GROUP BY page;
    |                                                                                 ^^^^^^^

error: Window advancement interval should be more than zero and less than window duration which is 3600000 ms, but given advancement interval is: 7200000 ms
--> script.sql:28:99
 28 | CREATE TABLE c6 AS SELECT page, COUNT(*) AS n FROM clicks WINDOW HOPPING (SIZE 1 HOUR, ADVANCE BY 2 HOURS) GROUP BY page;
    |                                                                                                   ^^^^^^^

error: The retention period of the window store Aggregate-Prepare must be no smaller than its window size plus the grace period. Got size=[7200000], grace=[79200000], retention=[3600000]
--> script.sql:29:100
 29 | CREATE TABLE c7 AS SELECT page, COUNT(*) AS n FROM clicks WINDOW TUMBLING (SIZE 2 HOURS, RETENTION 1 HOUR) GROUP BY page;
    |                                                                                                    ^^^^^^ results are kept for less than the window and its grace period, which makes a day
help: keep them longer, or give the window a shorter GRACE PERIOD

error: Could not determine output schema for query due to error: Only one of PARTITION BY or GROUP BY may be used in a query.
--> script.sql:30:86
 30 | CREATE TABLE c8 AS SELECT page, COUNT(*) AS n FROM clicks GROUP BY page PARTITION BY page;
    |                                                                                      ^^^^ GROUP BY makes the key already

error: Could not determine output schema for query due to error: The aggregation functions LATEST_BY_OFFSET and MAX cannot be applied to a table source, only to a stream source.
--> script.sql:31:34
 31 | CREATE TABLE c9 AS SELECT level, LATEST_BY_OFFSET(name) AS n, MAX(level) AS top FROM users GROUP BY level;
    |                                  ^^^^^^^^^^^^^^^^^^^^^^ rows of a table change, which this aggregate cannot take back
    |                                                               ^^^^^^^^^^ rows of a table change, which this aggregate cannot take back

error: Map keys, including types that contain maps, are not supported as they may lead to unexpected behavior due to inconsistent serialization. Key column name: `M`. Column type: MAP<STRING, INTEGER>. See https://github.com/confluentinc/ksql/issues/6621 for more.
--> script.sql:32:65
 32 | CREATE TABLE d1 AS SELECT m, COUNT(*) AS n FROM clicks GROUP BY m;
    |                                                                 ^

error: Exception while preparing statement: Duplicate GROUP BY expression: CLICKS.PAGE
--> script.sql:33:74
 33 | CREATE TABLE d2 AS SELECT page, COUNT(*) AS n FROM clicks GROUP BY page, page;
    |                                                                          ^^^^ rows are grouped by this already

error: Failed to prepare statement: CREATE STREAM AS SELECT statements don't support LIMIT clause.
--> script.sql:34:49
 34 | CREATE STREAM d3 AS SELECT id, page FROM clicks LIMIT 5;
    |                                                 ^^^^^^^

error: Could not determine output schema for query due to error: Cannot PARTITION BY multiple columns including NULL
--> script.sql:35:66
 35 | CREATE STREAM d4 AS SELECT id, page FROM clicks PARTITION BY id, NULL;
    |                                                                  ^^^^ NULL alone takes the key away

error: Could not determine output schema for query due to error: Windowing not supported for table aggregations.
--> script.sql:36:66
 36 | CREATE TABLE d5 AS SELECT level, COUNT(*) AS n FROM users WINDOW TUMBLING (SIZE 1 HOUR) GROUP BY level;
    |                                                                  ^^^^^^^^^^^^^^^^^^^^^^ a table has one row for each key, at any time

assumed: topic clicks exists (--bootstrap-servers checks it)
assumed: topic users exists (--bootstrap-servers checks it)
script.sql: 32 statements are faulty
exit code 1
