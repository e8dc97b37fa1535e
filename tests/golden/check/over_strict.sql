-- ksqlDB knows no OVER: in strict mode it is refused, whatever it would compute.
CREATE STREAM s (id VARCHAR KEY, gt VARCHAR) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');
CREATE STREAM a AS SELECT id, LAG(gt) OVER (PARTITION BY id ORDER BY rowtime) FROM s;
SET 'ksql.millstream.strict'='true';
CREATE STREAM b AS SELECT id, LAG(gt) OVER (PARTITION BY id ORDER BY rowtime) FROM s;
CREATE STREAM c AS SELECT id, gt FROM s WHERE LAG(gt) OVER () = 'a';
CREATE STREAM d AS SELECT id, LAG(gt) AS over FROM s;
---- check
error: ksqlDB has no OVER, and ksql.millstream.strict is true
--> script.sql:5:39
 5 | CREATE STREAM b AS SELECT id, LAG(gt) OVER (PARTITION BY id ORDER BY rowtime) FROM s;
   |                                       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
help: SET 'ksql.millstream.strict'='false' allows what ksqlDB does not have

error: ksqlDB has no OVER, and ksql.millstream.strict is true
--> script.sql:6:55
 6 | CREATE STREAM c AS SELECT id, gt FROM s WHERE LAG(gt) OVER () = 'a';
   |                                                       ^^^^^^^
help: SET 'ksql.millstream.strict'='false' allows what ksqlDB does not have

error: Could not determine output schema for query due to error: Can't find any functions with the name 'LAG'
--> script.sql:7:31
 7 | CREATE STREAM d AS SELECT id, LAG(gt) AS over FROM s;
   |                               ^^^
help: did you mean LOG?

assumed: topic s exists (--bootstrap-servers checks it)
script.sql: 3 statements are faulty
exit code 1
