-- A row of a table is there for a stream as soon as it has come, and is logged with the commit.
CREATE STREAM s (id STRING KEY, x INT) WITH (kafka_topic='s', value_format='JSON', partitions=1);
CREATE TABLE t (id STRING PRIMARY KEY, y INT) WITH (kafka_topic='t', value_format='JSON', partitions=1);
CREATE STREAM both AS SELECT s.id AS id, x, y FROM s LEFT JOIN t ON s.id = t.id;
---- records
t a {"y":1} @ 1s => nothing
s a {"x":2} @ 2s => BOTH a {"X":2,"Y":1} @ 2s
t a {"y":3} @ 3s => nothing
s a {"x":4} @ 4s => BOTH a {"X":4,"Y":3} @ 4s
t a null @ 5s    => nothing
s a {"x":6} @ 6s => BOTH a {"X":6,"Y":null} @ 6s
t b {"y":7} @ 7s => nothing
commit           => nothing
t a null @ 8s    => nothing
t b null @ 9s    => nothing
commit           => nothing
---- stores
CSAS_BOTH_0-KafkaTopic_Right-Reduce a null @ 5s
CSAS_BOTH_0-KafkaTopic_Right-Reduce b null @ 9s
