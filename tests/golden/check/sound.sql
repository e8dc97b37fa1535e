-- A file without faults: its queries are counted, and the topics that must exist are named.
CREATE STREAM clicks (id VARCHAR, page VARCHAR, ms BIGINT)
  WITH (KAFKA_TOPIC='clicks', VALUE_FORMAT='JSON');
CREATE TABLE visits AS SELECT page, COUNT(*) AS n FROM clicks GROUP BY page EMIT CHANGES;
CREATE STREAM slow WITH (KAFKA_TOPIC='slow-clicks') AS SELECT * FROM clicks WHERE ms > 1000;
---- check
assumed: topic clicks exists (--bootstrap-servers checks it)
CLICKS  stream  script.sql:2:1  topic clicks (KAFKA, JSON)
  ID    STRING
  PAGE  STRING
  MS    BIGINT
VISITS  table   script.sql:4:1  topic VISITS (KAFKA, JSON), query CTAS_VISITS_0
  PAGE  STRING                  primary key
  N     BIGINT
SLOW    stream  script.sql:5:1  topic slow-clicks (KAFKA, JSON), query CSAS_SLOW_1
  ID    STRING
  PAGE  STRING
  MS    BIGINT
script.sql: 2 queries, nothing wrong
exit code 0
