-- A full join gives the rows of both sides alone; the key is one of its own, as either side's may be missing.
CREATE STREAM orders (id STRING KEY, item STRING) WITH (kafka_topic='orders', value_format='JSON', partitions=1);
CREATE STREAM payments (id STRING KEY, cents INT) WITH (kafka_topic='payments', value_format='JSON', partitions=1);
CREATE STREAM matched AS SELECT ROWKEY AS id, o.id, p.id, item, cents FROM orders o
  FULL OUTER JOIN payments p WITHIN 60 SECONDS GRACE PERIOD 10 SECONDS ON o.id = p.id;
---- records
orders a {"item":"tea"} @ 100s => nothing
payments b {"cents":1} @ 100s  => nothing
payments c {"cents":2} @ 100s  => nothing
orders c {"item":"jam"} @ 105s => MATCHED c {"O_ID":"c","P_ID":"c","ITEM":"jam","CENTS":2} @ 105s
orders d {"item":"bun"} @ 200s => MATCHED b {"O_ID":null,"P_ID":"b","ITEM":null,"CENTS":1} @ 100s  -- of one time, rows of the other side come first
                               => MATCHED a {"O_ID":"a","P_ID":null,"ITEM":"tea","CENTS":null} @ 100s
---- stores
CSAS_MATCHED_0-KSTREAM-OUTERTHIS-0000000008-store a [100s, 1] {"O_ITEM":"tea","O_ROWTIME":100000,"O_ROWPARTITION":0,"O_ROWOFFSET":0,"O_ID":"a"} @ 100s
CSAS_MATCHED_0-KSTREAM-OUTERTHIS-0000000008-store c [105s, 2] {"O_ITEM":"jam","O_ROWTIME":105000,"O_ROWPARTITION":0,"O_ROWOFFSET":1,"O_ID":"c"} @ 105s
CSAS_MATCHED_0-KSTREAM-OUTERTHIS-0000000008-store d [200s, 3] {"O_ITEM":"bun","O_ROWTIME":200000,"O_ROWPARTITION":0,"O_ROWOFFSET":2,"O_ID":"d"} @ 200s
CSAS_MATCHED_0-KSTREAM-OUTEROTHER-0000000009-store b [100s, 1] {"P_CENTS":1,"P_ROWTIME":100000,"P_ROWPARTITION":0,"P_ROWOFFSET":0,"P_ID":"b"} @ 100s
CSAS_MATCHED_0-KSTREAM-OUTEROTHER-0000000009-store c [100s, 2] {"P_CENTS":2,"P_ROWTIME":100000,"P_ROWPARTITION":0,"P_ROWOFFSET":1,"P_ID":"c"} @ 100s
CSAS_MATCHED_0-KSTREAM-OUTERSHARED-0000000008-store b [100s, other] null @ 200s
CSAS_MATCHED_0-KSTREAM-OUTERSHARED-0000000008-store c [100s, other] null @ 105s
CSAS_MATCHED_0-KSTREAM-OUTERSHARED-0000000008-store a [100s, this] null @ 200s
CSAS_MATCHED_0-KSTREAM-OUTERSHARED-0000000008-store d [200s, this] \x01\x00\x00\x00\x01\x00\x00\x00R\x01{\"O_ITEM\":\"bun\",\"O_ROWTIME\":200000,\"O_ROWPARTITION\":0,\"O_ROWOFFSET\":2,\"O_ID\":\"d\"} @ 200s
