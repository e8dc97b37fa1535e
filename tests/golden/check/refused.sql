-- What cannot be is said so, not passed over.
CREATE STREAM clicks (id VARCHAR, page VARCHAR) WITH (KAFKA_TOPIC='clicks', VALUE_FORMAT='JSON');
CREATE TABLE users (id VARCHAR PRIMARY KEY, name VARCHAR) WITH (KAFKA_TOPIC='users', VALUE_FORMAT='JSON');
CREATE STREAM named AS SELECT c.id, u.name FROM clicks c JOIN users u ON c.id = u.id;
CREATE STREAM packed WITH (VALUE_FORMAT='AVRO') AS SELECT * FROM clicks;
CREATE STREAM proto WITH (VALUE_FORMAT='PROTOBUF') AS SELECT * FROM clicks;
INSERT INTO clicks (id, page) VALUES ('a', 'home');
SELECT * FROM clicks EMIT CHANGES;
SELECT * FROM users WHERE id = 'a';
---- check
error: KSQL is not configured to use a schema registry. To enable it, please set ksql.schema.registry.url
--> script.sql:5:41
 5 | CREATE STREAM packed WITH (VALUE_FORMAT='AVRO') AS SELECT * FROM clicks;
   |                                         ^^^^^^
help: the schemas of AVRO are in a Schema Registry: --property ksql.schema.registry.url=URL tells the server, or whatever runs the statement, where it is

error: KSQL is not configured to use a schema registry. To enable it, please set ksql.schema.registry.url
--> script.sql:6:40
 6 | CREATE STREAM proto WITH (VALUE_FORMAT='PROTOBUF') AS SELECT * FROM clicks;
   |                                        ^^^^^^^^^^
help: the schemas of PROTOBUF are in a Schema Registry: --property ksql.schema.registry.url=URL tells the server, or whatever runs the statement, where it is

error: Unsupported statement. Only the following statements are supported in standalone mode: CREATE STREAM, CREATE STREAM AS SELECT, CREATE TABLE, CREATE TABLE AS SELECT, DEFINE, INSERT INTO, REGISTER TYPE, SET, UNDEFINE, UNSET
--> script.sql:7:1
 7 | INSERT INTO clicks (id, page) VALUES ('a', 'home');
   | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ in this statement
help: a file says what is to be there, and is run from its beginning at each start

error: Unsupported statement. Only the following statements are supported in standalone mode: CREATE STREAM, CREATE STREAM AS SELECT, CREATE TABLE, CREATE TABLE AS SELECT, DEFINE, INSERT INTO, REGISTER TYPE, SET, UNDEFINE, UNSET
--> script.sql:8:1
 8 | SELECT * FROM clicks EMIT CHANGES;
   | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ in this statement
help: a file says what is to be there, and is run from its beginning at each start

error: Unsupported statement. Only the following statements are supported in standalone mode: CREATE STREAM, CREATE STREAM AS SELECT, CREATE TABLE, CREATE TABLE AS SELECT, DEFINE, INSERT INTO, REGISTER TYPE, SET, UNDEFINE, UNSET
--> script.sql:9:1
 9 | SELECT * FROM users WHERE id = 'a';
   | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ in this statement
help: a file says what is to be there, and is run from its beginning at each start

assumed: topic clicks exists (--bootstrap-servers checks it)
assumed: topic users exists (--bootstrap-servers checks it)
script.sql: 5 statements are faulty
exit code 1
