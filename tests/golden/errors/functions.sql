-- Calls that mean no function: its name, its arguments, and where aggregates may stand.
CREATE STREAM clicks (id VARCHAR KEY, page VARCHAR, ms BIGINT, ts TIMESTAMP, d DATE, ok BOOLEAN, price DECIMAL(6, 2),
  s STRUCT<name STRING, n INT>, tags ARRAY<STRING>, m MAP<STRING, INT>) WITH (KAFKA_TOPIC='clicks', VALUE_FORMAT='JSON');
CREATE STREAM a1 AS SELECT id, UCASSE(page) AS x FROM clicks;
CREATE STREAM a2 AS SELECT id, UPPERCASE(page) AS a, LENGTH(page) AS b, NVL(page, '') AS c, NOW() AS e FROM clicks;
CREATE STREAM a3 AS SELECT id, UCASE(ms) AS x FROM clicks;
CREATE STREAM a4 AS SELECT id, SUBSTRING(page) AS a, SUBSTRING(page, 'x') AS b, LEN(page, 5) AS c FROM clicks;
CREATE STREAM a5 AS SELECT id, DATEADD(DAY, 1, d) AS a, DATEADD(DAYS, 1, ms) AS b, ROUND(ms, 2, 3) AS c FROM clicks;
CREATE STREAM a6 AS SELECT id, GREATEST(1, ms) AS a, CONCAT(page, ms) AS b, SPLIT(tags, ',') AS c FROM clicks;
CREATE STREAM a7 AS SELECT id, TRANSFORM(page, x => x) AS a, FILTER(tags, x => x) AS b, REDUCE(tags, 0, x => x) AS c FROM clicks;
CREATE STREAM a8 AS SELECT id, EXPLODE(page) AS a FROM clicks;
CREATE STREAM a9 AS SELECT id, EXPLODE(EXPLODE(ARRAY[tags])) AS a FROM clicks;
CREATE TABLE b1 AS SELECT page, MEDIAN(ms) AS x FROM clicks GROUP BY page;
CREATE TABLE b2 AS SELECT page, FIRST(ms) AS a, STDDEV(ms) AS b, ARRAY_AGG(ms) AS c FROM clicks GROUP BY page;
CREATE TABLE b3 AS SELECT page, AVG(price) AS a, SUM(page) AS b, TOPK(ms) AS c FROM clicks GROUP BY page;
CREATE TABLE b4 AS SELECT page, SUM(COUNT(*)) AS x FROM clicks GROUP BY page;
CREATE TABLE b5 AS SELECT page, TOPK(ms, ms) AS x FROM clicks GROUP BY page;
CREATE TABLE b6 AS SELECT page, COUNT(*) AS n FROM clicks GROUP BY COUNT(*);
CREATE STREAM b7 AS SELECT id, page FROM clicks WHERE COUNT(*) > 1;
CREATE STREAM b8 AS SELECT id, COUNT(*) AS n FROM clicks;
CREATE TABLE b9 AS SELECT page, EXPLODE(tags) AS tag, COUNT(*) AS n FROM clicks GROUP BY page;
CREATE STREAM c1 AS SELECT id, DATE_FORMAT(ts, 'yyyy') AS y, TO_DATE(page) AS z, IF_NULL(page, '') AS n FROM clicks;
---- check
error: Could not determine output schema for query due to error: Can't find any functions with the name 'UCASSE'
--> script.sql:4:32
 4 | CREATE STREAM a1 AS SELECT id, UCASSE(page) AS x FROM clicks;
   |                                ^^^^^^
help: did you mean UCASE?

error: Could not determine output schema for query due to error: Can't find any functions with the name 'UPPERCASE'
--> script.sql:5:32
 5 | CREATE STREAM a2 AS SELECT id, UPPERCASE(page) AS a, LENGTH(page) AS b, NVL(page, '') AS c, NOW() AS e FROM clicks;
   |                                ^^^^^^^^^
help: write UCASE

error: Could not determine output schema for query due to error: Can't find any functions with the name 'LENGTH'
--> script.sql:5:54
 5 | CREATE STREAM a2 AS SELECT id, UPPERCASE(page) AS a, LENGTH(page) AS b, NVL(page, '') AS c, NOW() AS e FROM clicks;
   |                                                      ^^^^^^
help: write LEN

error: Could not determine output schema for query due to error: Can't find any functions with the name 'NVL'
--> script.sql:5:73
 5 | CREATE STREAM a2 AS SELECT id, UPPERCASE(page) AS a, LENGTH(page) AS b, NVL(page, '') AS c, NOW() AS e FROM clicks;
   |                                                                         ^^^
help: write IFNULL

error: Could not determine output schema for query due to error: Can't find any functions with the name 'NOW'
--> script.sql:5:93
 5 | CREATE STREAM a2 AS SELECT id, UPPERCASE(page) AS a, LENGTH(page) AS b, NVL(page, '') AS c, NOW() AS e FROM clicks;
   |                                                                                             ^^^
help: write UNIX_TIMESTAMP(), or FROM_UNIXTIME(UNIX_TIMESTAMP()) for a TIMESTAMP

error: Could not determine output schema for query due to error: Function 'ucase' does not accept parameters (BIGINT).
Valid alternatives are:
UCASE(VARCHAR input)
--> script.sql:6:38
 6 | CREATE STREAM a3 AS SELECT id, UCASE(ms) AS x FROM clicks;
   |                                      ^^ ms is a BIGINT: UCASE takes a STRING here
help: write CAST(ms AS STRING)

error: Could not determine output schema for query due to error: Function 'substring' does not accept parameters (STRING).
Valid alternatives are:
SUBSTRING(VARCHAR str, INT pos, INT length)
SUBSTRING(BYTES bytes, INT pos, INT length)
SUBSTRING(BYTES bytes, INT pos)
SUBSTRING(VARCHAR str, INT pos)
--> script.sql:7:32
 7 | CREATE STREAM a4 AS SELECT id, SUBSTRING(page) AS a, SUBSTRING(page, 'x') AS b, LEN(page, 5) AS c FROM clicks;
   |                                ^^^^^^^^^^^^^^^ SUBSTRING takes 2 or 3 arguments, here is 1

error: Could not determine output schema for query due to error: Function 'substring' does not accept parameters (STRING, STRING).
Valid alternatives are:
SUBSTRING(VARCHAR str, INT pos, INT length)
SUBSTRING(BYTES bytes, INT pos, INT length)
SUBSTRING(BYTES bytes, INT pos)
SUBSTRING(VARCHAR str, INT pos)
--> script.sql:7:70
 7 | CREATE STREAM a4 AS SELECT id, SUBSTRING(page) AS a, SUBSTRING(page, 'x') AS b, LEN(page, 5) AS c FROM clicks;
   |                                                                      ^^^ 'x' is a STRING: SUBSTRING takes an INTEGER here

error: Could not determine output schema for query due to error: Function 'len' does not accept parameters (STRING, INTEGER).
Valid alternatives are:
LEN(VARCHAR input)
LEN(BYTES input)
--> script.sql:7:81
 7 | CREATE STREAM a4 AS SELECT id, SUBSTRING(page) AS a, SUBSTRING(page, 'x') AS b, LEN(page, 5) AS c FROM clicks;
   |                                                                                 ^^^^^^^^^^^^ LEN takes 1 argument, here are 2

error: Could not determine output schema for query due to error: Line: 8, Col: 40: SELECT column 'DAY' cannot be resolved.
--> script.sql:8:40
 8 | CREATE STREAM a5 AS SELECT id, DATEADD(DAY, 1, d) AS a, DATEADD(DAYS, 1, ms) AS b, ROUND(ms, 2, 3) AS c FROM clicks;
   |                                        ^^^
help: did you mean DAYS? Functions take units of time in the plural

error: Could not determine output schema for query due to error: Function 'dateadd' does not accept parameters (INTERVALUNIT, INTEGER, BIGINT).
Valid alternatives are:
DATEADD(INTERVAL UNIT unit, INT interval, DATE date)
--> script.sql:8:74
 8 | CREATE STREAM a5 AS SELECT id, DATEADD(DAY, 1, d) AS a, DATEADD(DAYS, 1, ms) AS b, ROUND(ms, 2, 3) AS c FROM clicks;
   |                                                                          ^^ ms is a BIGINT: DATEADD takes a DATE here

error: Could not determine output schema for query due to error: Function 'Round' does not accept parameters (BIGINT, INTEGER, INTEGER).
Valid alternatives are:
ROUND(DECIMAL val)
ROUND(DOUBLE val, INT decimalPlaces)
ROUND(DOUBLE val)
ROUND(DECIMAL val, INT decimalPlaces)
ROUND(INT val)
ROUND(BIGINT val)
--> script.sql:8:84
 8 | CREATE STREAM a5 AS SELECT id, DATEADD(DAY, 1, d) AS a, DATEADD(DAYS, 1, ms) AS b, ROUND(ms, 2, 3) AS c FROM clicks;
   |                                                                                    ^^^^^^^^^^^^^^^ ROUND takes 1 or 2 arguments, here are 3

error: Could not determine output schema for query due to error: Function 'greatest' cannot be resolved due to ambiguous method parameters (INTEGER, BIGINT).
Use CAST() to explicitly cast your parameters to one of the supported function calls.
Valid function calls are:
GREATEST(TIME val, TIME... vals)
GREATEST(DATE val, DATE... vals)
GREATEST(BYTES val, BYTES... vals)
GREATEST(TIMESTAMP val, TIMESTAMP... vals)
GREATEST(DECIMAL val, DECIMAL... vals)
GREATEST(DOUBLE val, DOUBLE... vals)
GREATEST(INT val, INT... vals)
GREATEST(BIGINT val, BIGINT... vals)
GREATEST(VARCHAR val, VARCHAR... vals)
--> script.sql:9:32
 9 | CREATE STREAM a6 AS SELECT id, GREATEST(1, ms) AS a, CONCAT(page, ms) AS b, SPLIT(tags, ',') AS c FROM clicks;
   |                                ^^^^^^^^^^^^^^^ several overloads take such arguments equally well
help: write CAST(… AS type) around an argument to choose one

error: Could not determine output schema for query due to error: Function 'concat' does not accept parameters (STRING, BIGINT).
Valid alternatives are:
CONCAT(VARCHAR... inputs)
CONCAT(BYTES... inputs)
--> script.sql:9:67
 9 | CREATE STREAM a6 AS SELECT id, GREATEST(1, ms) AS a, CONCAT(page, ms) AS b, SPLIT(tags, ',') AS c FROM clicks;
   |                                                                   ^^ ms is a BIGINT: CONCAT takes a STRING or BYTES here
help: write CAST(ms AS STRING)

error: Could not determine output schema for query due to error: Function 'split' does not accept parameters (ARRAY<STRING>, STRING).
Valid alternatives are:
SPLIT(VARCHAR string, VARCHAR delimiter)
SPLIT(BYTES bytes, BYTES delimiter)
--> script.sql:9:83
 9 | CREATE STREAM a6 AS SELECT id, GREATEST(1, ms) AS a, CONCAT(page, ms) AS b, SPLIT(tags, ',') AS c FROM clicks;
   |                                                                                   ^^^^ tags is an ARRAY<STRING>: SPLIT takes a STRING or BYTES here
help: write CAST(tags AS STRING)

error: Could not determine output schema for query due to error: Function 'transform' does not accept parameters (STRING, LAMBDA).
Valid alternatives are:
TRANSFORM(MAP<K, V> map, LAMBDA (K, V) => R biFunction1, LAMBDA (K, V) => T biFunction2)
TRANSFORM(ARRAY<T> array, LAMBDA (T) => R function)
--> script.sql:10:42
 10 | CREATE STREAM a7 AS SELECT id, TRANSFORM(page, x => x) AS a, FILTER(tags, x => x) AS b, REDUCE(tags, 0, x => x) AS c FROM clicks;
    |                                          ^^^^ page is a STRING: TRANSFORM takes an ARRAY here

error: Could not determine output schema for query due to error: Cannot infer generics for LAMBDA (T) => BOOLEAN from LAMBDA (STRING) => STRING because they do not have the same schema structure.
--> script.sql:10:75
 10 | CREATE STREAM a7 AS SELECT id, TRANSFORM(page, x => x) AS a, FILTER(tags, x => x) AS b, REDUCE(tags, 0, x => x) AS c FROM clicks;
    |                                                                           ^^^^^^ this gives a STRING

error: Could not determine output schema for query due to error: Function 'reduce' does not accept parameters (ARRAY<STRING>, INTEGER, LAMBDA).
Valid alternatives are:
REDUCE(MAP<K, V> map, S initialState, LAMBDA (S, K, V) => S triFunction)
REDUCE(ARRAY<T> list, S initialState, LAMBDA (S, T) => S biFunction)
--> script.sql:10:105
 10 | CREATE STREAM a7 AS SELECT id, TRANSFORM(page, x => x) AS a, FILTER(tags, x => x) AS b, REDUCE(tags, 0, x => x) AS c FROM clicks;
    |                                                                                                         ^^^^^^ x => x is a lambda of 1 argument: REDUCE takes a lambda such as (x, y) => … here

error: Could not determine output schema for query due to error: Function 'explode' does not accept parameters (STRING).
Valid alternatives are:
explode(ARRAY<DECIMAL> input)
explode(ARRAY<T> list)
--> script.sql:11:40
 11 | CREATE STREAM a8 AS SELECT id, EXPLODE(page) AS a FROM clicks;
    |                                        ^^^^ page is a STRING: EXPLODE takes an ARRAY here

error: Could not determine output schema for query due to error: Table functions can't be nested: EXPLODE(EXPLODE(ARRAY[CLICKS.TAGS]))
--> script.sql:12:32
 12 | CREATE STREAM a9 AS SELECT id, EXPLODE(EXPLODE(ARRAY[tags])) AS a FROM clicks;
    |                                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

error: Could not determine output schema for query due to error: Can't find any functions with the name 'MEDIAN'
--> script.sql:13:33
 13 | CREATE TABLE b1 AS SELECT page, MEDIAN(ms) AS x FROM clicks GROUP BY page;
    |                                 ^^^^^^

error: Could not determine output schema for query due to error: Can't find any functions with the name 'FIRST'
--> script.sql:14:33
 14 | CREATE TABLE b2 AS SELECT page, FIRST(ms) AS a, STDDEV(ms) AS b, ARRAY_AGG(ms) AS c FROM clicks GROUP BY page;
    |                                 ^^^^^
help: write EARLIEST_BY_OFFSET

error: Could not determine output schema for query due to error: Can't find any functions with the name 'STDDEV'
--> script.sql:14:49
 14 | CREATE TABLE b2 AS SELECT page, FIRST(ms) AS a, STDDEV(ms) AS b, ARRAY_AGG(ms) AS c FROM clicks GROUP BY page;
    |                                                 ^^^^^^
help: write STDDEV_SAMP

error: Could not determine output schema for query due to error: Can't find any functions with the name 'ARRAY_AGG'
--> script.sql:14:66
 14 | CREATE TABLE b2 AS SELECT page, FIRST(ms) AS a, STDDEV(ms) AS b, ARRAY_AGG(ms) AS c FROM clicks GROUP BY page;
    |                                                                  ^^^^^^^^^
help: write COLLECT_LIST

error: Could not determine output schema for query due to error: Function 'AVG' does not accept parameters (DECIMAL(6, 2)).
Valid alternatives are:
AVG(BIGINT val1)
AVG(INT val1)
AVG(DOUBLE val1)
--> script.sql:15:37
 15 | CREATE TABLE b3 AS SELECT page, AVG(price) AS a, SUM(page) AS b, TOPK(ms) AS c FROM clicks GROUP BY page;
    |                                     ^^^^^ price is a DECIMAL(6, 2): AVG takes a BIGINT or an INTEGER here
help: write CAST(price AS BIGINT)

error: Could not determine output schema for query due to error: Function 'SUM' does not accept parameters (STRING).
Valid alternatives are:
SUM(DECIMAL val1)
SUM(DOUBLE val1)
SUM(INT val1)
SUM(BIGINT val1)
--> script.sql:15:54
 15 | CREATE TABLE b3 AS SELECT page, AVG(price) AS a, SUM(page) AS b, TOPK(ms) AS c FROM clicks GROUP BY page;
    |                                                      ^^^^ page is a STRING: SUM takes a DECIMAL, a DOUBLE, an INTEGER or a BIGINT here
help: write CAST(page AS DOUBLE)

error: Could not determine output schema for query due to error: Function 'TOPK' does not accept parameters (BIGINT).
Valid alternatives are:
TOPK(INT val1, ANY... val2, INT k)
TOPK(BIGINT val1, ANY... val2, INT k)
TOPK(DOUBLE val1, ANY... val2, INT k)
TOPK(VARCHAR val1, ANY... val2, INT k)
--> script.sql:15:66
 15 | CREATE TABLE b3 AS SELECT page, AVG(price) AS a, SUM(page) AS b, TOPK(ms) AS c FROM clicks GROUP BY page;
    |                                                                  ^^^^^^^^ TOPK takes 2 or more arguments, here is 1

error: Could not determine output schema for query due to error: Aggregate functions can not be nested: SUM(COUNT())
--> script.sql:16:37
 16 | CREATE TABLE b4 AS SELECT page, SUM(COUNT(*)) AS x FROM clicks GROUP BY page;
    |                                     ^^^^^^^^
help: make a table of the inner one first, and aggregate that

error: Could not determine output schema for query due to error: Function 'TOPK' does not accept parameters (BIGINT, BIGINT).
Valid alternatives are:
TOPK(INT val1, ANY... val2, INT k)
TOPK(BIGINT val1, ANY... val2, INT k)
TOPK(DOUBLE val1, ANY... val2, INT k)
TOPK(VARCHAR val1, ANY... val2, INT k)
--> script.sql:17:42
 17 | CREATE TABLE b5 AS SELECT page, TOPK(ms, ms) AS x FROM clicks GROUP BY page;
    |                                          ^^ ms is a BIGINT: TOPK takes an INTEGER here
help: write CAST(ms AS INTEGER)

error: Could not determine output schema for query due to error: GROUP BY does not support aggregate functions: COUNT is an aggregate function.
--> script.sql:18:68
 18 | CREATE TABLE b6 AS SELECT page, COUNT(*) AS n FROM clicks GROUP BY COUNT(*);
    |                                                                    ^^^^^^^^ its value is known only once rows are grouped

error: Invalid Predicate: Can't find any functions with the name 'COUNT'.
--> script.sql:19:55
 19 | CREATE STREAM b7 AS SELECT id, page FROM clicks WHERE COUNT(*) > 1;
    |                                                       ^^^^^
help: COUNT is an aggregate: it stands in SELECT or HAVING, over rows that GROUP BY groups

error: Could not determine output schema for query due to error: Non-aggregate SELECT expression(s) not part of GROUP BY: ID
Either add the column(s) to the GROUP BY or remove them from the SELECT.
--> script.sql:20:28
 20 | CREATE STREAM b8 AS SELECT id, COUNT(*) AS n FROM clicks;
    |                            ^^ there is no GROUP BY, and this is no aggregate
help: add GROUP BY ID

error: Could not determine output schema for query due to error: Table functions cannot be used with aggregations.
--> script.sql:21:33
 21 | CREATE TABLE b9 AS SELECT page, EXPLODE(tags) AS tag, COUNT(*) AS n FROM clicks GROUP BY page;
    |                                 ^^^^^^^^^^^^^ this makes several rows of one
help: make the rows in a stream of their own first, and aggregate that

error: Could not determine output schema for query due to error: Can't find any functions with the name 'DATE_FORMAT'
--> script.sql:22:32
 22 | CREATE STREAM c1 AS SELECT id, DATE_FORMAT(ts, 'yyyy') AS y, TO_DATE(page) AS z, IF_NULL(page, '') AS n FROM clicks;
    |                                ^^^^^^^^^^^
help: write FORMAT_TIMESTAMP, FORMAT_DATE or FORMAT_TIME

error: Could not determine output schema for query due to error: Can't find any functions with the name 'TO_DATE'
--> script.sql:22:62
 22 | CREATE STREAM c1 AS SELECT id, DATE_FORMAT(ts, 'yyyy') AS y, TO_DATE(page) AS z, IF_NULL(page, '') AS n FROM clicks;
    |                                                              ^^^^^^^
help: write PARSE_DATE

error: Could not determine output schema for query due to error: Can't find any functions with the name 'IF_NULL'
--> script.sql:22:82
 22 | CREATE STREAM c1 AS SELECT id, DATE_FORMAT(ts, 'yyyy') AS y, TO_DATE(page) AS z, IF_NULL(page, '') AS n FROM clicks;
    |                                                                                  ^^^^^^^
help: did you mean IFNULL?

assumed: topic clicks exists (--bootstrap-servers checks it)
script.sql: 19 statements are faulty
exit code 1
