-- Types that do not fit: which ones met, and what would fit.
CREATE STREAM clicks (id VARCHAR KEY, page VARCHAR, ms BIGINT, ts TIMESTAMP, d DATE, ok BOOLEAN, price DECIMAL(6, 2),
  s STRUCT<name STRING, n INT>, tags ARRAY<STRING>, m MAP<STRING, INT>) WITH (KAFKA_TOPIC='clicks', VALUE_FORMAT='JSON');
CREATE STREAM a1 AS SELECT id, page FROM clicks WHERE page = 5;
CREATE STREAM a2 AS SELECT id, page FROM clicks WHERE ms = '5';
CREATE STREAM a3 AS SELECT id, page FROM clicks WHERE ms > page;
CREATE STREAM a4 AS SELECT id, page FROM clicks WHERE ok = 1 OR ok = 'true';
CREATE STREAM a5 AS SELECT id, page FROM clicks WHERE ok < TRUE;
CREATE STREAM a6 AS SELECT id, page FROM clicks WHERE page = NULL OR NULL <> ms;
CREATE STREAM a7 AS SELECT id, page FROM clicks WHERE s = 'x' OR tags > tags;
CREATE STREAM a8 AS SELECT id, page FROM clicks WHERE d = ms AND ts > 1700000000000;
CREATE STREAM a9 AS SELECT id, page FROM clicks WHERE ms BETWEEN 'a' AND 10;
CREATE STREAM b1 AS SELECT id, page FROM clicks WHERE LCASE(page) BETWEEN 'a' AND 'f';
CREATE STREAM b2 AS SELECT id, page FROM clicks WHERE ms IN (1, TRUE, 'x');
CREATE STREAM b3 AS SELECT id, page FROM clicks WHERE ms LIKE '5%';
CREATE STREAM b4 AS SELECT id, page FROM clicks WHERE page AND ok;
CREATE STREAM b5 AS SELECT id, page FROM clicks WHERE NOT ms;
CREATE STREAM b6 AS SELECT id, page FROM clicks WHERE ms;
CREATE STREAM b7 AS SELECT id, page FROM clicks WHERE ms + 1 IS NULL;
CREATE STREAM c1 AS SELECT id, ms + page AS x, page + ms AS y, page - 1 AS z FROM clicks;
CREATE STREAM c2 AS SELECT id, ts + 5 AS x, d - 1 AS y, ok * 2 AS z, NULL + 1 AS n FROM clicks;
CREATE STREAM c3 AS SELECT id, -page AS x, page || 'x' AS y FROM clicks;
CREATE STREAM c4 AS SELECT id, CASE WHEN page THEN 1 ELSE 2 END AS x, CASE WHEN ok THEN 1 ELSE 'no' END AS y FROM clicks;
CREATE STREAM c5 AS SELECT id, CASE WHEN ok THEN 1 WHEN NOT ok THEN 'no' END AS x, CASE ms WHEN 1 THEN 'one' END AS y FROM clicks;
CREATE STREAM c6 AS SELECT id, CAST(ms AS TIMESTAMP) AS a, CAST(ts AS BIGINT) AS b, CAST(ok AS INT) AS c, CAST(page AS ARRAY<STRING>) AS e FROM clicks;
CREATE STREAM c7 AS SELECT id, ARRAY[1, 'x', 2] AS a, ARRAY[NULL] AS b, MAP('a' := 1, 'b' := TRUE) AS c, STRUCT(n := NULL) AS e FROM clicks;
CREATE STREAM c8 AS SELECT id, tags['a'] AS a, page[1] AS b, s[1] AS c, s->nam AS e, page->name AS f, m->a AS g FROM clicks;
CREATE STREAM c9 AS SELECT id, NULL AS nothing FROM clicks;
CREATE STREAM d1 AS SELECT id, page FROM clicks WHERE rowtime > 'yesterday';
CREATE STREAM d2 AS SELECT id, TRANSFORM(tags, x => x + 1) AS t, price * 'x' AS p FROM clicks;
---- check
error: Could not determine output schema for query due to error: Error in WHERE expression
--> script.sql:4:55
 4 | CREATE STREAM a1 AS SELECT id, page FROM clicks WHERE page = 5;
   |                                                       ^^^^^^^^ page is a STRING and 5 an INTEGER
help: write '5' to compare texts

error: Could not determine output schema for query due to error: Error in WHERE expression
--> script.sql:5:55
 5 | CREATE STREAM a2 AS SELECT id, page FROM clicks WHERE ms = '5';
   |                                                       ^^^^^^^^ ms is a BIGINT and '5' a STRING
help: write 5 without quotes to compare numbers

error: Could not determine output schema for query due to error: Error in WHERE expression
--> script.sql:6:55
 6 | CREATE STREAM a3 AS SELECT id, page FROM clicks WHERE ms > page;
   |                                                       ^^^^^^^^^ ms is a BIGINT and page a STRING
help: write CAST(page AS BIGINT) to compare BIGINTs

error: Could not determine output schema for query due to error: Error in WHERE expression
--> script.sql:7:55
 7 | CREATE STREAM a4 AS SELECT id, page FROM clicks WHERE ok = 1 OR ok = 'true';
   |                                                       ^^^^^^ ok is a BOOLEAN and 1 an INTEGER
help: write TRUE for 1

error: Could not determine output schema for query due to error: Error in WHERE expression
--> script.sql:7:65
 7 | CREATE STREAM a4 AS SELECT id, page FROM clicks WHERE ok = 1 OR ok = 'true';
   |                                                                 ^^^^^^^^^^^ ok is a BOOLEAN and 'true' a STRING
help: write TRUE without quotes

error: Could not determine output schema for query due to error: Error in WHERE expression
--> script.sql:8:55
 8 | CREATE STREAM a5 AS SELECT id, page FROM clicks WHERE ok < TRUE;
   |                                                       ^^^^^^^^^ ok is a BOOLEAN, and so is TRUE: only = and <> compare BOOLEANs

error: Could not determine output schema for query due to error: Error in WHERE expression
--> script.sql:9:55
 9 | CREATE STREAM a6 AS SELECT id, page FROM clicks WHERE page = NULL OR NULL <> ms;
   |                                                       ^^^^^^^^^^^ a comparison with NULL is never true
help: write page IS NULL

error: Could not determine output schema for query due to error: Error in WHERE expression
--> script.sql:9:70
 9 | CREATE STREAM a6 AS SELECT id, page FROM clicks WHERE page = NULL OR NULL <> ms;
   |                                                                      ^^^^^^^^^^ a comparison with NULL is never true
help: write ms IS NOT NULL

error: Could not determine output schema for query due to error: Error in WHERE expression
--> script.sql:10:55
 10 | CREATE STREAM a7 AS SELECT id, page FROM clicks WHERE s = 'x' OR tags > tags;
    |                                                       ^^^^^^^ s is a STRUCT<`NAME` STRING, `N` INTEGER> and 'x' a STRING

error: Could not determine output schema for query due to error: Error in WHERE expression
--> script.sql:10:66
 10 | CREATE STREAM a7 AS SELECT id, page FROM clicks WHERE s = 'x' OR tags > tags;
    |                                                                  ^^^^^^^^^^^ tags is an ARRAY<STRING>, and so is tags: only = and <> compare ARRAYs

error: Could not determine output schema for query due to error: Error in WHERE expression
--> script.sql:11:55
 11 | CREATE STREAM a8 AS SELECT id, page FROM clicks WHERE d = ms AND ts > 1700000000000;
    |                                                       ^^^^^^ d is a DATE and ms a BIGINT
help: FROM_DAYS(ms) makes a DATE of days

error: Could not determine output schema for query due to error: Error in WHERE expression
--> script.sql:11:66
 11 | CREATE STREAM a8 AS SELECT id, page FROM clicks WHERE d = ms AND ts > 1700000000000;
    |                                                                  ^^^^^^^^^^^^^^^^^^ ts is a TIMESTAMP and 1700000000000 a BIGINT
help: FROM_UNIXTIME(1700000000000) makes a TIMESTAMP of milliseconds

error: Invalid Predicate: Incompatible comparison operand types for ">=": "java.lang.Long" and "java.lang.String".
--> script.sql:12:66
 12 | CREATE STREAM a9 AS SELECT id, page FROM clicks WHERE ms BETWEEN 'a' AND 10;
    |                                                                  ^^^ ms is a BIGINT and 'a' a STRING

error: Invalid Predicate: Cannot get name for `LCASE` 1 times.
--> script.sql:13:55
 13 | CREATE STREAM b1 AS SELECT id, page FROM clicks WHERE LCASE(page) BETWEEN 'a' AND 'f';
    |                                                       ^^^^^^^^^^^ the call would be made twice, which ksqlDB cannot
help: write LCASE(page) >= 'a' AND LCASE(page) <= 'f'

error: Invalid Predicate: operator does not exist: BIGINT = BOOLEAN (true)
Hint: You might need to add explicit type casts..
--> script.sql:14:65
 14 | CREATE STREAM b2 AS SELECT id, page FROM clicks WHERE ms IN (1, TRUE, 'x');
    |                                                                 ^^^^ TRUE is a BOOLEAN, what stands before it a BIGINT

error: Invalid Predicate: Line 1, Column 15: No applicable constructor/method found for actual parameters "java.lang.Long, java.lang.String"; candidates are: "default static boolean io.confluent.ksql.execution.codegen.helpers.LikeEvaluator.matches(java.lang.String, java.lang.String, java.util.Optional)", "public static boolean io.confluent.ksql.execution.codegen.helpers.LikeEvaluator.matches(java.lang.String, java.lang.String, char)", "public static boolean io.confluent.ksql.execution.codegen.helpers.LikeEvaluator.matches(java.lang.String, java.lang.String)".
--> script.sql:15:55
 15 | CREATE STREAM b3 AS SELECT id, page FROM clicks WHERE ms LIKE '5%';
    |                                                       ^^^^^^^^^^^^ ms is a BIGINT and '5%' a STRING: LIKE takes two STRINGs
help: write CAST(ms AS STRING) LIKE '5%'

error: Invalid Predicate: Operator "&&" cannot be applied to operand of type "java.lang.String".
--> script.sql:16:55
 16 | CREATE STREAM b4 AS SELECT id, page FROM clicks WHERE page AND ok;
    |                                                       ^^^^ page is a STRING: AND takes conditions
help: compare it, as in page = …

error: Invalid Predicate: Operator "!" cannot be applied to operand of type "java.lang.Long".
--> script.sql:17:59
 17 | CREATE STREAM b5 AS SELECT id, page FROM clicks WHERE NOT ms;
    |                                                           ^^ ms is a BIGINT: NOT takes conditions
help: compare it, as in ms = …

error: Could not determine output schema for query due to error: Type error in WHERE expression: Should evaluate to boolean but is (BIGINT) instead.
--> script.sql:18:55
 18 | CREATE STREAM b6 AS SELECT id, page FROM clicks WHERE ms;
    |                                                       ^^ this is a BIGINT, not a condition
help: compare it with a value, as in … = … or … > …

error: Invalid Predicate: Incompatible comparison operand types for "==": "long" and "void".
--> script.sql:19:55
 19 | CREATE STREAM b7 AS SELECT id, page FROM clicks WHERE ms + 1 IS NULL;
    |                                                       ^^^^^^^^^^^^^^ ksqlDB cannot ask what is computed for NULL
help: ask the columns that it is computed of

error: Could not determine output schema for query due to error: Error processing expression.
--> script.sql:20:32
 20 | CREATE STREAM c1 AS SELECT id, ms + page AS x, page + ms AS y, page - 1 AS z FROM clicks;
    |                                ^^^^^^^^^ ms is a BIGINT and page a STRING: + takes two numbers or two STRINGs
help: write CAST(ms AS STRING) + page to join texts, ms + CAST(page AS BIGINT) to add numbers

error: Could not determine output schema for query due to error: Error processing expression.
--> script.sql:20:48
 20 | CREATE STREAM c1 AS SELECT id, ms + page AS x, page + ms AS y, page - 1 AS z FROM clicks;
    |                                                ^^^^^^^^^ page is a STRING and ms a BIGINT: + takes two numbers or two STRINGs
help: write page + CAST(ms AS STRING) to join texts, CAST(page AS BIGINT) + ms to add numbers

error: Could not determine output schema for query due to error: Error processing expression.
--> script.sql:20:64
 20 | CREATE STREAM c1 AS SELECT id, ms + page AS x, page + ms AS y, page - 1 AS z FROM clicks;
    |                                                                ^^^^^^^^ page is a STRING and 1 an INTEGER: - takes two numbers
help: write CAST(page AS INTEGER) - 1

error: Could not determine output schema for query due to error: Error processing expression.
--> script.sql:21:32
 21 | CREATE STREAM c2 AS SELECT id, ts + 5 AS x, d - 1 AS y, ok * 2 AS z, NULL + 1 AS n FROM clicks;
    |                                ^^^^^^ ts is a TIMESTAMP and 5 an INTEGER: + takes two numbers or two STRINGs
help: TIMESTAMPADD(SECONDS, 5, ts) moves a TIMESTAMP by so many SECONDS

error: Could not determine output schema for query due to error: Error processing expression.
--> script.sql:21:45
 21 | CREATE STREAM c2 AS SELECT id, ts + 5 AS x, d - 1 AS y, ok * 2 AS z, NULL + 1 AS n FROM clicks;
    |                                             ^^^^^ d is a DATE and 1 an INTEGER: - takes two numbers
help: DATESUB(DAYS, 1, d) moves a DATE by so many DAYS

error: Could not determine output schema for query due to error: Error processing expression.
--> script.sql:21:57
 21 | CREATE STREAM c2 AS SELECT id, ts + 5 AS x, d - 1 AS y, ok * 2 AS z, NULL + 1 AS n FROM clicks;
    |                                                         ^^^^^^ ok is a BOOLEAN and 2 an INTEGER: * takes two numbers

error: Could not determine output schema for query due to error: Error processing expression.
--> script.sql:21:70
 21 | CREATE STREAM c2 AS SELECT id, ts + 5 AS x, d - 1 AS y, ok * 2 AS z, NULL + 1 AS n FROM clicks;
    |                                                                      ^^^^^^^^ NULL has no type, 1 is an INTEGER: + takes two numbers or two STRINGs

error: Could not determine output schema for query due to error: Invalid Select: Unary numeric promotion not possible on type "java.lang.String".
--> script.sql:22:33
 22 | CREATE STREAM c3 AS SELECT id, -page AS x, page || 'x' AS y FROM clicks;
    |                                 ^^^^ page is a STRING: a sign stands before a number

error: Could not determine output schema for query due to error: Invalid Select: Cannot get name for `concat` 0 times.
--> script.sql:22:44
 22 | CREATE STREAM c3 AS SELECT id, -page AS x, page || 'x' AS y FROM clicks;
    |                                            ^^^^^^^^^^^ ksqlDB has no ||
help: write page + 'x'

error: Could not determine output schema for query due to error: WHEN operand type should be boolean.
Type for 'PAGE' is STRING
--> script.sql:23:42
 23 | CREATE STREAM c4 AS SELECT id, CASE WHEN page THEN 1 ELSE 2 END AS x, CASE WHEN ok THEN 1 ELSE 'no' END AS y FROM clicks;
    |                                          ^^^^ page is a STRING: WHEN takes a condition

error: Could not determine output schema for query due to error: Invalid Case expression. Type for the default clause should be the same as for 'THEN' clauses.
THEN type: INTEGER.
DEFAULT type: STRING.
--> script.sql:23:96
 23 | CREATE STREAM c4 AS SELECT id, CASE WHEN page THEN 1 ELSE 2 END AS x, CASE WHEN ok THEN 1 ELSE 'no' END AS y FROM clicks;
    |                                                                                                ^^^^ 'no' is a STRING, the result before it an INTEGER

error: Could not determine output schema for query due to error: Invalid Case expression. Type for all 'THEN' clauses should be the same.
THEN expression 'WHEN (NOT OK) THEN 'no'' has type: STRING.
Previous THEN expression(s) type: INTEGER.
--> script.sql:24:69
 24 | CREATE STREAM c5 AS SELECT id, CASE WHEN ok THEN 1 WHEN NOT ok THEN 'no' END AS x, CASE ms WHEN 1 THEN 'one' END AS y FROM clicks;
    |                                                                     ^^^^ 'no' is a STRING, the result before it an INTEGER

error: Could not determine output schema for query due to error: not yet implemented: io.confluent.ksql.execution.util.ExpressionTypeManager$Visitor.visitSimpleCaseExpression
--> script.sql:24:84
 24 | CREATE STREAM c5 AS SELECT id, CASE WHEN ok THEN 1 WHEN NOT ok THEN 'no' END AS x, CASE ms WHEN 1 THEN 'one' END AS y FROM clicks;
    |                                                                                    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

error: Could not determine output schema for query due to error: Invalid Select: Cast of BIGINT to TIMESTAMP is not supported.
--> script.sql:25:32
 25 | CREATE STREAM c6 AS SELECT id, CAST(ms AS TIMESTAMP) AS a, CAST(ts AS BIGINT) AS b, CAST(ok AS INT) AS c, CAST(page AS ARRAY<STRING>) AS e FROM clicks;
    |                                ^^^^^^^^^^^^^^^^^^^^^ ms is a BIGINT, which cannot be made a TIMESTAMP
help: FROM_UNIXTIME(ms) makes a TIMESTAMP of milliseconds

error: Could not determine output schema for query due to error: Invalid Select: Cast of TIMESTAMP to BIGINT is not supported.
--> script.sql:25:60
 25 | CREATE STREAM c6 AS SELECT id, CAST(ms AS TIMESTAMP) AS a, CAST(ts AS BIGINT) AS b, CAST(ok AS INT) AS c, CAST(page AS ARRAY<STRING>) AS e FROM clicks;
    |                                                            ^^^^^^^^^^^^^^^^^^ ts is a TIMESTAMP, which cannot be made a BIGINT
help: UNIX_TIMESTAMP(ts) gives milliseconds

error: Could not determine output schema for query due to error: Invalid Select: Cast of BOOLEAN to INTEGER is not supported.
--> script.sql:25:85
 25 | CREATE STREAM c6 AS SELECT id, CAST(ms AS TIMESTAMP) AS a, CAST(ts AS BIGINT) AS b, CAST(ok AS INT) AS c, CAST(page AS ARRAY<STRING>) AS e FROM clicks;
    |                                                                                     ^^^^^^^^^^^^^^^ ok is a BOOLEAN, which cannot be made an INTEGER
help: write CASE WHEN ok THEN 1 ELSE 0 END

error: Could not determine output schema for query due to error: Invalid Select: Cast of STRING to ARRAY<STRING> is not supported.
--> script.sql:25:107
 25 | CREATE STREAM c6 AS SELECT id, CAST(ms AS TIMESTAMP) AS a, CAST(ts AS BIGINT) AS b, CAST(ok AS INT) AS c, CAST(page AS ARRAY<STRING>) AS e FROM clicks;
    |                                                                                                           ^^^^^^^^^^^^^^^^^^^^^^^^^^^ page is a STRING, which cannot be made an ARRAY<STRING>
help: SPLIT(page, ',') makes an ARRAY of a text

error: Could not determine output schema for query due to error: invalid input syntax for type INTEGER: "x".
--> script.sql:26:41
 26 | CREATE STREAM c7 AS SELECT id, ARRAY[1, 'x', 2] AS a, ARRAY[NULL] AS b, MAP('a' := 1, 'b' := TRUE) AS c, STRUCT(n := NULL) AS e FROM clicks;
    |                                         ^^^ 'x' is a STRING, what stands before it an INTEGER

error: Could not determine output schema for query due to error: Cannot construct an array with all NULL elements (see https://github.com/confluentinc/ksql/issues/4239). As a workaround, you may cast a NULL value to the desired type.
--> script.sql:26:55
 26 | CREATE STREAM c7 AS SELECT id, ARRAY[1, 'x', 2] AS a, ARRAY[NULL] AS b, MAP('a' := 1, 'b' := TRUE) AS c, STRUCT(n := NULL) AS e FROM clicks;
    |                                                       ^^^^^^^^^^^
help: write CAST(NULL AS STRING), with the type that is meant

error: Could not determine output schema for query due to error: operator does not exist: INTEGER = BOOLEAN (true)
Hint: You might need to add explicit type casts.
--> script.sql:26:94
 26 | CREATE STREAM c7 AS SELECT id, ARRAY[1, 'x', 2] AS a, ARRAY[NULL] AS b, MAP('a' := 1, 'b' := TRUE) AS c, STRUCT(n := NULL) AS e FROM clicks;
    |                                                                                              ^^^^ TRUE is a BOOLEAN, what stands before it an INTEGER

error: Could not determine output schema for query due to error: type
--> script.sql:26:118
 26 | CREATE STREAM c7 AS SELECT id, ARRAY[1, 'x', 2] AS a, ARRAY[NULL] AS b, MAP('a' := 1, 'b' := TRUE) AS c, STRUCT(n := NULL) AS e FROM clicks;
    |                                                                                                                      ^^^^ NULL has no type
help: write CAST(NULL AS STRING) for NULL, with the type that is meant

error: Could not determine output schema for query due to error: Invalid Select: Cannot cast "java.lang.String" to "int".
--> script.sql:27:37
 27 | CREATE STREAM c8 AS SELECT id, tags['a'] AS a, page[1] AS b, s[1] AS c, s->nam AS e, page->name AS f, m->a AS g FROM clicks;
    |                                     ^^^ 'a' is a STRING: elements of an ARRAY are counted from 1

error: Could not determine output schema for query due to error: Subscript expression (PAGE[1]) do not apply to STRING.
--> script.sql:27:48
 27 | CREATE STREAM c8 AS SELECT id, tags['a'] AS a, page[1] AS b, s[1] AS c, s->nam AS e, page->name AS f, m->a AS g FROM clicks;
    |                                                ^^^^ page is a STRING: only an ARRAY or a MAP has elements

error: Could not determine output schema for query due to error: Subscript expression (S[1]) do not apply to STRUCT<`NAME` STRING, `N` INTEGER>. Use the dereference operator for STRUCTS: S->1
--> script.sql:27:62
 27 | CREATE STREAM c8 AS SELECT id, tags['a'] AS a, page[1] AS b, s[1] AS c, s->nam AS e, page->name AS f, m->a AS g FROM clicks;
    |                                                              ^ s is a STRUCT<`NAME` STRING, `N` INTEGER>: only an ARRAY or a MAP has elements

error: Could not determine output schema for query due to error: Could not find field 'NAM' in 'S'.
--> script.sql:27:73
 27 | CREATE STREAM c8 AS SELECT id, tags['a'] AS a, page[1] AS b, s[1] AS c, s->nam AS e, page->name AS f, m->a AS g FROM clicks;
    |                                                                         ^^^^^^
help: did you mean NAME?

error: Could not determine output schema for query due to error: Expected STRUCT type, got: STRING
--> script.sql:27:86
 27 | CREATE STREAM c8 AS SELECT id, tags['a'] AS a, page[1] AS b, s[1] AS c, s->nam AS e, page->name AS f, m->a AS g FROM clicks;
    |                                                                                      ^^^^ page is a STRING: only a STRUCT has fields
help: EXTRACTJSONFIELD(page, '$.NAME') reads a field of a JSON text

error: Could not determine output schema for query due to error: Expected STRUCT type, got: MAP<STRING, INTEGER>
--> script.sql:27:103
 27 | CREATE STREAM c8 AS SELECT id, tags['a'] AS a, page[1] AS b, s[1] AS c, s->nam AS e, page->name AS f, m->a AS g FROM clicks;
    |                                                                                                       ^ m is a MAP<STRING, INTEGER>: only a STRUCT has fields

error: Could not determine output schema for query due to error: Can't infer a type of null. Please explicitly cast it to a required type, e.g. CAST(null AS VARCHAR).
--> script.sql:28:32
 28 | CREATE STREAM c9 AS SELECT id, NULL AS nothing FROM clicks;
    |                                ^^^^^^^^^^^^^^^
help: write CAST(NULL AS STRING), with the type that is meant

error: Could not determine output schema for query due to error: Failed to parse timestamp 'yesterday': Text 'yesterday-01-01T00:00:00.000' could not be parsed at index 0
Required format is: "yyyy-MM-dd'T'HH:mm:ss.SSS", with an optional numeric 4-digit timezone, for example: '2020-05-26T23:59:58.000' or with tz: '2020-05-26T23:59:58.000+0200'. A trailing 'Z' instead of tz indicates the zero UTC offset. Partials are also supported, for example "2020-05-26"
--> script.sql:29:65
 29 | CREATE STREAM d1 AS SELECT id, page FROM clicks WHERE rowtime > 'yesterday';
    |                                                                 ^^^^^^^^^^^

error: Could not determine output schema for query due to error: Error processing expression.
--> script.sql:30:53
 30 | CREATE STREAM d2 AS SELECT id, TRANSFORM(tags, x => x + 1) AS t, price * 'x' AS p FROM clicks;
    |                                                     ^^^^^ x is a STRING and 1 an INTEGER: + takes two numbers or two STRINGs
help: write x + CAST(1 AS STRING) to join texts, CAST(x AS INTEGER) + 1 to add numbers

error: Could not determine output schema for query due to error: Error processing expression.
--> script.sql:30:66
 30 | CREATE STREAM d2 AS SELECT id, TRANSFORM(tags, x => x + 1) AS t, price * 'x' AS p FROM clicks;
    |                                                                  ^^^^^^^^^^^ price is a DECIMAL(6, 2) and 'x' a STRING: * takes two numbers
help: write price * CAST('x' AS DECIMAL(6, 2))

assumed: topic clicks exists (--bootstrap-servers checks it)
script.sql: 27 statements are faulty
exit code 1
