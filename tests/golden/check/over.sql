-- What cannot be computed OVER rows is refused with its place, the reason, and what helps.
CREATE STREAM s (id VARCHAR KEY, gt VARCHAR, n INT, seen BIGINT, day VARCHAR) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');
CREATE TABLE t (id VARCHAR PRIMARY KEY, n INT) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON');
CREATE STREAM w (id VARCHAR KEY, n INT) WITH (KAFKA_TOPIC='w', VALUE_FORMAT='JSON', WINDOW_TYPE='SESSION');
CREATE STREAM a1 AS SELECT id, LAG(gt) OVER (PARTITION BY id) FROM s;
CREATE STREAM a2 AS SELECT id, LAG(gt) OVER (ORDER BY rowtime) FROM s;
CREATE STREAM a3 AS SELECT id, LAG(gt) OVER (PARTITION BY id ORDER BY seen) FROM s;
CREATE STREAM a4 AS SELECT id, LAG(gt) OVER (PARTITION BY id ORDER BY day) FROM s;
CREATE STREAM a5 AS SELECT id, LAG(gt) OVER (PARTITION BY id ORDER BY n + 1) FROM s;
CREATE STREAM a6 AS SELECT id, LAG(gt) OVER (PARTITION BY id ORDER BY rowtime DESC) FROM s;
CREATE STREAM a7 AS SELECT id, LAG(gt) OVER (PARTITION BY id ORDER BY rowtime, n) FROM s;
CREATE STREAM b1 AS SELECT id, gt FROM s WHERE gt <> LAG(gt) OVER (PARTITION BY id ORDER BY rowtime);
CREATE STREAM b2 AS SELECT id, gt FROM s PARTITION BY LAG(gt) OVER (PARTITION BY id ORDER BY rowtime);
CREATE TABLE b3 AS SELECT id, COUNT(*), LAG(id) OVER (PARTITION BY id ORDER BY rowtime) FROM s GROUP BY id;
CREATE TABLE b4 AS SELECT id, LAG(n) OVER (PARTITION BY id ORDER BY rowtime) FROM t;
CREATE STREAM b5 AS SELECT id, LAG(n) OVER (PARTITION BY id ORDER BY rowtime) FROM w;
CREATE STREAM b6 AS SELECT s.id, LAG(s.n) OVER (PARTITION BY s.id ORDER BY s.rowtime) FROM s JOIN t ON s.id = t.id;
CREATE STREAM c1 AS SELECT id, LAG(n, -1) OVER (PARTITION BY id ORDER BY rowtime) FROM s;
CREATE STREAM c2 AS SELECT id, LAG(n, n) OVER (PARTITION BY id ORDER BY rowtime) FROM s;
CREATE STREAM c3 AS SELECT id, LEAD(n, 10001) OVER (PARTITION BY id ORDER BY rowtime) FROM s;
CREATE STREAM c4 AS SELECT id, LAG(n, 1, 'none') OVER (PARTITION BY id ORDER BY rowtime) FROM s;
CREATE STREAM c5 AS SELECT id, LAG() OVER (PARTITION BY id ORDER BY rowtime) FROM s;
CREATE STREAM c6 AS SELECT id, LAG(NULL) OVER (PARTITION BY id ORDER BY rowtime) FROM s;
CREATE STREAM c7 AS SELECT id, LAG(LAG(n) OVER (PARTITION BY id ORDER BY rowtime)) OVER (PARTITION BY id ORDER BY rowtime) FROM s;
CREATE STREAM c8 AS SELECT id, LAG(SUM(n)) OVER (PARTITION BY id ORDER BY rowtime) FROM s;
CREATE STREAM c9 AS SELECT id, LAG(nn) OVER (PARTITION BY id ORDER BY rowtime) FROM s;
CREATE STREAM d1 AS SELECT id, LAG(n) OVER (PARTITION BY id ORDER BY rowtime ROWS 3 PRECEDING) FROM s;
CREATE STREAM d2 AS SELECT id, SUM(n) OVER (PARTITION BY id ORDER BY rowtime) FROM s;
CREATE STREAM d3 AS SELECT id, SUM(n) OVER (PARTITION BY id ORDER BY rowtime ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING) FROM s;
CREATE STREAM d4 AS SELECT id, SUM(n) OVER (PARTITION BY id ORDER BY rowtime ROWS 10000 PRECEDING) FROM s;
CREATE STREAM d5 AS SELECT id, UCASE(gt) OVER (PARTITION BY id ORDER BY rowtime ROWS 1 PRECEDING) FROM s;
CREATE STREAM d6 AS SELECT id, ROW_NUMBER() OVER (PARTITION BY id ORDER BY rowtime) FROM s;
CREATE STREAM d7 AS SELECT id, SUM(gt) OVER (PARTITION BY id ORDER BY rowtime ROWS 1 PRECEDING) FROM s;
CREATE STREAM e1 AS SELECT id, LEAD(n) OVER (PARTITION BY id ORDER BY rowtime), LEAD(n) OVER (PARTITION BY gt ORDER BY rowtime) FROM s;
CREATE STREAM e2 AS SELECT id, LAG(gt) OVER (PARTITION BY id ORDER BY rowtime) + 1 FROM s;
CREATE STREAM e3 AS SELECT id, LAG(gt) FROM s;
---- check
error: LAG OVER needs an ORDER BY, which says which rows come before
--> script.sql:5:40
 5 | CREATE STREAM a1 AS SELECT id, LAG(gt) OVER (PARTITION BY id) FROM s;
   |                                        ^^^^^^^^^^^^^^^^^^^^^^
help: ORDER BY ROWTIME

error: LAG OVER needs a PARTITION BY, which says whose rows it looks at
--> script.sql:6:40
 6 | CREATE STREAM a2 AS SELECT id, LAG(gt) OVER (ORDER BY rowtime) FROM s;
   |                                        ^^^^^^^^^^^^^^^^^^^^^^^
help: OVER (PARTITION BY key ORDER BY ROWTIME)

error: rows come in the order of their time, and SEEN is not what gives it
--> script.sql:7:71
 7 | CREATE STREAM a3 AS SELECT id, LAG(gt) OVER (PARTITION BY id ORDER BY seen) FROM s;
   |                                                                       ^^^^
help: ORDER BY ROWTIME, or CREATE STREAM S … WITH (TIMESTAMP='SEEN'), so that SEEN gives rows their time

error: rows come in the order of their time, and DAY is not what gives it
--> script.sql:8:71
 8 | CREATE STREAM a4 AS SELECT id, LAG(gt) OVER (PARTITION BY id ORDER BY day) FROM s;
   |                                                                       ^^^
help: ORDER BY ROWTIME, or CREATE STREAM S … WITH (TIMESTAMP='DAY', TIMESTAMP_FORMAT='…'), so that DAY gives rows their time

error: rows come in the order of their time, and (N + 1) is not what gives it
--> script.sql:9:71
 9 | CREATE STREAM a5 AS SELECT id, LAG(gt) OVER (PARTITION BY id ORDER BY n + 1) FROM s;
   |                                                                       ^^^^^
help: ORDER BY ROWTIME

error: rows come in the order of their time, so that OVER cannot begin with the last
--> script.sql:10:71
 10 | CREATE STREAM a6 AS SELECT id, LAG(gt) OVER (PARTITION BY id ORDER BY rowtime DESC) FROM s;
    |                                                                       ^^^^^^^
help: leave out DESC: LAG looks at the rows before, and LEAD at those after

error: rows come in the order of their time and then as they are in their topic
--> script.sql:11:80
 11 | CREATE STREAM a7 AS SELECT id, LAG(gt) OVER (PARTITION BY id ORDER BY rowtime, n) FROM s;
    |                                                                                ^
help: ORDER BY ROWTIME alone

error: OVER cannot stand in WHERE, only in SELECT
--> script.sql:12:62
 12 | CREATE STREAM b1 AS SELECT id, gt FROM s WHERE gt <> LAG(gt) OVER (PARTITION BY id ORDER BY rowtime);
    |                                                              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
help: select it in a statement of its own, CREATE STREAM … AS SELECT, and name its column in the WHERE of a second one

error: OVER cannot stand in PARTITION BY, only in SELECT
--> script.sql:13:63
 13 | CREATE STREAM b2 AS SELECT id, gt FROM s PARTITION BY LAG(gt) OVER (PARTITION BY id ORDER BY rowtime);
    |                                                               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
help: select it in a statement of its own, CREATE STREAM … AS SELECT, and name its column in the PARTITION BY of a second one

error: OVER cannot stand beside GROUP BY
--> script.sql:14:49
 14 | CREATE TABLE b3 AS SELECT id, COUNT(*), LAG(id) OVER (PARTITION BY id ORDER BY rowtime) FROM s GROUP BY id;
    |                                                 ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
help: use OVER in a statement of its own, CREATE STREAM … AS SELECT, and GROUP BY in a second one over its result

error: OVER looks at the rows of a stream, and T is a table
--> script.sql:15:38
 15 | CREATE TABLE b4 AS SELECT id, LAG(n) OVER (PARTITION BY id ORDER BY rowtime) FROM t;
    |                                      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
help: CREATE STREAM … WITH (KAFKA_TOPIC=…) over the topic of the table makes a row of each of its changes

error: OVER looks at the rows of a stream without windows, and the keys of W have some
--> script.sql:16:39
 16 | CREATE STREAM b5 AS SELECT id, LAG(n) OVER (PARTITION BY id ORDER BY rowtime) FROM w;
    |                                       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
help: CREATE STREAM … AS SELECT … PARTITION BY … makes a stream of it whose keys have none

error: OVER looks at the rows of one stream, and this is a join
--> script.sql:17:43
 17 | CREATE STREAM b6 AS SELECT s.id, LAG(s.n) OVER (PARTITION BY s.id ORDER BY s.rowtime) FROM s JOIN t ON s.id = t.id;
    |                                           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
help: join in a statement of its own, CREATE STREAM … AS SELECT, and use OVER in a second one over its result

error: LAG takes a whole number of rows, not -1
--> script.sql:18:39
 18 | CREATE STREAM c1 AS SELECT id, LAG(n, -1) OVER (PARTITION BY id ORDER BY rowtime) FROM s;
    |                                       ^^
help: LAG(value, 1)

error: LAG takes a whole number of rows, not N
--> script.sql:19:39
 19 | CREATE STREAM c2 AS SELECT id, LAG(n, n) OVER (PARTITION BY id ORDER BY rowtime) FROM s;
    |                                       ^
help: LAG(value, 1)

error: LEAD OVER looks at 10000 rows at most
--> script.sql:20:40
 20 | CREATE STREAM c3 AS SELECT id, LEAD(n, 10001) OVER (PARTITION BY id ORDER BY rowtime) FROM s;
    |                                        ^^^^^
help: so many are kept of each key; an aggregate may take all: ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW

error: the value of LAG has the type INTEGER, and its default STRING
--> script.sql:21:42
 21 | CREATE STREAM c4 AS SELECT id, LAG(n, 1, 'none') OVER (PARTITION BY id ORDER BY rowtime) FROM s;
    |                                          ^^^^^^
help: CAST('none' AS INTEGER)

error: LAG takes a value, a number of rows and a default, not 0 arguments
--> script.sql:22:32
 22 | CREATE STREAM c5 AS SELECT id, LAG() OVER (PARTITION BY id ORDER BY rowtime) FROM s;
    |                                ^^^
help: LAG(value[, rows[, default]])

error: the value of LAG is only NULL, which has no type
--> script.sql:23:36
 23 | CREATE STREAM c6 AS SELECT id, LAG(NULL) OVER (PARTITION BY id ORDER BY rowtime) FROM s;
    |                                    ^^^^
help: CAST(NULL AS type)

error: LAG OVER takes what is computed of one row, and LAG is not
--> script.sql:24:36
 24 | CREATE STREAM c7 AS SELECT id, LAG(LAG(n) OVER (PARTITION BY id ORDER BY rowtime)) OVER (PARTITION BY id ORDER BY rowtime) FROM s;
    |                                    ^^^
help: compute LAG in a statement of its own first

error: LAG OVER takes what is computed of one row, and SUM is not
--> script.sql:25:36
 25 | CREATE STREAM c8 AS SELECT id, LAG(SUM(n)) OVER (PARTITION BY id ORDER BY rowtime) FROM s;
    |                                    ^^^
help: compute SUM in a statement of its own first

error: Could not determine output schema for query due to error: Line: 26, Col: 36: SELECT column 'NN' cannot be resolved.
--> script.sql:26:36
 26 | CREATE STREAM c9 AS SELECT id, LAG(nn) OVER (PARTITION BY id ORDER BY rowtime) FROM s;
    |                                    ^^
help: columns: GT, N, SEEN, DAY, ROWTIME, ROWPARTITION, ROWOFFSET, ID

error: LAG looks at one row, so that it takes no ROWS
--> script.sql:27:83
 27 | CREATE STREAM d1 AS SELECT id, LAG(n) OVER (PARTITION BY id ORDER BY rowtime ROWS 3 PRECEDING) FROM s;
    |                                                                                   ^^^^^^^^^^^
help: LAG(value, rows) says which one

error: SUM OVER needs to be told which rows it takes
--> script.sql:28:39
 28 | CREATE STREAM d2 AS SELECT id, SUM(n) OVER (PARTITION BY id ORDER BY rowtime) FROM s;
    |                                       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
help: ROWS BETWEEN 9 PRECEDING AND CURRENT ROW takes the last ten, UNBOUNDED PRECEDING all

error: the rows of SUM OVER end with the current one
--> script.sql:29:83
 29 | CREATE STREAM d3 AS SELECT id, SUM(n) OVER (PARTITION BY id ORDER BY rowtime ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING) FROM s;
    |                                                                                   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
help: ROWS BETWEEN … PRECEDING AND CURRENT ROW

error: SUM OVER looks at 10000 rows at most
--> script.sql:30:83
 30 | CREATE STREAM d4 AS SELECT id, SUM(n) OVER (PARTITION BY id ORDER BY rowtime ROWS 10000 PRECEDING) FROM s;
    |                                                                                   ^^^^^^^^^^^^^^^
help: so many are kept of each key; an aggregate may take all: ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW

error: UCASE is computed of one row, so that it takes no OVER
--> script.sql:31:32
 31 | CREATE STREAM d5 AS SELECT id, UCASE(gt) OVER (PARTITION BY id ORDER BY rowtime ROWS 1 PRECEDING) FROM s;
    |                                ^^^^^
help: OVER takes LAG, LEAD and aggregates

error: Can't find any functions with the name 'ROW_NUMBER'
--> script.sql:32:32
 32 | CREATE STREAM d6 AS SELECT id, ROW_NUMBER() OVER (PARTITION BY id ORDER BY rowtime) FROM s;
    |                                ^^^^^^^^^^
help: OVER takes LAG, LEAD and aggregates

error: Could not determine output schema for query due to error: Function 'SUM' does not accept parameters (STRING).
Valid alternatives are:
SUM(DECIMAL val1)
SUM(DOUBLE val1)
SUM(INT val1)
SUM(BIGINT val1)
--> script.sql:33:36
 33 | CREATE STREAM d7 AS SELECT id, SUM(gt) OVER (PARTITION BY id ORDER BY rowtime ROWS 1 PRECEDING) FROM s;
    |                                    ^^ gt is a STRING: SUM takes a DECIMAL, a DOUBLE, an INTEGER or a BIGINT here
help: write CAST(gt AS DOUBLE)

error: LEAD with two different PARTITION BYs cannot stand in one SELECT: rows that have waited for one are no longer in the order of their time for the other
--> script.sql:34:89
 34 | CREATE STREAM e1 AS SELECT id, LEAD(n) OVER (PARTITION BY id ORDER BY rowtime), LEAD(n) OVER (PARTITION BY gt ORDER BY rowtime) FROM s;
    |                                                                                         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
help: one statement for each, the second with ksql.millstream.over.grace.ms

error: Could not determine output schema for query due to error: Error processing expression.
--> script.sql:35:32
 35 | CREATE STREAM e2 AS SELECT id, LAG(gt) OVER (PARTITION BY id ORDER BY rowtime) + 1 FROM s;
    |                                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ LAG(gt) OVER (PARTITION BY id ORDER BY r… is a STRING and 1 an INTEGER: + takes two numbers or two STRINGs
help: write LAG(gt) OVER (PARTITION BY id ORDER BY r… + CAST(1 AS STRING) to join texts, CAST(LAG(gt) OVER (PARTITION BY id ORDER BY r… AS INTEGER) + 1 to add numbers

error: Could not determine output schema for query due to error: Can't find any functions with the name 'LAG'
--> script.sql:36:32
 36 | CREATE STREAM e3 AS SELECT id, LAG(gt) FROM s;
    |                                ^^^
help: LAG OVER (PARTITION BY key ORDER BY ROWTIME)

assumed: topic s exists (--bootstrap-servers checks it)
assumed: topic t exists (--bootstrap-servers checks it)
assumed: topic w exists (--bootstrap-servers checks it)
script.sql: 32 statements are faulty
exit code 1
