-- Syntax errors of several statements at once.
CREATE STREEM clicks (id VARCHAR) WITH (KAFKA_TOPIC='clicks', VALUE_FORMAT='JSON');
CREATE TABLE counts AS SELECT id, COUNT(*) FORM clicks GROUP BY id;
CREATE STREAM twice (id VARCHAR, id VARCHAR) WITH (KAFKA_TOPIC='clicks', VALUE_FORMAT='JSON');
---- check
error: line 2:8: Syntax error at line 2:8
--> script.sql:2:8
 2 | CREATE STREEM clicks (id VARCHAR) WITH (KAFKA_TOPIC='clicks', VALUE_FORMAT='JSON');
   |        ^^^^^^ Syntax error at or near 'STREEM' at line 2:8
help: did you mean STREAM?

error: line 3:49: Syntax error at line 3:49
--> script.sql:3:49
 3 | CREATE TABLE counts AS SELECT id, COUNT(*) FORM clicks GROUP BY id;
   |                                                 ^^^^^^ Expecting {',', 'FROM'}
help: did you mean FROM? FORM is taken for a name

error: Failed to prepare statement: Duplicate column names: `ID`
--> script.sql:4:34
 4 | CREATE STREAM twice (id VARCHAR, id VARCHAR) WITH (KAFKA_TOPIC='clicks', VALUE_FORMAT='JSON');
   |                                  ^^

script.sql: 3 statements are faulty
exit code 1
