-- Each change of two tables is joined; what comes of it waits, and says at the commit what it is by then. One both of
-- whose sides go in between goes too.
CREATE TABLE l (id STRING PRIMARY KEY, x INT) WITH (kafka_topic='l', value_format='JSON', partitions=1);
CREATE TABLE r (id STRING PRIMARY KEY, y INT, h BYTES HEADER('h')) WITH (kafka_topic='r', value_format='JSON', partitions=1);
CREATE TABLE both AS SELECT l.id AS id, x, y, h, r.rowtime AS rt FROM l JOIN r ON l.id = r.id;
---- records
l a {"x":1} @ 1s   => nothing
l a {"x":2} @ 2s   => nothing
r a {"y":3} @ 3s   => nothing
l b {"x":4} @ 4s   => nothing
commit             => BOTH a {"X":2,"Y":3,"H":null,"RT":3000} @ 3s
r b {"y":5} @ 9s   => nothing
commit             => BOTH b {"X":4,"Y":5,"H":null,"RT":9000} @ 9s
l a {"x":6} @ 5s   => nothing
r a null @ 6s      => nothing
l c {"x":7} @ 7s   => nothing
l c null @ 8s      => nothing
r d {"y":8} @ 8s   => nothing
r d null @ 9s      => nothing
r e {"y":9} @ 9s   => nothing
commit             => BOTH a null @ 6s
r a {"y":10} @ 11s => nothing
r e null @ 12s     => nothing
r e {"y":11} @ 13s => nothing
commit             => BOTH a {"X":6,"Y":10,"H":null,"RT":11000} @ 11s
l b null @ 14s     => nothing
r b null @ 15s     => nothing
commit             => BOTH b null @ 14s
---- stores
CTAS_BOTH_0-KafkaTopic_Left-Reduce a {"X":6,"ROWPARTITION":0,"ROWOFFSET":3} @ 5s
CTAS_BOTH_0-KafkaTopic_Left-Reduce b null @ 14s
CTAS_BOTH_0-KafkaTopic_Left-Reduce c null @ 8s
CTAS_BOTH_0-KafkaTopic_Right-Reduce a {"Y":10,"H":null,"ROWPARTITION":0,"ROWOFFSET":6} @ 11s
CTAS_BOTH_0-KafkaTopic_Right-Reduce b null @ 15s
CTAS_BOTH_0-KafkaTopic_Right-Reduce d null @ 9s
CTAS_BOTH_0-KafkaTopic_Right-Reduce e {"Y":11,"H":null,"ROWPARTITION":0,"ROWOFFSET":8} @ 13s
CTAS_BOTH_0-Project-Last a {"X":6,"Y":10,"H":null,"RT":11000} @ 11s
CTAS_BOTH_0-Project-Last b null @ 14s
