-- Two streams are joined where their rows have one key and lie close enough in time, whichever comes first.
CREATE STREAM orders (id STRING KEY, item STRING) WITH (kafka_topic='orders', value_format='JSON', partitions=1);
CREATE STREAM payments (id STRING KEY, cents INT) WITH (kafka_topic='payments', value_format='JSON', partitions=1);
CREATE STREAM paid AS SELECT o.id, item, cents FROM orders o
  JOIN payments p WITHIN (10 SECONDS, 60 SECONDS) GRACE PERIOD 10 SECONDS ON o.id = p.id;
---- records
orders a {"item":"tea"} @ 100s    => nothing
payments a {"cents":1} @ 90s      => PAID a {"ITEM":"tea","CENTS":1} @ 100s  -- 10 s before the order is soon enough
payments a {"cents":2} @ 89999ms  => nothing
payments b {"cents":3} @ 100s     => nothing
payments a {"cents":4} @ 160s     => PAID a {"ITEM":"tea","CENTS":4} @ 160s
payments a {"cents":5} @ 160001ms => nothing
orders a {"item":"jam"} @ 100s    => PAID a {"ITEM":"jam","CENTS":1} @ 100s  -- duplicates are joined each, in the order of their times
                                  => PAID a {"ITEM":"jam","CENTS":4} @ 160s
orders a {"item":"late"} @ 90s    => PAID a {"ITEM":"late","CENTS":2} @ 90s
                                  => PAID a {"ITEM":"late","CENTS":1} @ 90s
orders null {"item":"?"} @ 160s   => nothing
orders a null @ 160s              => nothing
payments a {"cents":6} @ 180s     => nothing
orders a {"item":"bun"} @ 101s    => PAID a {"ITEM":"bun","CENTS":4} @ 160s  -- 80 s are kept behind the last payment
                                  => PAID a {"ITEM":"bun","CENTS":5} @ 160001ms
orders a {"item":"old"} @ 100s    => PAID a {"ITEM":"old","CENTS":4} @ 160s
---- stores
CSAS_PAID_0-KSTREAM-JOINTHIS-0000000008-store a [90s, 3] {"O_ITEM":"late","O_ROWTIME":90000,"O_ROWPARTITION":0,"O_ROWOFFSET":2,"O_ID":"a"} @ 90s
CSAS_PAID_0-KSTREAM-JOINTHIS-0000000008-store a [100s, 1] {"O_ITEM":"tea","O_ROWTIME":100000,"O_ROWPARTITION":0,"O_ROWOFFSET":0,"O_ID":"a"} @ 100s
CSAS_PAID_0-KSTREAM-JOINTHIS-0000000008-store a [100s, 2] {"O_ITEM":"jam","O_ROWTIME":100000,"O_ROWPARTITION":0,"O_ROWOFFSET":1,"O_ID":"a"} @ 100s
CSAS_PAID_0-KSTREAM-JOINTHIS-0000000008-store a [100s, 6] {"O_ITEM":"old","O_ROWTIME":100000,"O_ROWPARTITION":0,"O_ROWOFFSET":6,"O_ID":"a"} @ 100s
CSAS_PAID_0-KSTREAM-JOINTHIS-0000000008-store a [101s, 5] {"O_ITEM":"bun","O_ROWTIME":101000,"O_ROWPARTITION":0,"O_ROWOFFSET":5,"O_ID":"a"} @ 101s
CSAS_PAID_0-KSTREAM-JOINTHIS-0000000008-store a [160s, 4] null @ 160s
CSAS_PAID_0-KSTREAM-JOINOTHER-0000000009-store a [89999ms, 2] {"P_CENTS":2,"P_ROWTIME":89999,"P_ROWPARTITION":0,"P_ROWOFFSET":1,"P_ID":"a"} @ 89999ms
CSAS_PAID_0-KSTREAM-JOINOTHER-0000000009-store a [90s, 1] {"P_CENTS":1,"P_ROWTIME":90000,"P_ROWPARTITION":0,"P_ROWOFFSET":0,"P_ID":"a"} @ 90s
CSAS_PAID_0-KSTREAM-JOINOTHER-0000000009-store a [160s, 4] {"P_CENTS":4,"P_ROWTIME":160000,"P_ROWPARTITION":0,"P_ROWOFFSET":3,"P_ID":"a"} @ 160s
CSAS_PAID_0-KSTREAM-JOINOTHER-0000000009-store a [160001ms, 5] {"P_CENTS":5,"P_ROWTIME":160001,"P_ROWPARTITION":0,"P_ROWOFFSET":4,"P_ID":"a"} @ 160001ms
CSAS_PAID_0-KSTREAM-JOINOTHER-0000000009-store a [180s, 6] {"P_CENTS":6,"P_ROWTIME":180000,"P_ROWPARTITION":0,"P_ROWOFFSET":5,"P_ID":"a"} @ 180s
CSAS_PAID_0-KSTREAM-JOINOTHER-0000000009-store b [100s, 3] {"P_CENTS":3,"P_ROWTIME":100000,"P_ROWPARTITION":0,"P_ROWOFFSET":2,"P_ID":"b"} @ 100s
