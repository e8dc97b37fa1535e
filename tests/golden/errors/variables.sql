-- Variables that are not set, or do not fit where they stand; places are those of the text as it is written.
DEFINE topic = 'clicks';
DEFINE number = '5';
DEFINE text = 'two words';
CREATE STREAM clicks (id VARCHAR, page VARCHAR, ms BIGINT) WITH (KAFKA_TOPIC='${TOPIC}', VALUE_FORMAT='JSON');
CREATE STREAM a1 AS SELECT id, page FROM clicks WHERE page = ${number} AND mss > ${number};
CREATE STREAM a2 AS SELECT id, page FROM ${topik};
CREATE STREAM a3 AS SELECT ${text} FROM clicks;
CREATE STREAM a4 (id VARCHAR) WITH (KAFKA_TOPIC='${nothing}', VALUE_FORMAT='JSON');
CREATE STREAM a5 AS SELECT '${topic}' AS t, nope FROM ${topic};
UNDEFINE topic;
CREATE STREAM a6 AS SELECT id FROM ${topic};
CREATE STREAM a7 AS SELECT '$${topic}' AS t FROM clicks;
CREATE STREAM a8 AS SELECT ${number} ${number} FROM clicks;
---- check
error: Could not determine output schema for query due to error: Line: 1, Col: 68: WHERE column 'MSS' cannot be resolved.
--> script.sql:6:76
 6 | CREATE STREAM a1 AS SELECT id, page FROM clicks WHERE page = ${number} AND mss > ${number};
   |                                                                            ^^^
help: did you mean MS?

error: Could not determine output schema for query due to error: Error in WHERE expression
--> script.sql:6:55
 6 | CREATE STREAM a1 AS SELECT id, page FROM clicks WHERE page = ${number} AND mss > ${number};
   |                                                       ^^^^^^^^^^^^^^^^ page is a STRING and 5 an INTEGER
help: write '5' to compare texts

error: Illegal argument at Line: 7, Col: 42. Source names may only contain alphanumeric values, '_' or '-'. Got: '${TOPIK}'
--> script.sql:7:42
 7 | CREATE STREAM a2 AS SELECT id, page FROM ${topik};
   |                                          ^^^^^^^^
help: there is no variable topik: did you mean topic?

error: Illegal argument at Line: 1, Col: 28.
--> script.sql:8:28
 8 | CREATE STREAM a3 AS SELECT ${text} FROM clicks;
   |                            ^^^^^^^
help: a text needs quotes of its own: DEFINE x = '''text'''

error: Could not determine output schema for query due to error: Line: 1, Col: 43: SELECT column 'NOPE' cannot be resolved.
--> script.sql:10:45
 10 | CREATE STREAM a5 AS SELECT '${topic}' AS t, nope FROM ${topic};
    |                                             ^^^^
help: columns: ID, PAGE, MS, ROWTIME, ROWPARTITION, ROWOFFSET

error: Illegal argument at Line: 12, Col: 36. Source names may only contain alphanumeric values, '_' or '-'. Got: '${TOPIC}'
--> script.sql:12:36
 12 | CREATE STREAM a6 AS SELECT id FROM ${topic};
    |                                    ^^^^^^^^
help: there is no variable topic: DEFINE topic = '…' sets it

error: line 1:30: Syntax error at line 1:30
--> script.sql:14:38
 14 | CREATE STREAM a8 AS SELECT ${number} ${number} FROM clicks;
    |                                      ^^^^^^^^^ Expecting {',', 'FROM'}
help: write a comma before 5

note: script.sql:9:50: there is no variable nothing: DEFINE nothing = '…' sets it; without it, the text stays as it is written
assumed: topic ${nothing} exists (--bootstrap-servers checks it)
assumed: topic clicks exists (--bootstrap-servers checks it)
script.sql: 6 statements are faulty
exit code 1
