-- A file without faults: its queries are counted, and the topics that must exist are named.
CREATE STREAM clicks (id VARCHAR, page VARCHAR, ms BIGINT)
  WITH (KAFKA_TOPIC='clicks', VALUE_FORMAT='JSON');
CREATE TABLE visits AS SELECT page, COUNT(*) AS n FROM clicks GROUP BY page EMIT CHANGES;
CREATE STREAM slow WITH (KAFKA_TOPIC='slow-clicks') AS SELECT * FROM clicks WHERE ms > 1000;
---- check
assumed: topic clicks exists (--bootstrap-servers checks it)
script.sql: 2 queries, nothing wrong
exit code 0
