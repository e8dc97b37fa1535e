-- Quotes of names and of texts, and characters that look like them.
CREATE STREAM clicks (id VARCHAR KEY, page VARCHAR, `small` VARCHAR) WITH (KAFKA_TOPIC='clicks', VALUE_FORMAT='JSON');
CREATE STREAM a1 AS SELECT id, page FROM clicks WHERE page = "home";
CREATE STREAM a2 AS SELECT id, "page" FROM clicks;
CREATE STREAM a3 AS SELECT id, small FROM clicks;
CREATE STREAM a4 AS SELECT id, page FROM "clicks";
CREATE STREAM a5 AS SELECT id, page FROM clicks WHERE page = ‘home’;
CREATE STREAM a6 AS SELECT id, page FROM clicks WHERE page = “home”;
CREATE STREAM a7 (a INT) WITH (KAFKA_TOPIC="x", VALUE_FORMAT='JSON');
CREATE STREAM a8 (a INT) WITH (KAFKA_TOPIC=x, VALUE_FORMAT='JSON');
CREATE STREAM a9 AS SELECT id AS end, page AS from FROM clicks;
CREATE STREAM b1 AS SELECT id, page FROM clicks WHERE page – 1 > 0;
CREATE STREAM b2 AS SELECT id, page FROM clicks WHERE page = 'it's';
---- check
error: Could not determine output schema for query due to error: Line: 3, Col: 62: WHERE column 'home' cannot be resolved.
--> script.sql:3:62
 3 | CREATE STREAM a1 AS SELECT id, page FROM clicks WHERE page = "home";
   |                                                              ^^^^^^
help: " stands around names: write 'home' for the text

error: Could not determine output schema for query due to error: Line: 4, Col: 32: SELECT column 'page' cannot be resolved.
--> script.sql:4:32
 4 | CREATE STREAM a2 AS SELECT id, "page" FROM clicks;
   |                                ^^^^^^
help: did you mean PAGE? In quotes, names keep their case

error: Could not determine output schema for query due to error: Line: 5, Col: 32: SELECT column 'SMALL' cannot be resolved.
--> script.sql:5:32
 5 | CREATE STREAM a3 AS SELECT id, small FROM clicks;
   |                                ^^^^^
help: did you mean `small`? Without quotes, names are in capitals

error: Exception while preparing statement: clicks does not exist.
--> script.sql:6:42
 6 | CREATE STREAM a4 AS SELECT id, page FROM "clicks";
   |                                          ^^^^^^^^
help: did you mean CLICKS? In quotes, names keep their case

error: line 7:62: Syntax error at line 7:62
--> script.sql:7:62
 7 | CREATE STREAM a5 AS SELECT id, page FROM clicks WHERE page = ‘home’;
   |                                                              ^ not expected here
help: ‘ is no quote of the language: texts stand in '…'

error: line 8:62: Syntax error at line 8:62
--> script.sql:8:62
 8 | CREATE STREAM a6 AS SELECT id, page FROM clicks WHERE page = “home”;
   |                                                              ^ not expected here
help: “ is no quote of the language: texts stand in '…'

error: line 9:44: Syntax error at line 9:44
--> script.sql:9:44
 9 | CREATE STREAM a7 (a INT) WITH (KAFKA_TOPIC="x", VALUE_FORMAT='JSON');
   |                                            ^^^ not expected here
help: " stands around names: write 'x' for the text

error: line 10:44: Syntax error at line 10:44
--> script.sql:10:44
 10 | CREATE STREAM a8 (a INT) WITH (KAFKA_TOPIC=x, VALUE_FORMAT='JSON');
    |                                            ^ not expected here
help: write 'x' for the text

error: line 11:34: Syntax error at line 11:34
--> script.sql:11:34
 11 | CREATE STREAM a9 AS SELECT id AS end, page AS from FROM clicks;
    |                                  ^^^ not expected here
help: end is a word of the language: write `end` to use it as a name

error: line 12:60: Syntax error at line 12:60
--> script.sql:12:60
 12 | CREATE STREAM b1 AS SELECT id, page FROM clicks WHERE page – 1 > 0;
    |                                                            ^ not expected here
help: – is no minus: write -

error: line 13:66: Syntax error at line 13:66
--> script.sql:13:66
 13 | CREATE STREAM b2 AS SELECT id, page FROM clicks WHERE page = 'it's';
    |                                                                  ^ not expected here
help: a ' within a text is doubled: 'it''s…

assumed: topic clicks exists (--bootstrap-servers checks it)
script.sql: 11 statements are faulty
exit code 1
