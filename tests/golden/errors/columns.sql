-- Columns and types of CREATE STREAM, CREATE TABLE and CREATE TYPE.
CREATE STREAM a1 (a TEXT, b FLOAT, c LONG, e BOOL, f DATETIME, g SMALLINT, h BLOB, i JSON) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');
CREATE STREAM a2 (a NUMERIC, b NUMBER(10), c VARCHR, e STRNG, f BIGNT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');
CREATE STREAM a3 (a ARRAY, b MAP, c ARRAY<TEXT>, e STRUCT<x FLOAT, y LONG>) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');
CREATE STREAM a4 (a INT, b INT, a STRING) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');
CREATE STREAM a5 (a STRUCT<x INT, x STRING>) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');
CREATE STREAM a6 (rowtime BIGINT, a INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');
CREATE TABLE a7 (a INT, b INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');
CREATE STREAM a8 (a MAP<STRING, INT> KEY, b INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON', KEY_FORMAT='JSON');
CREATE STREAM a9 WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');
CREATE STREAM b1 (h STRING HEADER('h')) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');
CREATE STREAM b2 (g BYTES HEADER('h'), h BYTES HEADER('h')) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');
CREATE STREAM b3 (a DECIMAL(2, 5), b DECIMAL(50, 2)) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');
CREATE TYPE address AS STRUCT<street TEXT, zip INT>;
CREATE STREAM b4 (a address) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');
CREATE TYPE person AS STRUCT<name STRING>;
CREATE STREAM b5 (a persn) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');
CREATE TYPE person AS STRUCT<name STRING>;
CREATE TABLE b6 (id INT KEY, a STRING) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');
CREATE STREAM b7 (id INT PRIMARY KEY, a STRING) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');
---- check
error: Failed to prepare statement: Cannot resolve unknown type: TEXT
--> script.sql:2:21
 2 | CREATE STREAM a1 (a TEXT, b FLOAT, c LONG, e BOOL, f DATETIME, g SMALLINT, h BLOB, i JSON) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');
   |                     ^^^^
help: write STRING

error: Failed to prepare statement: Cannot resolve unknown type: FLOAT
--> script.sql:2:29
 2 | CREATE STREAM a1 (a TEXT, b FLOAT, c LONG, e BOOL, f DATETIME, g SMALLINT, h BLOB, i JSON) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');
   |                             ^^^^^
help: write DOUBLE

error: Failed to prepare statement: Cannot resolve unknown type: LONG
--> script.sql:2:38
 2 | CREATE STREAM a1 (a TEXT, b FLOAT, c LONG, e BOOL, f DATETIME, g SMALLINT, h BLOB, i JSON) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');
   |                                      ^^^^
help: write BIGINT

error: Failed to prepare statement: Cannot resolve unknown type: BOOL
--> script.sql:2:46
 2 | CREATE STREAM a1 (a TEXT, b FLOAT, c LONG, e BOOL, f DATETIME, g SMALLINT, h BLOB, i JSON) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');
   |                                              ^^^^
help: write BOOLEAN

error: Failed to prepare statement: Cannot resolve unknown type: DATETIME
--> script.sql:2:54
 2 | CREATE STREAM a1 (a TEXT, b FLOAT, c LONG, e BOOL, f DATETIME, g SMALLINT, h BLOB, i JSON) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');
   |                                                      ^^^^^^^^
help: write TIMESTAMP

error: Failed to prepare statement: Cannot resolve unknown type: SMALLINT
--> script.sql:2:66
 2 | CREATE STREAM a1 (a TEXT, b FLOAT, c LONG, e BOOL, f DATETIME, g SMALLINT, h BLOB, i JSON) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');
   |                                                                  ^^^^^^^^
help: write INT

error: Failed to prepare statement: Cannot resolve unknown type: BLOB
--> script.sql:2:78
 2 | CREATE STREAM a1 (a TEXT, b FLOAT, c LONG, e BOOL, f DATETIME, g SMALLINT, h BLOB, i JSON) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');
   |                                                                              ^^^^
help: write BYTES

error: Failed to prepare statement: Cannot resolve unknown type: JSON
--> script.sql:2:86
 2 | CREATE STREAM a1 (a TEXT, b FLOAT, c LONG, e BOOL, f DATETIME, g SMALLINT, h BLOB, i JSON) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');
   |                                                                                      ^^^^
help: write STRING, and read it with EXTRACTJSONFIELD, or STRUCT<name TYPE, …>

error: Failed to prepare statement: Cannot resolve unknown type: NUMERIC
--> script.sql:3:21
 3 | CREATE STREAM a2 (a NUMERIC, b NUMBER(10), c VARCHR, e STRNG, f BIGNT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');
   |                     ^^^^^^^
help: write DECIMAL(10, 2), with the digits in all and after the point that are meant

error: Failed to prepare statement: Cannot resolve unknown type: NUMBER
--> script.sql:3:32
 3 | CREATE STREAM a2 (a NUMERIC, b NUMBER(10), c VARCHR, e STRNG, f BIGNT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');
   |                                ^^^^^^^^^^
help: write DECIMAL(10, 2), with the digits in all and after the point that are meant, or DOUBLE

error: Failed to prepare statement: Cannot resolve unknown type: VARCHR
--> script.sql:3:46
 3 | CREATE STREAM a2 (a NUMERIC, b NUMBER(10), c VARCHR, e STRNG, f BIGNT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');
   |                                              ^^^^^^
help: did you mean VARCHAR?

error: Failed to prepare statement: Cannot resolve unknown type: STRNG
--> script.sql:3:56
 3 | CREATE STREAM a2 (a NUMERIC, b NUMBER(10), c VARCHR, e STRNG, f BIGNT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');
   |                                                        ^^^^^
help: did you mean STRING?

error: Failed to prepare statement: Cannot resolve unknown type: BIGNT
--> script.sql:3:65
 3 | CREATE STREAM a2 (a NUMERIC, b NUMBER(10), c VARCHR, e STRNG, f BIGNT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');
   |                                                                 ^^^^^
help: did you mean BIGINT?

error: Failed to prepare statement: Cannot resolve unknown type: ARRAY
--> script.sql:4:21
 4 | CREATE STREAM a3 (a ARRAY, b MAP, c ARRAY<TEXT>, e STRUCT<x FLOAT, y LONG>) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');
   |                     ^^^^^
help: write ARRAY<STRING>, with the type of its elements

error: Failed to prepare statement: Cannot resolve unknown type: MAP
--> script.sql:4:30
 4 | CREATE STREAM a3 (a ARRAY, b MAP, c ARRAY<TEXT>, e STRUCT<x FLOAT, y LONG>) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');
   |                              ^^^
help: write MAP<STRING, STRING>, with the type of its values

error: Failed to prepare statement: Cannot resolve unknown type: TEXT
--> script.sql:4:43
 4 | CREATE STREAM a3 (a ARRAY, b MAP, c ARRAY<TEXT>, e STRUCT<x FLOAT, y LONG>) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');
   |                                           ^^^^
help: write STRING

error: Failed to prepare statement: Cannot resolve unknown type: FLOAT
--> script.sql:4:61
 4 | CREATE STREAM a3 (a ARRAY, b MAP, c ARRAY<TEXT>, e STRUCT<x FLOAT, y LONG>) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');
   |                                                             ^^^^^
help: write DOUBLE

error: Failed to prepare statement: Cannot resolve unknown type: LONG
--> script.sql:4:70
 4 | CREATE STREAM a3 (a ARRAY, b MAP, c ARRAY<TEXT>, e STRUCT<x FLOAT, y LONG>) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');
   |                                                                      ^^^^
help: write BIGINT

error: Failed to prepare statement: Duplicate column names: `A`
--> script.sql:5:33
 5 | CREATE STREAM a4 (a INT, b INT, a STRING) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');
   |                                 ^

error: Failed to prepare statement: Duplicate field names found in STRUCT: '`X` INTEGER' and '`X` STRING'
--> script.sql:6:35
 6 | CREATE STREAM a5 (a STRUCT<x INT, x STRING>) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');
   |                                   ^

error: 'ROWTIME' is a reserved column name. You cannot use it as a name for a column.
--> script.sql:7:19
 7 | CREATE STREAM a6 (rowtime BIGINT, a INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');
   |                   ^^^^^^^

error: Tables require a PRIMARY KEY. Please define the PRIMARY KEY.
--> script.sql:8:14
 8 | CREATE TABLE a7 (a INT, b INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');
   |              ^^
help: write PRIMARY KEY behind the column that is the key, as in A … PRIMARY KEY

error: Map keys, including types that contain maps, are not supported as they may lead to unexpected behavior due to inconsistent serialization. Key column name: `A`. Column type: MAP<STRING, INTEGER>. See https://github.com/confluentinc/ksql/issues/6621 for more.
--> script.sql:9:19
 9 | CREATE STREAM a8 (a MAP<STRING, INT> KEY, b INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON', KEY_FORMAT='JSON');
   |                   ^

error: No columns supplied.
--> script.sql:10:15
 10 | CREATE STREAM a9 WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');
    |               ^^
help: write the columns as (name TYPE, …) after the name

error: Failed to prepare statement: Invalid type for HEADER('h') column: expected BYTES, got STRING
--> script.sql:11:21
 11 | CREATE STREAM b1 (h STRING HEADER('h')) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');
    |                     ^^^^^^

error: Schema already contains a HEADER('h') column.
--> script.sql:12:40
 12 | CREATE STREAM b2 (g BYTES HEADER('h'), h BYTES HEADER('h')) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');
    |                                        ^^^^^^^^^^^^^^^^^^^

error: Failed to prepare statement: DECIMAL precision must be >= scale: DECIMAL(2,5)
--> script.sql:13:21
 13 | CREATE STREAM b3 (a DECIMAL(2, 5), b DECIMAL(50, 2)) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');
    |                     ^^^^^^^^^^^^^

error: Failed to prepare statement: Cannot resolve unknown type: TEXT
--> script.sql:14:38
 14 | CREATE TYPE address AS STRUCT<street TEXT, zip INT>;
    |                                      ^^^^
help: write STRING

error: Failed to prepare statement: Cannot resolve unknown type: PERSN
--> script.sql:17:21
 17 | CREATE STREAM b5 (a persn) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');
    |                     ^^^^^
help: did you mean PERSON?

error: Cannot register custom type 'PERSON' since it is already registered with type: STRUCT<`NAME` STRING>
--> script.sql:18:13
 18 | CREATE TYPE person AS STRUCT<name STRING>;
    |             ^^^^^^

error: Line: 19, Col: 18: Column is a 'KEY' column: please use 'PRIMARY KEY' for tables.
Tables have PRIMARY KEYs, which are unique and NON NULL.
Streams have KEYs, which have no uniqueness or NON NULL constraints.
--> script.sql:19:18
 19 | CREATE TABLE b6 (id INT KEY, a STRING) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');
    |                  ^^^^^^^^^^

error: Line: 20, Col: 19: Column is a 'PRIMARY KEY' column: please use 'KEY' for streams.
Tables have PRIMARY KEYs, which are unique and NON NULL.
Streams have KEYs, which have no uniqueness or NON NULL constraints.
--> script.sql:20:19
 20 | CREATE STREAM b7 (id INT PRIMARY KEY, a STRING) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');
    |                   ^^^^^^^^^^^^^^^^^^

note: script.sql:15:1: not checked: the statement that makes ADDRESS is faulty
script.sql: 17 statements are faulty
exit code 1
