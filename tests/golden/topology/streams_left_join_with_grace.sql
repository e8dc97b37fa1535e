-- With a grace period, a row that finds none of the other side waits until its time is over.
CREATE STREAM orders (id STRING KEY, item STRING) WITH (kafka_topic='orders', value_format='JSON', partitions=1);
CREATE STREAM payments (id STRING KEY, cents INT) WITH (kafka_topic='payments', value_format='JSON', partitions=1);
CREATE STREAM paid AS SELECT o.id, item, cents FROM orders o
  LEFT JOIN payments p WITHIN 60 SECONDS GRACE PERIOD 10 SECONDS ON o.id = p.id;
---- records
orders a {"item":"tea"} @ 100s    => nothing
orders b {"item":"jam"} @ 101s    => nothing
orders c {"item":"bun"} @ 102s    => nothing
payments b {"cents":1} @ 130s     => PAID b {"ITEM":"jam","CENTS":1} @ 130s
payments z {"cents":2} @ 170s     => nothing  -- the time of a is over when stream time has passed 170 s
payments z {"cents":3} @ 170001ms => PAID a {"ITEM":"tea","CENTS":null} @ 100s
payments a {"cents":4} @ 160s     => PAID a {"ITEM":"tea","CENTS":4} @ 160s  -- a late row still finds it, though it was given alone
orders d {"item":"pie"} @ 110s    => PAID d {"ITEM":"pie","CENTS":null} @ 110s  -- 110 s + 60 s are over already: it does not wait
orders e {"item":"fig"} @ 171s    => nothing
orders e {"item":"fig"} @ 171s    => nothing
---- stores
CSAS_PAID_0-KSTREAM-JOINTHIS-0000000008-store a [100s, 1] {"O_ITEM":"tea","O_ROWTIME":100000,"O_ROWPARTITION":0,"O_ROWOFFSET":0,"O_ID":"a"} @ 100s
CSAS_PAID_0-KSTREAM-JOINTHIS-0000000008-store b [101s, 2] {"O_ITEM":"jam","O_ROWTIME":101000,"O_ROWPARTITION":0,"O_ROWOFFSET":1,"O_ID":"b"} @ 101s
CSAS_PAID_0-KSTREAM-JOINTHIS-0000000008-store c [102s, 3] {"O_ITEM":"bun","O_ROWTIME":102000,"O_ROWPARTITION":0,"O_ROWOFFSET":2,"O_ID":"c"} @ 102s
CSAS_PAID_0-KSTREAM-JOINTHIS-0000000008-store d [110s, 4] {"O_ITEM":"pie","O_ROWTIME":110000,"O_ROWPARTITION":0,"O_ROWOFFSET":3,"O_ID":"d"} @ 110s
CSAS_PAID_0-KSTREAM-JOINTHIS-0000000008-store e [171s, 5] {"O_ITEM":"fig","O_ROWTIME":171000,"O_ROWPARTITION":0,"O_ROWOFFSET":4,"O_ID":"e"} @ 171s
CSAS_PAID_0-KSTREAM-JOINTHIS-0000000008-store e [171s, 6] {"O_ITEM":"fig","O_ROWTIME":171000,"O_ROWPARTITION":0,"O_ROWOFFSET":5,"O_ID":"e"} @ 171s
CSAS_PAID_0-KSTREAM-OUTEROTHER-0000000009-store a [160s, 4] {"P_CENTS":4,"P_ROWTIME":160000,"P_ROWPARTITION":0,"P_ROWOFFSET":3,"P_ID":"a"} @ 160s
CSAS_PAID_0-KSTREAM-OUTEROTHER-0000000009-store b [130s, 1] {"P_CENTS":1,"P_ROWTIME":130000,"P_ROWPARTITION":0,"P_ROWOFFSET":0,"P_ID":"b"} @ 130s
CSAS_PAID_0-KSTREAM-OUTEROTHER-0000000009-store z [170s, 2] {"P_CENTS":2,"P_ROWTIME":170000,"P_ROWPARTITION":0,"P_ROWOFFSET":1,"P_ID":"z"} @ 170s
CSAS_PAID_0-KSTREAM-OUTEROTHER-0000000009-store z [170001ms, 3] {"P_CENTS":3,"P_ROWTIME":170001,"P_ROWPARTITION":0,"P_ROWOFFSET":2,"P_ID":"z"} @ 170001ms
CSAS_PAID_0-KSTREAM-OUTERSHARED-0000000008-store a [100s, this] null @ 170001ms
CSAS_PAID_0-KSTREAM-OUTERSHARED-0000000008-store b [101s, this] null @ 130s
CSAS_PAID_0-KSTREAM-OUTERSHARED-0000000008-store c [102s, this] \x01\x00\x00\x00\x01\x00\x00\x00R\x01{\"O_ITEM\":\"bun\",\"O_ROWTIME\":102000,\"O_ROWPARTITION\":0,\"O_ROWOFFSET\":2,\"O_ID\":\"c\"} @ 102s
CSAS_PAID_0-KSTREAM-OUTERSHARED-0000000008-store e [171s, this] \x01\x00\x00\x00\x02\x00\x00\x00R\x01{\"O_ITEM\":\"fig\",\"O_ROWTIME\":171000,\"O_ROWPARTITION\":0,\"O_ROWOFFSET\":4,\"O_ID\":\"e\"}\x00\x00\x00R\x01{\"O_ITEM\":\"fig\",\"O_ROWTIME\":171000,\"O_ROWPARTITION\":0,\"O_ROWOFFSET\":5,\"O_ID\":\"e\"} @ 171s
