-- Without a grace period, a row that finds none of the other side is given alone at once; one that comes later finds it.
CREATE STREAM orders (id STRING KEY, item STRING) WITH (kafka_topic='orders', value_format='JSON', partitions=1);
CREATE STREAM payments (id STRING KEY, cents INT) WITH (kafka_topic='payments', value_format='JSON', partitions=1);
CREATE STREAM paid AS SELECT o.id, item, cents FROM orders o LEFT JOIN payments p WITHIN 60 SECONDS ON o.id = p.id;
CREATE STREAM due AS SELECT p.id, item, cents FROM orders o RIGHT JOIN payments p WITHIN 60 SECONDS ON o.id = p.id;
---- records
orders a {"item":"tea"} @ 100s => PAID a {"ITEM":"tea","CENTS":null} @ 100s
payments b {"cents":1} @ 100s  => DUE b {"ITEM":null,"CENTS":1} @ 100s
payments a {"cents":2} @ 150s  => PAID a {"ITEM":"tea","CENTS":2} @ 150s
                               => DUE a {"ITEM":"tea","CENTS":2} @ 150s
payments a {"cents":3} @ 170s  => DUE a {"ITEM":null,"CENTS":3} @ 170s
orders b {"item":"jam"} @ 130s => PAID b {"ITEM":"jam","CENTS":1} @ 130s
                               => DUE b {"ITEM":"jam","CENTS":1} @ 130s
---- stores
CSAS_PAID_0-KSTREAM-JOINTHIS-0000000008-store a [100s, 1] {"O_ITEM":"tea","O_ROWTIME":100000,"O_ROWPARTITION":0,"O_ROWOFFSET":0,"O_ID":"a"} @ 100s
CSAS_PAID_0-KSTREAM-JOINTHIS-0000000008-store b [130s, 2] {"O_ITEM":"jam","O_ROWTIME":130000,"O_ROWPARTITION":0,"O_ROWOFFSET":1,"O_ID":"b"} @ 130s
CSAS_PAID_0-KSTREAM-OUTEROTHER-0000000009-store a [150s, 2] {"P_CENTS":2,"P_ROWTIME":150000,"P_ROWPARTITION":0,"P_ROWOFFSET":1,"P_ID":"a"} @ 150s
CSAS_PAID_0-KSTREAM-OUTEROTHER-0000000009-store a [170s, 3] {"P_CENTS":3,"P_ROWTIME":170000,"P_ROWPARTITION":0,"P_ROWOFFSET":2,"P_ID":"a"} @ 170s
CSAS_PAID_0-KSTREAM-OUTEROTHER-0000000009-store b [100s, 1] {"P_CENTS":1,"P_ROWTIME":100000,"P_ROWPARTITION":0,"P_ROWOFFSET":0,"P_ID":"b"} @ 100s
CSAS_DUE_1-KSTREAM-JOINTHIS-0000000008-store a [150s, 2] {"P_CENTS":2,"P_ROWTIME":150000,"P_ROWPARTITION":0,"P_ROWOFFSET":1,"P_ID":"a"} @ 150s
CSAS_DUE_1-KSTREAM-JOINTHIS-0000000008-store a [170s, 3] {"P_CENTS":3,"P_ROWTIME":170000,"P_ROWPARTITION":0,"P_ROWOFFSET":2,"P_ID":"a"} @ 170s
CSAS_DUE_1-KSTREAM-JOINTHIS-0000000008-store b [100s, 1] {"P_CENTS":1,"P_ROWTIME":100000,"P_ROWPARTITION":0,"P_ROWOFFSET":0,"P_ID":"b"} @ 100s
CSAS_DUE_1-KSTREAM-OUTEROTHER-0000000009-store a [100s, 1] {"O_ITEM":"tea","O_ROWTIME":100000,"O_ROWPARTITION":0,"O_ROWOFFSET":0,"O_ID":"a"} @ 100s
CSAS_DUE_1-KSTREAM-OUTEROTHER-0000000009-store b [130s, 2] {"O_ITEM":"jam","O_ROWTIME":130000,"O_ROWPARTITION":0,"O_ROWOFFSET":1,"O_ID":"b"} @ 130s
