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
INSERT INTO s VALUES (1, 'unterminated);
SELECT LAG(a) OVER (PARTITION a) FROM s;
SELECT LAG(a) OVER (ORDER BY t PARTITION BY a) FROM s;
SELECT SUM(a) OVER (ORDER BY t ROWS 3 BEFORE) FROM s;
SELECT SUM(a) OVER (ORDER BY t ROWS BETWEEN -1 PRECEDING AND CURRENT ROW) FROM s;
SELECT SUM(a) OVER (ORDER BY t RANGE UNBOUNDED PRECEDING) FROM s;
SELECT a OVER (PARTITION BY a) FROM s;
---- errors
error: line 2:15: Syntax error at line 2:15
 2 | SELECT a FORM s;
   |               ^ Expecting {',', 'FROM'}
error: line 3:1: Syntax error at line 3:1
 3 | CREAT STREAM x (a INT);
   | ^^^^^ Unknown statement 'CREAT'; Did you mean 'CREATE'?
error: line 4:25: Syntax error at line 4:25
 4 | CREATE STREAM x (a INT, from INT) WITH (kafka_topic='x');
   |                         ^^^^ "from" is a reserved keyword and it can't be used as an identifier. You can use it as an identifier by escaping it as 'from'
help: write `from` to use the word as a name
error: line 5:11: Syntax error at line 5:11
 5 | SELECT a, FROM s;
   |           ^^^^ "FROM" is a reserved keyword and it can't be used as an identifier. You can use it as an identifier by escaping it as 'FROM'
help: write `FROM` to use the word as a name
error: line 6:30: Syntax error at line 6:30
 6 | CREATE STREAM x (a INT) WITH kafka_topic='x';
   |                              ^^^^^^^^^^^ missing '(' at 'kafka_topic'
error: line 7:17: Syntax error at line 7:17
 7 | SELECT CAST(a AS) FROM s;
   |                 ^ Syntax error at or near ')' at line 7:17
error: line 8:47: Syntax error at line 8:47
 8 | SELECT COUNT(*) FROM s WINDOW TUMBLING (SIZE 1) GROUP BY a;
   |                                               ^ missing {'DAY', 'HOUR', 'MINUTE', 'SECOND', 'MILLISECOND', 'DAYS', 'HOURS', 'MINUTES', 'SECONDS', 'MILLISECONDS'} at ')'
error: line 9:38: Syntax error at line 9:38
 9 | SELECT a FROM s JOIN t WITHIN 1 HOUR EMIT CHANGES;
   |                                      ^^^^ missing 'ON' at 'EMIT'
error: line 10:26: Syntax error at line 10:26
 10 | SELECT a FROM s WHERE a == 1;
    |                          ^ not expected here
help: write a single = to compare
error: line 11:6: Syntax error at line 11:6
 11 | SHOW STREAM;
    |      ^^^^^^ Syntax error at or near 'STREAM' at line 11:6
error: line 12:8: Syntax error at line 12:8
 12 | SELECT DISTINCT a FROM s;
    |        ^^^^^^^^ "DISTINCT" is a reserved keyword and it can't be used as an identifier. You can use it as an identifier by escaping it as 'DISTINCT'
help: there is no SELECT DISTINCT: use GROUP BY
error: line 13:23: Syntax error at line 13:23
 13 | SELECT a FROM s ORDER BY a;
    |                       ^^ not expected here
help: there is no ORDER BY: rows come in the order of their records
error: line 14:9: Syntax error at line 14:9
 14 | SELECT a::INT FROM s;
    |         ^ Expecting {',', 'FROM'}
help: write CAST(value AS type) to convert
error: line 15:29: Syntax error at line 15:29
 15 | SELECT a FROM s WHERE a IN (SELECT b FROM t);
    |                             ^^^^^^ "SELECT" is a reserved keyword and it can't be used as an identifier. You can use it as an identifier by escaping it as 'SELECT'
help: a query within another is not possible: name it with CREATE STREAM … AS first
error: line 16:23: Syntax error at line 16:23
 16 | SELECT a FROM s WHERE !a;
    |                       ^ not expected here
help: write NOT to negate
error: line 17:26: Syntax error at line 17:26
 17 | INSERT INTO s VALUES (1, 'unterminated);
    |                          ^ not expected here
help: the text that starts here has no end: close it with '
error: line 18:31: Syntax error at line 18:31
 18 | SELECT LAG(a) OVER (PARTITION a) FROM s;
    |                               ^ missing 'BY' at 'a'
error: line 19:32: Syntax error at line 19:32
 19 | SELECT LAG(a) OVER (ORDER BY t PARTITION BY a) FROM s;
    |                                ^^^^^^^^^ Expecting {',', ')', ASC, DESC, ROWS}
error: line 20:39: Syntax error at line 20:39
 20 | SELECT SUM(a) OVER (ORDER BY t ROWS 3 BEFORE) FROM s;
    |                                       ^^^^^^ Expecting {PRECEDING, FOLLOWING}
error: line 21:45: Syntax error at line 21:45
 21 | SELECT SUM(a) OVER (ORDER BY t ROWS BETWEEN -1 PRECEDING AND CURRENT ROW) FROM s;
    |                                             ^ Expecting {CURRENT, UNBOUNDED, INTEGER_VALUE}
error: line 22:32: Syntax error at line 22:32
 22 | SELECT SUM(a) OVER (ORDER BY t RANGE UNBOUNDED PRECEDING) FROM s;
    |                                ^^^^^ Expecting {',', ')', ASC, DESC, ROWS}
error: line 23:15: Syntax error at line 23:15
 23 | SELECT a OVER (PARTITION BY a) FROM s;
    |               ^ Expecting {',', 'FROM'}
help: OVER stands behind a call, as in LAG(x) OVER (…), and nowhere with ksql.millstream.strict=true
