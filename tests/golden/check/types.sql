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
   |                           ^^^^^^^^ page is a STRING and 1 an INTEGER: + takes two numbers or two STRINGs
help: write page + CAST(1 AS STRING) to join texts, CAST(page AS INTEGER) + 1 to add numbers

error: Could not determine output schema for query due to error: Function 'ucase' does not accept parameters (BIGINT).
Valid alternatives are:
UCASE(VARCHAR input)
--> script.sql:5:33
 5 | CREATE STREAM b AS SELECT UCASE(ms) AS wrong FROM clicks;
   |                                 ^^ ms is a BIGINT: UCASE takes a STRING here
help: write CAST(ms AS STRING)

error: Could not determine output schema for query due to error: Type error in WHERE expression: Should evaluate to boolean but is (STRING) instead.
--> script.sql:6:48
 6 | CREATE STREAM c AS SELECT id FROM clicks WHERE page;
   |                                                ^^^^ this is a STRING, not a condition
help: compare it with a value, as in … = … or … > …

error: Could not determine output schema for query due to error: Non-aggregate SELECT expression(s) not part of GROUP BY: PAGE
Either add the column(s) to the GROUP BY or remove them from the SELECT.
--> script.sql:8:30
 8 | CREATE TABLE d AS SELECT id, page, COUNT(*) AS n FROM clicks GROUP BY id;
   |                              ^^^^ of which row of a group? It is neither grouped nor aggregated
help: add PAGE to GROUP BY, or take the latest with LATEST_BY_OFFSET(PAGE)

assumed: topic clicks exists (--bootstrap-servers checks it)
script.sql: 4 statements are faulty
exit code 1
