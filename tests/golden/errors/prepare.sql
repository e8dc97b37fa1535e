-- What no catalog can make right is refused with its place, once the syntax of all statements is right.
CREATE STREAM s (id INT PRIMARY KEY, a INT) WITH (kafka_topic='s');
CREATE TABLE t (id INT KEY) WITH (kafka_topic='t');
CREATE STREAM s (a INT, b INT, a STRING) WITH (kafka_topic='s');
CREATE STREAM s (a DECIMAL(2, 5)) WITH (kafka_topic='s', KAFKA_TOPIC='t');
SELECT readngs.a, b FROM readings r;
SELECT 9223372036854775808, 1E999 FROM s LIMIT 1.5;
INSERT INTO s (a, b) VALUES (1);
CREATE STREAM o AS SELECT MAP('a' := 1, 'a' := 2) FROM s;
CREATE STREAM o AS SELECT a FROM s LIMIT 2;
SELECT DATE '2020-01-01' FROM s;
DESCRIBE `a b`;
DESCRIBE ${nothing};
---- check
error: Line: 2, Col: 18: Column is a 'PRIMARY KEY' column: please use 'KEY' for streams.
Tables have PRIMARY KEYs, which are unique and NON NULL.
Streams have KEYs, which have no uniqueness or NON NULL constraints.
--> script.sql:2:18
 2 | CREATE STREAM s (id INT PRIMARY KEY, a INT) WITH (kafka_topic='s');
   |                  ^^^^^^^^^^^^^^^^^^

error: Line: 3, Col: 17: Column is a 'KEY' column: please use 'PRIMARY KEY' for tables.
Tables have PRIMARY KEYs, which are unique and NON NULL.
Streams have KEYs, which have no uniqueness or NON NULL constraints.
--> script.sql:3:17
 3 | CREATE TABLE t (id INT KEY) WITH (kafka_topic='t');
   |                 ^^^^^^^^^^

error: Failed to prepare statement: Duplicate column names: `A`
--> script.sql:4:32
 4 | CREATE STREAM s (a INT, b INT, a STRING) WITH (kafka_topic='s');
   |                                ^

error: Failed to prepare statement: DECIMAL precision must be >= scale: DECIMAL(2,5)
--> script.sql:5:20
 5 | CREATE STREAM s (a DECIMAL(2, 5)) WITH (kafka_topic='s', KAFKA_TOPIC='t');
   |                    ^^^^^^^^^^^^^

error: Failed to prepare statement: 'READNGS' is not a valid stream/table name or alias.
--> script.sql:6:8
 6 | SELECT readngs.a, b FROM readings r;
   |        ^^^^^^^
help: did you mean READINGS?

error: Failed to prepare statement: line 7:9: Syntax error at line 7:9
--> script.sql:7:8
 7 | SELECT 9223372036854775808, 1E999 FROM s LIMIT 1.5;
   |        ^^^^^^^^^^^^^^^^^^^ Invalid numeric literal: 9223372036854775808

error: Failed to prepare statement: line 7:30: Syntax error at line 7:30
--> script.sql:7:29
 7 | SELECT 9223372036854775808, 1E999 FROM s LIMIT 1.5;
   |                             ^^^^^ Number overflows DOUBLE: 1E999

error: Failed to prepare statement: Value must be integer for command: LIMIT
--> script.sql:7:48
 7 | SELECT 9223372036854775808, 1E999 FROM s LIMIT 1.5;
   |                                                ^^^

error: Failed to prepare statement: Expected number columns and values to match: 2, 1
--> script.sql:8:13
 8 | INSERT INTO s (a, b) VALUES (1);
   |             ^

error: Failed to prepare statement: Multiple entries with same key: 'a'=2 and 'a'=1
--> script.sql:9:41
 9 | CREATE STREAM o AS SELECT MAP('a' := 1, 'a' := 2) FROM s;
   |                                         ^^^

error: Failed to prepare statement: CREATE STREAM AS SELECT statements don't support LIMIT clause.
--> script.sql:10:36
 10 | CREATE STREAM o AS SELECT a FROM s LIMIT 2;
    |                                    ^^^^^^^

error: Failed to prepare statement: Unknown type: DATE, location:Optional[Line: 11, Col: 8]
--> script.sql:11:8
 11 | SELECT DATE '2020-01-01' FROM s;
    |        ^^^^^^^^^^^^^^^^^

error: Illegal argument at Line: 12, Col: 10. Source names may only contain alphanumeric values, '_' or '-'. Got: 'a b'
--> script.sql:12:10
 12 | DESCRIBE `a b`;
    |          ^^^^^

error: Illegal argument at Line: 13, Col: 10. Source names may only contain alphanumeric values, '_' or '-'. Got: '${NOTHING}'
--> script.sql:13:10
 13 | DESCRIBE ${nothing};
    |          ^^^^^^^^^^
help: there is no variable nothing: DEFINE nothing = '…' sets it

script.sql: 12 statements are faulty
exit code 1
