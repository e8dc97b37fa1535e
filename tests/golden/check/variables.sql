-- With variables put in, a fault is told with the statement as it is written.
DEFINE topic = 'clicks';
CREATE STREAM clicks (id VARCHAR) WITH (KAFKA_TOPIC='${topic}', VALUE_FORMAT='JSON');
DEFINE source = 'nowhere';
CREATE STREAM copy AS SELECT * FROM ${source};
---- check
error: Exception while preparing statement: NOWHERE does not exist.
--> script.sql:5:37
 5 | CREATE STREAM copy AS SELECT * FROM ${source};
   |                                     ^^^^^^^^^
help: streams and tables: CLICKS

assumed: topic clicks exists (--bootstrap-servers checks it)
script.sql: 1 statement is faulty
exit code 1
