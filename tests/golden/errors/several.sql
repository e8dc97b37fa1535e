-- Several faults of one statement, and none that only follows from another.
CREATE STREAM clicks (id VARCHAR KEY, page VARCHAR, ms BIGINT, ts TIMESTAMP, d DATE, ok BOOLEAN, price DECIMAL(6, 2),
  s STRUCT<name STRING, n INT>, tags ARRAY<STRING>, m MAP<STRING, INT>) WITH (KAFKA_TOPIC='clicks', VALUE_FORMAT='JSON');
CREATE STREAM a1 AS SELECT id, UCASE(ms) AS x, nope, MEDIAN(ms) AS m FROM clicks WHERE ms = '5' AND tag = 'x';
CREATE STREAM a2 AS SELECT id, x FROM a1 WHERE x = 5;
CREATE STREAM a3 AS SELECT id, x FROM a2;
CREATE TABLE a4 AS SELECT pge, SUM(page) AS s, COUNT(mss) AS n FROM clicks WHERE ms LIKE 'x' GROUP BY pge HAVING SUM(ms) > 'x';
CREATE STREAM a5 WITH (VALUE_FORMT='JSON', KAFKA_TOPIK='x') AS SELECT id, pag FROM clicks;
CREATE STREAM a6 (a TEXT, b INT, b INT, c FLOAT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON', PARTITIONS=1.5);
CREATE STREAM a7 (a INT, b STRING WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');
CREATE STREAM a8 AS SELECT a + b AS c FROM a7;
INSERT INTO a8 SELECT id, page FROM clicks;
CREATE TYPE point AS STRUCT<x FLOAT, y FLOAT>;
CREATE STREAM a9 (p point, q ARRAY<point>) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');
CREATE STREAM clicks (id INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');
CREATE STREAM b1 AS SELECT id, page FROM clicks;
CREATE STREAM b2 AS SELECT id, page FROM klicks;
INSERT INTO clicks SELECT id, page FROM clicks;
INSERT INTO clickz SELECT * FROM clicks;
CREATE STREAM b3 AS SELECT id, CAST(page AS INTEGR) AS x, CAST(ms AS VARCHR) AS y FROM clicks;
CREATE STREAM b4 AS SELECT id, IF(ms > 5, 'a', 'b') AS x, (ms > 5) + 1 AS y FROM clicks WHERE ROWTIM > 5;
---- check
error: Could not determine output schema for query due to error: Can't find any functions with the name 'MEDIAN'
--> script.sql:4:54
 4 | CREATE STREAM a1 AS SELECT id, UCASE(ms) AS x, nope, MEDIAN(ms) AS m FROM clicks WHERE ms = '5' AND tag = 'x';
   |                                                      ^^^^^^

error: Could not determine output schema for query due to error: Function 'ucase' does not accept parameters (BIGINT).
Valid alternatives are:
UCASE(VARCHAR input)
--> script.sql:4:38
 4 | CREATE STREAM a1 AS SELECT id, UCASE(ms) AS x, nope, MEDIAN(ms) AS m FROM clicks WHERE ms = '5' AND tag = 'x';
   |                                      ^^ ms is a BIGINT: UCASE takes a STRING here
help: write CAST(ms AS STRING)

error: Could not determine output schema for query due to error: Line: 4, Col: 48: SELECT column 'NOPE' cannot be resolved.
--> script.sql:4:48
 4 | CREATE STREAM a1 AS SELECT id, UCASE(ms) AS x, nope, MEDIAN(ms) AS m FROM clicks WHERE ms = '5' AND tag = 'x';
   |                                                ^^^^
help: columns: PAGE, MS, TS, D, OK, PRICE, S, TAGS, M, ROWTIME and 3 more

error: Could not determine output schema for query due to error: Error in WHERE expression
--> script.sql:4:88
 4 | CREATE STREAM a1 AS SELECT id, UCASE(ms) AS x, nope, MEDIAN(ms) AS m FROM clicks WHERE ms = '5' AND tag = 'x';
   |                                                                                        ^^^^^^^^ ms is a BIGINT and '5' a STRING
help: write 5 without quotes to compare numbers

error: Could not determine output schema for query due to error: Line: 4, Col: 101: WHERE column 'TAG' cannot be resolved.
--> script.sql:4:101
 4 | CREATE STREAM a1 AS SELECT id, UCASE(ms) AS x, nope, MEDIAN(ms) AS m FROM clicks WHERE ms = '5' AND tag = 'x';
   |                                                                                                     ^^^
help: did you mean TAGS?

error: Invalid Predicate: Line 1, Column 15: No applicable constructor/method found for actual parameters "java.lang.Long, java.lang.String"; candidates are: "default static boolean io.confluent.ksql.execution.codegen.helpers.LikeEvaluator.matches(java.lang.String, java.lang.String, java.util.Optional)", "public static boolean io.confluent.ksql.execution.codegen.helpers.LikeEvaluator.matches(java.lang.String, java.lang.String, char)", "public static boolean io.confluent.ksql.execution.codegen.helpers.LikeEvaluator.matches(java.lang.String, java.lang.String)".
--> script.sql:7:82
 7 | CREATE TABLE a4 AS SELECT pge, SUM(page) AS s, COUNT(mss) AS n FROM clicks WHERE ms LIKE 'x' GROUP BY pge HAVING SUM(ms) > 'x';
   |                                                                                  ^^^^^^^^^^^ ms is a BIGINT and 'x' a STRING: LIKE takes two STRINGs
help: write CAST(ms AS STRING) LIKE 'x'

error: Could not determine output schema for query due to error: Line: 7, Col: 27: SELECT column 'PGE' cannot be resolved.
--> script.sql:7:27
 7 | CREATE TABLE a4 AS SELECT pge, SUM(page) AS s, COUNT(mss) AS n FROM clicks WHERE ms LIKE 'x' GROUP BY pge HAVING SUM(ms) > 'x';
   |                           ^^^
help: did you mean PAGE?

error: Could not determine output schema for query due to error: Function 'SUM' does not accept parameters (STRING).
Valid alternatives are:
SUM(DECIMAL val1)
SUM(DOUBLE val1)
SUM(INT val1)
SUM(BIGINT val1)
--> script.sql:7:36
 7 | CREATE TABLE a4 AS SELECT pge, SUM(page) AS s, COUNT(mss) AS n FROM clicks WHERE ms LIKE 'x' GROUP BY pge HAVING SUM(ms) > 'x';
   |                                    ^^^^ page is a STRING: SUM takes a DECIMAL, a DOUBLE, an INTEGER or a BIGINT here
help: write CAST(page AS DOUBLE)

error: Could not determine output schema for query due to error: Line: 7, Col: 54: SELECT column 'MSS' cannot be resolved.
--> script.sql:7:54
 7 | CREATE TABLE a4 AS SELECT pge, SUM(page) AS s, COUNT(mss) AS n FROM clicks WHERE ms LIKE 'x' GROUP BY pge HAVING SUM(ms) > 'x';
   |                                                      ^^^
help: did you mean MS?

error: Could not determine output schema for query due to error: Line: 7, Col: 103: GROUP BY column 'PGE' cannot be resolved.
--> script.sql:7:103
 7 | CREATE TABLE a4 AS SELECT pge, SUM(page) AS s, COUNT(mss) AS n FROM clicks WHERE ms LIKE 'x' GROUP BY pge HAVING SUM(ms) > 'x';
   |                                                                                                       ^^^
help: did you mean PAGE?

error: Could not determine output schema for query due to error: Error in HAVING expression
--> script.sql:7:114
 7 | CREATE TABLE a4 AS SELECT pge, SUM(page) AS s, COUNT(mss) AS n FROM clicks WHERE ms LIKE 'x' GROUP BY pge HAVING SUM(ms) > 'x';
   |                                                                                                                  ^^^^^^^^^^^^^ SUM(ms) is a BIGINT and 'x' a STRING

error: Failed to prepare statement: Invalid config variable(s) in the WITH clause: KAFKA_TOPIK,VALUE_FORMT
--> script.sql:8:24
 8 | CREATE STREAM a5 WITH (VALUE_FORMT='JSON', KAFKA_TOPIK='x') AS SELECT id, pag FROM clicks;
   |                        ^^^^^^^^^^^ there is no VALUE_FORMT
   |                                            ^^^^^^^^^^^ there is no KAFKA_TOPIK
help: did you mean KAFKA_TOPIC?
help: did you mean VALUE_FORMAT?

error: Could not determine output schema for query due to error: Line: 8, Col: 75: SELECT column 'PAG' cannot be resolved.
--> script.sql:8:75
 8 | CREATE STREAM a5 WITH (VALUE_FORMT='JSON', KAFKA_TOPIK='x') AS SELECT id, pag FROM clicks;
   |                                                                           ^^^
help: did you mean PAGE?

error: Failed to prepare statement: Duplicate column names: `B`
--> script.sql:9:34
 9 | CREATE STREAM a6 (a TEXT, b INT, b INT, c FLOAT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON', PARTITIONS=1.5);
   |                                  ^

error: line 10:35: Syntax error at line 10:35
--> script.sql:10:35
 10 | CREATE STREAM a7 (a INT, b STRING WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');
    |                                   ^^^^ Expecting {',', ')'}
help: close what ( opened with )

error: Failed to prepare statement: Cannot resolve unknown type: FLOAT
--> script.sql:13:31
 13 | CREATE TYPE point AS STRUCT<x FLOAT, y FLOAT>;
    |                               ^^^^^
help: write DOUBLE

error: Failed to prepare statement: Cannot resolve unknown type: FLOAT
--> script.sql:13:40
 13 | CREATE TYPE point AS STRUCT<x FLOAT, y FLOAT>;
    |                                        ^^^^^
help: write DOUBLE

error: Cannot add stream 'CLICKS': A stream with the same name already exists
--> script.sql:15:15
 15 | CREATE STREAM clicks (id INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');
    |               ^^^^^^
help: give it another name; CREATE OR REPLACE changes what is there, IF NOT EXISTS leaves it as it is

error: Exception while preparing statement: KLICKS does not exist.
--> script.sql:17:42
 17 | CREATE STREAM b2 AS SELECT id, page FROM klicks;
    |                                          ^^^^^^
help: did you mean CLICKS?

error: Incompatible schema between results and sink.
Result schema is `ID` STRING KEY, `PAGE` STRING
Sink schema is `ID` STRING KEY, `PAGE` STRING, `MS` BIGINT, `TS` TIMESTAMP, `D` DATE, `OK` BOOLEAN, `PRICE` DECIMAL(6, 2), `S` STRUCT<`NAME` STRING, `N` INTEGER>, `TAGS` ARRAY<STRING>, `M` MAP<STRING, INTEGER>
--> script.sql:18:27
 18 | INSERT INTO clicks SELECT id, page FROM clicks;
    |                           ^^^^^^^^ here is 1 column, and 9 in the stream

error: Exception while preparing statement: Line: 19, Col: 13: Source `CLICKZ` does not exist.
--> script.sql:19:13
 19 | INSERT INTO clickz SELECT * FROM clicks;
    |             ^^^^^^
help: did you mean CLICKS?

error: Failed to prepare statement: Cannot resolve unknown type: INTEGR
--> script.sql:20:45
 20 | CREATE STREAM b3 AS SELECT id, CAST(page AS INTEGR) AS x, CAST(ms AS VARCHR) AS y FROM clicks;
    |                                             ^^^^^^
help: did you mean INTEGER?

error: Failed to prepare statement: Cannot resolve unknown type: VARCHR
--> script.sql:20:70
 20 | CREATE STREAM b3 AS SELECT id, CAST(page AS INTEGR) AS x, CAST(ms AS VARCHR) AS y FROM clicks;
    |                                                                      ^^^^^^
help: did you mean VARCHAR?

error: Could not determine output schema for query due to error: Can't find any functions with the name 'IF'
--> script.sql:21:32
 21 | CREATE STREAM b4 AS SELECT id, IF(ms > 5, 'a', 'b') AS x, (ms > 5) + 1 AS y FROM clicks WHERE ROWTIM > 5;
    |                                ^^
help: write CASE WHEN condition THEN a ELSE b END

error: Could not determine output schema for query due to error: Error processing expression.
--> script.sql:21:59
 21 | CREATE STREAM b4 AS SELECT id, IF(ms > 5, 'a', 'b') AS x, (ms > 5) + 1 AS y FROM clicks WHERE ROWTIM > 5;
    |                                                           ^^^^^^^^^^^^ (ms > 5) is a BOOLEAN and 1 an INTEGER: + takes two numbers or two STRINGs

error: Could not determine output schema for query due to error: Line: 21, Col: 95: WHERE column 'ROWTIM' cannot be resolved.
--> script.sql:21:95
 21 | CREATE STREAM b4 AS SELECT id, IF(ms > 5, 'a', 'b') AS x, (ms > 5) + 1 AS y FROM clicks WHERE ROWTIM > 5;
    |                                                                                               ^^^^^^
help: did you mean ROWTIME?

note: script.sql:5:1: not checked: the statement that makes A1 is faulty
note: script.sql:6:1: not checked: the statement that makes A2 is faulty
note: script.sql:11:1: not checked: the statement that makes A7 is faulty
note: script.sql:12:1: not checked: the statement that makes A8 is faulty
note: script.sql:14:1: not checked: the statement that makes POINT is faulty
assumed: topic clicks exists (--bootstrap-servers checks it)
script.sql: 12 statements are faulty
exit code 1
