-- Expressions whose types do not fit, in one file with a sound query.
CREATE STREAM clicks (id VARCHAR, page VARCHAR, ms BIGINT)
  WITH (KAFKA_TOPIC='clicks', VALUE_FORMAT='JSON');
CREATE STREAM a AS SELECT page + 1 AS wrong FROM clicks;
CREATE STREAM b AS SELECT UCASE(ms) AS wrong FROM clicks;
CREATE STREAM c AS SELECT id FROM clicks WHERE page;
CREATE STREAM fine AS SELECT id FROM clicks;
CREATE TABLE d AS SELECT id, page, COUNT(*) AS n FROM clicks GROUP BY id;
---- check
error: Could not determine output schema for query due to error: Error processing expression.
--> script.sql:4:27
 4 | CREATE STREAM a AS SELECT page + 1 AS wrong FROM clicks;
   |                           ^^^^^^^^ here

error: Could not determine output schema for query due to error: Function 'ucase' does not accept parameters (BIGINT).
Valid alternatives are:
UCASE(VARCHAR input)
For detailed information on a function run: DESCRIBE FUNCTION <Function-Name>;
--> script.sql:5:27
 5 | CREATE STREAM b AS SELECT UCASE(ms) AS wrong FROM clicks;
   |                           ^^^^^^^^^ here

error: Could not determine output schema for query due to error: Type error in WHERE expression: Should evaluate to boolean but is (STRING) instead.
--> script.sql:6:48
 6 | CREATE STREAM c AS SELECT id FROM clicks WHERE page;
   |                                                ^^^^ here

error: Could not determine output schema for query due to error: Non-aggregate SELECT expression(s) not part of GROUP BY: PAGE
Either add the column(s) to the GROUP BY or remove them from the SELECT.
--> script.sql:8:1
 8 | CREATE TABLE d AS SELECT id, page, COUNT(*) AS n FROM clicks GROUP BY id;
   | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ in this statement

assumed: topic clicks exists (--bootstrap-servers checks it)
script.sql: 4 statements are faulty
exit code 1
