-- Joins: criteria, kinds, keys and columns that several sources have.
CREATE STREAM clicks (id VARCHAR KEY, page VARCHAR, ms BIGINT, ts TIMESTAMP, d DATE, ok BOOLEAN, price DECIMAL(6, 2),
  s STRUCT<name STRING, n INT>, tags ARRAY<STRING>, m MAP<STRING, INT>) WITH (KAFKA_TOPIC='clicks', VALUE_FORMAT='JSON');
CREATE TABLE users (id VARCHAR PRIMARY KEY, name VARCHAR, level INT) WITH (KAFKA_TOPIC='users', VALUE_FORMAT='JSON');
CREATE STREAM orders (id VARCHAR KEY, who VARCHAR, ms INT) WITH (KAFKA_TOPIC='orders', VALUE_FORMAT='JSON');
CREATE STREAM a1 AS SELECT c.id, u.nme FROM clicks c JOIN users u ON c.id = u.id;
CREATE STREAM a2 AS SELECT id, name FROM clicks c JOIN users u ON c.id = u.id;
CREATE STREAM a3 AS SELECT c.id, x.name FROM clicks c JOIN users u ON c.id = u.id;
CREATE STREAM a4 AS SELECT c.id, u.name FROM clicks c JOIN users u ON c.ms = u.id;
CREATE STREAM a5 AS SELECT c.id, u.name FROM clicks c JOIN users u ON c.id = u.name;
CREATE STREAM a6 AS SELECT c.id, u.name FROM clicks c JOIN users u ON c.id > u.id;
CREATE STREAM a7 AS SELECT c.id, u.name FROM clicks c JOIN users u ON c.id = u.id AND c.ms > 5;
CREATE STREAM a8 AS SELECT c.id, u.name FROM clicks c RIGHT JOIN users u ON c.id = u.id;
CREATE STREAM a9 AS SELECT c.id, u.name FROM clicks c FULL JOIN users u ON c.id = u.id;
CREATE STREAM b1 AS SELECT c.id, o.who FROM clicks c JOIN orders o ON c.id = o.id;
CREATE STREAM b2 AS SELECT c.id, u.name FROM clicks c JOIN users u WITHIN 1 HOUR ON c.id = u.id;
CREATE STREAM b3 AS SELECT c.page, u.name FROM clicks c JOIN users u ON c.id = u.id;
CREATE STREAM b4 AS SELECT c.id, d.page FROM clicks c JOIN clicks d WITHIN 1 HOUR ON c.id = d.id;
CREATE STREAM b5 AS SELECT c.id, u.name FROM clicks c JOIN users u ON c.id = c.page;
CREATE STREAM b6 AS SELECT u.id, c.page FROM users u JOIN clicks c ON c.id = u.id;
CREATE STREAM b7 AS SELECT c.id, u.name + 1 AS x, c.pge, u.level || 'x' AS y FROM clicks c JOIN users u ON c.id = u.id WHERE u.name = c.ms;
CREATE STREAM b8 AS SELECT c.id FROM clicks c JOIN usrs u ON c.id = u.id JOIN ordrs o ON o.id = c.id;
---- check
error: Could not determine output schema for query due to error: Line: 6, Col: 34: SELECT column 'U.NME' cannot be resolved.
--> script.sql:6:34
 6 | CREATE STREAM a1 AS SELECT c.id, u.nme FROM clicks c JOIN users u ON c.id = u.id;
   |                                  ^^^^^
help: did you mean U.NAME?

error: Exception while preparing statement: Line: 7, Col: 28: Column 'ID' is ambiguous. Could be C.ID or U.ID.
--> script.sql:7:28
 7 | CREATE STREAM a2 AS SELECT id, name FROM clicks c JOIN users u ON c.id = u.id;
   |                            ^^
help: write C.ID or U.ID

error: Failed to prepare statement: 'X' is not a valid stream/table name or alias.
--> script.sql:8:34
 8 | CREATE STREAM a3 AS SELECT c.id, x.name FROM clicks c JOIN users u ON c.id = u.id;
   |                                  ^
help: streams and tables: CLICKS, C, USERS, U

error: Could not determine output schema for query due to error: Invalid join. Key types differ: BIGINT vs STRING
--> script.sql:9:71
 9 | CREATE STREAM a4 AS SELECT c.id, u.name FROM clicks c JOIN users u ON c.ms = u.id;
   |                                                                       ^^^^^^^^^^^ c.ms is a BIGINT, u.id is a STRING
help: CAST one side to the type of the other

error: Could not determine output schema for query due to error: Invalid join condition: stream-table joins require to join on the table's primary key. Got C.ID = U.NAME.
--> script.sql:10:55
 10 | CREATE STREAM a5 AS SELECT c.id, u.name FROM clicks c JOIN users u ON c.id = u.name;
    |                                                       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

error: Could not determine output schema for query due to error: Only equality join criteria is supported.
--> script.sql:11:71
 11 | CREATE STREAM a6 AS SELECT c.id, u.name FROM clicks c JOIN users u ON c.id > u.id;
    |                                                                       ^^^^^^^^^^^
help: join on what is equal, and write other conditions in WHERE

error: Could not determine output schema for query due to error: Invalid join condition: joins on multiple conditions are not yet supported. Got ((C.ID = U.ID) AND (C.MS > 5)).
--> script.sql:12:71
 12 | CREATE STREAM a7 AS SELECT c.id, u.name FROM clicks c JOIN users u ON c.id = u.id AND c.ms > 5;
    |                                                                       ^^^^^^^^^^^^^^^^^^^^^^^^
help: join on one of them, and write the others in WHERE

error: Could not determine output schema for query due to error: Invalid join type encountered: RIGHT [OUTER] JOIN
--> script.sql:13:55
 13 | CREATE STREAM a8 AS SELECT c.id, u.name FROM clicks c RIGHT JOIN users u ON c.id = u.id;
    |                                                       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ a stream joins a table, not the other way

error: Could not determine output schema for query due to error: Invalid join type: full-outer join not supported for stream-table join. Got CLICKS [FULL] OUTER JOIN USERS.
--> script.sql:14:55
 14 | CREATE STREAM a9 AS SELECT c.id, u.name FROM clicks c FULL JOIN users u ON c.id = u.id;
    |                                                       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

error: Could not determine output schema for query due to error: Stream-Stream joins must have a WITHIN clause specified. None was provided. To learn about how to specify a WITHIN clause with a stream-stream join, please visit: https://docs.confluent.io/current/ksql/docs/syntax-reference.html#create-stream-as-select
--> script.sql:15:54
 15 | CREATE STREAM b1 AS SELECT c.id, o.who FROM clicks c JOIN orders o ON c.id = o.id;
    |                                                      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ how far apart in time may two records be?
help: write WITHIN 1 HOUR before ON, with the time that is meant

error: Could not determine output schema for query due to error: A window definition was provided for a Stream-Table join. These joins are not windowed. Please drop the window definition (ie. the WITHIN clause) and try to execute your Stream-Table join again.
--> script.sql:16:75
 16 | CREATE STREAM b2 AS SELECT c.id, u.name FROM clicks c JOIN users u WITHIN 1 HOUR ON c.id = u.id;
    |                                                                           ^^^^^^
help: take WITHIN away: a row meets the table as it is then

error: Could not determine output schema for query due to error: Key missing from projection (ie, SELECT). 
The query used to build `B3` must include the join expressions C.ID or U.ID in its projection (eg, SELECT C.ID...).
--> script.sql:17:28
 17 | CREATE STREAM b3 AS SELECT c.page, u.name FROM clicks c JOIN users u ON c.id = u.id;
    |                            ^^^^^^^^^^^^^^ the key of the joined rows is not selected

error: Could not determine output schema for query due to error: Can not join 'CLICKS' to 'CLICKS': self joins are not yet supported.
--> script.sql:18:60
 18 | CREATE STREAM b4 AS SELECT c.id, d.page FROM clicks c JOIN clicks d WITHIN 1 HOUR ON c.id = d.id;
    |                                                            ^^^^^^
help: copy it first: CREATE … AS SELECT * FROM CLICKS

error: Could not determine output schema for query due to error: Each side of the join must reference exactly one source and not the same source. Left side references `C` and right references `C`
--> script.sql:19:71
 19 | CREATE STREAM b5 AS SELECT c.id, u.name FROM clicks c JOIN users u ON c.id = c.page;
    |                                                                       ^^^^^^^^^^^^^

error: Could not determine output schema for query due to error: Invalid join order: table-stream joins are not supported; only stream-table joins. Got USERS [INNER] JOIN CLICKS.
--> script.sql:20:54
 20 | CREATE STREAM b6 AS SELECT u.id, c.page FROM users u JOIN clicks c ON c.id = u.id;
    |                                                      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^

error: Could not determine output schema for query due to error: Line: 21, Col: 51: SELECT column 'C.PGE' cannot be resolved.
--> script.sql:21:51
 21 | CREATE STREAM b7 AS SELECT c.id, u.name + 1 AS x, c.pge, u.level || 'x' AS y FROM clicks c JOIN users u ON c.id = u.id WHERE u.name = c.ms;
    |                                                   ^^^^^
help: did you mean C.PAGE?

error: Could not determine output schema for query due to error: Error processing expression.
--> script.sql:21:34
 21 | CREATE STREAM b7 AS SELECT c.id, u.name + 1 AS x, c.pge, u.level || 'x' AS y FROM clicks c JOIN users u ON c.id = u.id WHERE u.name = c.ms;
    |                                  ^^^^^^^^^^ u.name is a STRING and 1 an INTEGER: + takes two numbers or two STRINGs
help: write u.name + CAST(1 AS STRING) to join texts, CAST(u.name AS INTEGER) + 1 to add numbers

error: Could not determine output schema for query due to error: Function 'concat' does not accept parameters (INTEGER, STRING).
Valid alternatives are:
CONCAT(VARCHAR... inputs)
CONCAT(BYTES... inputs)
--> script.sql:21:58
 21 | CREATE STREAM b7 AS SELECT c.id, u.name + 1 AS x, c.pge, u.level || 'x' AS y FROM clicks c JOIN users u ON c.id = u.id WHERE u.name = c.ms;
    |                                                          ^^^^^^^^^^^^^^ ksqlDB has no ||
help: write CAST(u.level AS STRING) + 'x'

error: Could not determine output schema for query due to error: Error in WHERE expression
--> script.sql:21:126
 21 | CREATE STREAM b7 AS SELECT c.id, u.name + 1 AS x, c.pge, u.level || 'x' AS y FROM clicks c JOIN users u ON c.id = u.id WHERE u.name = c.ms;
    |                                                                                                                              ^^^^^^^^^^^^^ u.name is a STRING and c.ms a BIGINT
help: write CAST(u.name AS BIGINT) to compare BIGINTs

error: Exception while preparing statement: USRS does not exist.
--> script.sql:22:52
 22 | CREATE STREAM b8 AS SELECT c.id FROM clicks c JOIN usrs u ON c.id = u.id JOIN ordrs o ON o.id = c.id;
    |                                                    ^^^^
help: did you mean USERS?

error: Exception while preparing statement: ORDRS does not exist.
--> script.sql:22:79
 22 | CREATE STREAM b8 AS SELECT c.id FROM clicks c JOIN usrs u ON c.id = u.id JOIN ordrs o ON o.id = c.id;
    |                                                                               ^^^^^
help: did you mean ORDERS?

assumed: topic clicks exists (--bootstrap-servers checks it)
assumed: topic orders exists (--bootstrap-servers checks it)
assumed: topic users exists (--bootstrap-servers checks it)
script.sql: 17 statements are faulty
exit code 1
