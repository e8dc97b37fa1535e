-- Names that do not exist, each at its place: sources, columns and functions.
CREATE STREAM clicks (id VARCHAR, page VARCHAR, ms BIGINT)
  WITH (KAFKA_TOPIC='clicks', VALUE_FORMAT='JSON');
CREATE STREAM a AS SELECT * FROM klicks;
CREATE STREAM b AS SELECT id, pge FROM clicks;
CREATE STREAM c AS SELECT UCASSE(page) AS shout FROM clicks;
CREATE STREAM d AS SELECT id FROM clicks WHERE millis > 1000;
CREATE STREAM clicks (id VARCHAR) WITH (KAFKA_TOPIC='other', VALUE_FORMAT='JSON');
---- check
error: Exception while preparing statement: KLICKS does not exist.
--> script.sql:4:34
 4 | CREATE STREAM a AS SELECT * FROM klicks;
   |                                  ^^^^^^
help: did you mean CLICKS?

error: Could not determine output schema for query due to error: Line: 5, Col: 31: SELECT column 'PGE' cannot be resolved.
--> script.sql:5:31
 5 | CREATE STREAM b AS SELECT id, pge FROM clicks;
   |                               ^^^
help: did you mean PAGE?

error: Could not determine output schema for query due to error: Can't find any functions with the name 'UCASSE'
--> script.sql:6:27
 6 | CREATE STREAM c AS SELECT UCASSE(page) AS shout FROM clicks;
   |                           ^^^^^^
help: did you mean UCASE?

error: Could not determine output schema for query due to error: Line: 7, Col: 48: WHERE column 'MILLIS' cannot be resolved.
--> script.sql:7:48
 7 | CREATE STREAM d AS SELECT id FROM clicks WHERE millis > 1000;
   |                                                ^^^^^^
help: columns: ID, PAGE, MS, ROWTIME, ROWPARTITION, ROWOFFSET

error: Cannot add stream 'CLICKS': A stream with the same name already exists
--> script.sql:8:15
 8 | CREATE STREAM clicks (id VARCHAR) WITH (KAFKA_TOPIC='other', VALUE_FORMAT='JSON');
   |               ^^^^^^
help: give it another name; CREATE OR REPLACE changes what is there, IF NOT EXISTS leaves it as it is

assumed: topic clicks exists (--bootstrap-servers checks it)
script.sql: 5 statements are faulty
exit code 1
