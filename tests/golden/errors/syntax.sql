-- Syntax errors: all of them, each in ksqlDB's words.
SELECT a FORM s;
CREAT STREAM x (a INT);
CREATE STREAM x (a INT, from INT) WITH (kafka_topic='x');
SELECT a, FROM s;
CREATE STREAM x (a INT) WITH kafka_topic='x';
SELECT CAST(a AS) FROM s;
SELECT COUNT(*) FROM s WINDOW TUMBLING (SIZE 1) GROUP BY a;
SELECT a FROM s JOIN t WITHIN 1 HOUR EMIT CHANGES;
SELECT a FROM s WHERE a == 1;
SHOW STREAM;
SELECT DISTINCT a FROM s;
SELECT a FROM s ORDER BY a;
SELECT a::INT FROM s;
SELECT a FROM s WHERE a IN (SELECT b FROM t);
SELECT a FROM s WHERE !a;
SELECT a FROM s EMIT CHANGE;
SELECT a FROM s WERE a = 1;
SELECT a FROM s GRUOP BY a;
SELECT a FROM s GROUP BY a HAVNG COUNT(*) > 1;
CREATE STREAM x (TOPIC INT) WITH (TOPIC='x', VALUE_FORMAT='JSON');
CREATE STREAM x (a DECIMAL, b INT) WITH (KAFKA_TOPIC='x');
CREATE STREAM x (a INT b STRING) WITH (KAFKA_TOPIC='x');
CREATE STREAM x (a INT, b STRING NOT NULL) WITH (KAFKA_TOPIC='x');
CREATE STREAM x (a INT), WITH (KAFKA_TOPIC='x');
CREATE STREAM x (a INT) WITH (KAFKA_TOPIC='x' VALUE_FORMAT='JSON');
CREATE TABLE x (id INT, PRIMARY KEY (id)) WITH (KAFKA_TOPIC='x');
CREATE STREEM x (a INT) WITH (KAFKA_TOPIC='x');
CREATE STREAM my-stream AS SELECT a FROM s;
CREATE VIEW x AS SELECT a FROM s;
SELECT a FROM s WINDOW TUMBLING (SIZE 5 MINUTS) GROUP BY a;
SELECT a FROM s WINDOW TUMBLING (5 MINUTES) GROUP BY a;
SELECT a FROM s LIMIT 10 EMIT CHANGES;
SELECT a FROM s JOIN t ON s.id = t.id WITHIN 1 HOUR;
SELECT a FROM s, t WHERE s.id = t.id;
SELECT CASE WHEN a THEN 1 FROM s;
SELECT IF(a, 1, 2) FROM s;
SELECT COUNT(DISTINCT a) FROM s;
SELECT a FROM s WHERE ts > t - INTERVAL '1' HOUR;
SELECT a FROM s UNION ALL SELECT a FROM t;
SET auto.offset.reset = 'earliest';
INSERT INTO x VALUES ('a', 'b';
INSERT INTO s VALUES (1, 'unterminated);
SELECT LAG(a) OVER (PARTITION a) FROM s;
SELECT LAG(a) OVER (ORDER BY t PARTITION BY a) FROM s;
SELECT SUM(a) OVER (ORDER BY t ROWS 3 BEFORE) FROM s;
SELECT SUM(a) OVER (ORDER BY t ROWS BETWEEN -1 PRECEDING AND CURRENT ROW) FROM s;
SELECT SUM(a) OVER (ORDER BY t RANGE UNBOUNDED PRECEDING) FROM s;
SELECT a OVER (PARTITION BY a) FROM s;
---- check
error: line 2:15: Syntax error at line 2:15
--> script.sql:2:15
 2 | SELECT a FORM s;
   |               ^ Expecting {',', 'FROM'}
help: did you mean FROM? FORM is taken for a name

error: line 3:1: Syntax error at line 3:1
--> script.sql:3:1
 3 | CREAT STREAM x (a INT);
   | ^^^^^ Unknown statement 'CREAT'; Did you mean 'CREATE'?

error: line 4:25: Syntax error at line 4:25
--> script.sql:4:25
 4 | CREATE STREAM x (a INT, from INT) WITH (kafka_topic='x');
   |                         ^^^^ "from" is a word of the language
help: from is a word of the language: write `from` to use it as a name

error: line 5:11: Syntax error at line 5:11
--> script.sql:5:11
 5 | SELECT a, FROM s;
   |           ^^^^ "FROM" is a word of the language
help: take away the comma before FROM

error: line 6:30: Syntax error at line 6:30
--> script.sql:6:30
 6 | CREATE STREAM x (a INT) WITH kafka_topic='x';
   |                              ^^^^^^^^^^^ missing '(' at 'kafka_topic'

error: line 7:17: Syntax error at line 7:17
--> script.sql:7:17
 7 | SELECT CAST(a AS) FROM s;
   |                 ^ Syntax error at or near ')' at line 7:17

error: line 8:47: Syntax error at line 8:47
--> script.sql:8:47
 8 | SELECT COUNT(*) FROM s WINDOW TUMBLING (SIZE 1) GROUP BY a;
   |                                               ^ missing {'DAY', 'HOUR', 'MINUTE', 'SECOND', 'MILLISECOND', 'DAYS', 'HOURS', 'MINUTES', 'SECONDS', 'MILLISECONDS'} at ')'

error: line 9:38: Syntax error at line 9:38
--> script.sql:9:38
 9 | SELECT a FROM s JOIN t WITHIN 1 HOUR EMIT CHANGES;
   |                                      ^^^^ missing 'ON' at 'EMIT'

error: line 10:26: Syntax error at line 10:26
--> script.sql:10:26
 10 | SELECT a FROM s WHERE a == 1;
    |                          ^ not expected here
help: write a single = to compare

error: line 11:6: Syntax error at line 11:6
--> script.sql:11:6
 11 | SHOW STREAM;
    |      ^^^^^^ Syntax error at or near 'STREAM' at line 11:6
help: did you mean STREAMS?

error: line 12:8: Syntax error at line 12:8
--> script.sql:12:8
 12 | SELECT DISTINCT a FROM s;
    |        ^^^^^^^^ "DISTINCT" is a word of the language
help: there is no SELECT DISTINCT: use GROUP BY

error: line 13:23: Syntax error at line 13:23
--> script.sql:13:23
 13 | SELECT a FROM s ORDER BY a;
    |                       ^^ not expected here
help: there is no ORDER BY: rows come in the order of their records

error: line 14:9: Syntax error at line 14:9
--> script.sql:14:9
 14 | SELECT a::INT FROM s;
    |         ^ Expecting {',', 'FROM'}
help: write CAST(value AS type) to convert

error: line 15:29: Syntax error at line 15:29
--> script.sql:15:29
 15 | SELECT a FROM s WHERE a IN (SELECT b FROM t);
    |                             ^^^^^^ "SELECT" is a word of the language
help: a query within another is not possible: name it with CREATE STREAM … AS first

error: line 16:23: Syntax error at line 16:23
--> script.sql:16:23
 16 | SELECT a FROM s WHERE !a;
    |                       ^ not expected here
help: write NOT to negate

error: line 17:22: Syntax error at line 17:22
--> script.sql:17:22
 17 | SELECT a FROM s EMIT CHANGE;
    |                      ^^^^^^ Expecting ';'
help: did you mean CHANGES?

error: line 18:22: Syntax error at line 18:22
--> script.sql:18:22
 18 | SELECT a FROM s WERE a = 1;
    |                      ^ not expected here
help: did you mean WHERE? WERE is taken for a name

error: line 19:23: Syntax error at line 19:23
--> script.sql:19:23
 19 | SELECT a FROM s GRUOP BY a;
    |                       ^^ not expected here
help: did you mean GROUP? GRUOP is taken for a name

error: line 20:28: Syntax error at line 20:28
--> script.sql:20:28
 20 | SELECT a FROM s GROUP BY a HAVNG COUNT(*) > 1;
    |                            ^^^^^ not expected here
help: did you mean HAVING?

error: line 21:18: Syntax error at line 21:18
--> script.sql:21:18
 21 | CREATE STREAM x (TOPIC INT) WITH (TOPIC='x', VALUE_FORMAT='JSON');
    |                  ^^^^^ "TOPIC" is a word of the language
help: TOPIC is a word of the language: write `TOPIC` to use it as a name

error: line 22:27: Syntax error at line 22:27
--> script.sql:22:27
 22 | CREATE STREAM x (a DECIMAL, b INT) WITH (KAFKA_TOPIC='x');
    |                           ^ Expecting '('
help: write DECIMAL(10, 2), with the digits in all and after the point that are meant

error: line 23:24: Syntax error at line 23:24
--> script.sql:23:24
 23 | CREATE STREAM x (a INT b STRING) WITH (KAFKA_TOPIC='x');
    |                        ^ Expecting {',', ')'}
help: write a comma before b

error: line 24:34: Syntax error at line 24:34
--> script.sql:24:34
 24 | CREATE STREAM x (a INT, b STRING NOT NULL) WITH (KAFKA_TOPIC='x');
    |                                  ^^^ Expecting {',', ')'}
help: leave it out: a column may always be NULL, but for the key of a table

error: line 25:24: Syntax error at line 25:24
--> script.sql:25:24
 25 | CREATE STREAM x (a INT), WITH (KAFKA_TOPIC='x');
    |                        ^ Expecting {';', 'WITH'}
help: take away the comma before WITH

error: line 26:47: Syntax error at line 26:47
--> script.sql:26:47
 26 | CREATE STREAM x (a INT) WITH (KAFKA_TOPIC='x' VALUE_FORMAT='JSON');
    |                                               ^^^^^^^^^^^^ Expecting {',', ')'}
help: write a comma before VALUE_FORMAT

error: line 27:38: Syntax error at line 27:38
--> script.sql:27:38
 27 | CREATE TABLE x (id INT, PRIMARY KEY (id)) WITH (KAFKA_TOPIC='x');
    |                                      ^^ Expecting {'STRING', INTEGER_VALUE}
help: write PRIMARY KEY behind the type of each column of the key

error: line 28:8: Syntax error at line 28:8
--> script.sql:28:8
 28 | CREATE STREEM x (a INT) WITH (KAFKA_TOPIC='x');
    |        ^^^^^^ Syntax error at or near 'STREEM' at line 28:8
help: did you mean STREAM?

error: line 29:17: Syntax error at line 29:17
--> script.sql:29:17
 29 | CREATE STREAM my-stream AS SELECT a FROM s;
    |                 ^ Expecting {';', '(', 'WITH'}
help: a name with - in it stands in quotes: `my-…`

error: line 30:8: Syntax error at line 30:8
--> script.sql:30:8
 30 | CREATE VIEW x AS SELECT a FROM s;
    |        ^^^^ Syntax error at or near 'VIEW' at line 30:8
help: there are no views: CREATE STREAM … AS SELECT keeps the rows of a query

error: line 31:41: Syntax error at line 31:41
--> script.sql:31:41
 31 | SELECT a FROM s WINDOW TUMBLING (SIZE 5 MINUTS) GROUP BY a;
    |                                         ^^^^^^ not expected here
help: did you mean MINUTE?

error: line 32:34: Syntax error at line 32:34
--> script.sql:32:34
 32 | SELECT a FROM s WINDOW TUMBLING (5 MINUTES) GROUP BY a;
    |                                  ^ missing 'SIZE' at '5'

error: line 33:26: Syntax error at line 33:26
--> script.sql:33:26
 33 | SELECT a FROM s LIMIT 10 EMIT CHANGES;
    |                          ^^^^ Expecting ';'
help: EMIT stands at the end, but before LIMIT

error: line 34:39: Syntax error at line 34:39
--> script.sql:34:39
 34 | SELECT a FROM s JOIN t ON s.id = t.id WITHIN 1 HOUR;
    |                                       ^^^^^^ not expected here
help: WITHIN stands before ON

error: line 35:16: Syntax error at line 35:16
--> script.sql:35:16
 35 | SELECT a FROM s, t WHERE s.id = t.id;
    |                ^ not expected here
help: write JOIN … ON … to join another stream or table

error: line 36:27: Syntax error at line 36:27
--> script.sql:36:27
 36 | SELECT CASE WHEN a THEN 1 FROM s;
    |                           ^^^^ Syntax error at or near 'FROM' at line 36:27
help: close CASE with END

error: Unsupported statement. Only the following statements are supported in standalone mode: CREATE STREAM, CREATE STREAM AS SELECT, CREATE TABLE, CREATE TABLE AS SELECT, DEFINE, INSERT INTO, REGISTER TYPE, SET, UNDEFINE, UNSET
--> script.sql:37:1
 37 | SELECT IF(a, 1, 2) FROM s;
    | ^^^^^^^^^^^^^^^^^^^^^^^^^^ in this statement
help: a file says what is to be there, and is run from its beginning at each start

error: line 38:14: Syntax error at line 38:14
--> script.sql:38:14
 38 | SELECT COUNT(DISTINCT a) FROM s;
    |              ^^^^^^^^ Syntax error at or near 'DISTINCT' at line 38:14
help: write COUNT_DISTINCT(value), or COLLECT_SET(value) for the values

error: line 39:45: Syntax error at line 39:45
--> script.sql:39:45
 39 | SELECT a FROM s WHERE ts > t - INTERVAL '1' HOUR;
    |                                             ^^^^ Expecting ';'
help: there are no intervals: DATEADD, TIMESTAMPADD and their like move times by a unit

error: line 40:23: Syntax error at line 40:23
--> script.sql:40:23
 40 | SELECT a FROM s UNION ALL SELECT a FROM t;
    |                       ^^^ not expected here
help: there is no UNION: INSERT INTO … SELECT writes another query into a stream

error: line 41:5: Syntax error at line 41:5
--> script.sql:41:5
 41 | SET auto.offset.reset = 'earliest';
    |     ^^^^ Expecting {STRING_LITERAL, VARIABLE}
help: write the name in quotes: 'auto.offset.reset'

error: line 42:31: Syntax error at line 42:31
--> script.sql:42:31
 42 | INSERT INTO x VALUES ('a', 'b';
    |                               ^ Expecting {',', ')'}
help: close what ( opened with )

error: line 43:26: Syntax error at line 43:26
--> script.sql:43:26
 43 | INSERT INTO s VALUES (1, 'unterminated);
    |                          ^ not expected here
help: the text that starts here has no end: close it with ', and double a ' within it

error: line 44:31: Syntax error at line 44:31
--> script.sql:44:31
 44 | SELECT LAG(a) OVER (PARTITION a) FROM s;
    |                               ^ missing 'BY' at 'a'

error: line 45:32: Syntax error at line 45:32
--> script.sql:45:32
 45 | SELECT LAG(a) OVER (ORDER BY t PARTITION BY a) FROM s;
    |                                ^^^^^^^^^ Expecting {',', ')', ASC, DESC, ROWS}

error: line 46:39: Syntax error at line 46:39
--> script.sql:46:39
 46 | SELECT SUM(a) OVER (ORDER BY t ROWS 3 BEFORE) FROM s;
    |                                       ^^^^^^ Expecting {PRECEDING, FOLLOWING}

error: line 47:45: Syntax error at line 47:45
--> script.sql:47:45
 47 | SELECT SUM(a) OVER (ORDER BY t ROWS BETWEEN -1 PRECEDING AND CURRENT ROW) FROM s;
    |                                             ^ Expecting {CURRENT, UNBOUNDED, INTEGER_VALUE}

error: line 48:32: Syntax error at line 48:32
--> script.sql:48:32
 48 | SELECT SUM(a) OVER (ORDER BY t RANGE UNBOUNDED PRECEDING) FROM s;
    |                                ^^^^^ Expecting {',', ')', ASC, DESC, ROWS}
help: write ROWS: rows are counted, not ranges of values

error: line 49:15: Syntax error at line 49:15
--> script.sql:49:15
 49 | SELECT a OVER (PARTITION BY a) FROM s;
    |               ^ Expecting {',', 'FROM'}
help: OVER stands behind a call, as in LAG(x) OVER (…), and nowhere with ksql.millstream.strict=true

script.sql: 48 statements are faulty
exit code 1
