-- A file is run from its beginning at each start, so that it only says what is to be there.
CREATE STREAM clicks (id VARCHAR) WITH (KAFKA_TOPIC='clicks', VALUE_FORMAT='JSON', PARTITIONS=1);
CREATE STREAM copy AS SELECT * FROM clicks;
DROP STREAM copy;
TERMINATE CSAS_COPY_0;
ALTER STREAM clicks ADD COLUMN page VARCHAR;
SHOW STREAMS;
---- check
error: Unsupported statement. Only the following statements are supported in standalone mode: CREATE STREAM, CREATE STREAM AS SELECT, CREATE TABLE, CREATE TABLE AS SELECT, DEFINE, INSERT INTO, REGISTER TYPE, SET, UNDEFINE, UNSET
--> script.sql:4:1
 4 | DROP STREAM copy;
   | ^^^^^^^^^^^^^^^^^ in this statement
help: a file says what is to be there, and is run from its beginning at each start

error: Unsupported statement. Only the following statements are supported in standalone mode: CREATE STREAM, CREATE STREAM AS SELECT, CREATE TABLE, CREATE TABLE AS SELECT, DEFINE, INSERT INTO, REGISTER TYPE, SET, UNDEFINE, UNSET
--> script.sql:5:1
 5 | TERMINATE CSAS_COPY_0;
   | ^^^^^^^^^^^^^^^^^^^^^^ in this statement
help: a file says what is to be there, and is run from its beginning at each start

error: Unsupported statement. Only the following statements are supported in standalone mode: CREATE STREAM, CREATE STREAM AS SELECT, CREATE TABLE, CREATE TABLE AS SELECT, DEFINE, INSERT INTO, REGISTER TYPE, SET, UNDEFINE, UNSET
--> script.sql:6:1
 6 | ALTER STREAM clicks ADD COLUMN page VARCHAR;
   | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ in this statement
help: a file says what is to be there, and is run from its beginning at each start

error: Unsupported statement. Only the following statements are supported in standalone mode: CREATE STREAM, CREATE STREAM AS SELECT, CREATE TABLE, CREATE TABLE AS SELECT, DEFINE, INSERT INTO, REGISTER TYPE, SET, UNDEFINE, UNSET
--> script.sql:7:1
 7 | SHOW STREAMS;
   | ^^^^^^^^^^^^^ in this statement
help: a file says what is to be there, and is run from its beginning at each start

script.sql: 4 statements are faulty
exit code 1
