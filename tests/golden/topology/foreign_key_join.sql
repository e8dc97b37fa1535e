-- Orders name their customers: each order meets the customer that it names, and each change of a customer all orders that name it.
CREATE TABLE orders (id STRING PRIMARY KEY, customer STRING, amount INT) WITH (kafka_topic='orders', value_format='JSON', partitions=1);
CREATE TABLE customers (id STRING PRIMARY KEY, name STRING) WITH (kafka_topic='customers', value_format='JSON', partitions=1);
CREATE TABLE bills AS SELECT o.id, amount, name FROM orders o JOIN customers c ON o.customer = c.id;
CREATE TABLE offers AS SELECT o.id, amount, name FROM orders o LEFT JOIN customers c ON o.customer = c.id;
---- records
orders o1 {"customer":"ann","amount":1} @ 1s    => OFFERS o1 {"AMOUNT":1,"NAME":null} @ 1s
customers ann {"name":"Ann"} @ 5s               => BILLS o1 {"AMOUNT":1,"NAME":"Ann"} @ 5s
                                                => OFFERS o1 {"AMOUNT":1,"NAME":"Ann"} @ 5s
orders o2 {"customer":"ann","amount":2} @ 3s    => BILLS o2 {"AMOUNT":2,"NAME":"Ann"} @ 5s  -- the time is the later one of both
                                                => OFFERS o2 {"AMOUNT":2,"NAME":"Ann"} @ 5s
customers ann {"name":"Anna"} @ 4s              => BILLS o1 {"AMOUNT":1,"NAME":"Anna"} @ 4s  -- here it is the customer's
                                                => BILLS o2 {"AMOUNT":2,"NAME":"Anna"} @ 4s
                                                => OFFERS o1 {"AMOUNT":1,"NAME":"Anna"} @ 4s
                                                => OFFERS o2 {"AMOUNT":2,"NAME":"Anna"} @ 4s
orders o1 {"customer":"bob","amount":1} @ 6s    => BILLS o1 null @ 6s  -- nobody is called bob: what was joined is taken back
                                                => OFFERS o1 {"AMOUNT":1,"NAME":null} @ 6s
customers ann {"name":"Anne"} @ 7s              => BILLS o2 {"AMOUNT":2,"NAME":"Anne"} @ 7s  -- o1 no longer asks for her
                                                => OFFERS o2 {"AMOUNT":2,"NAME":"Anne"} @ 7s
orders o2 {"amount":2} @ 8s                     => nothing  -- names nobody: what was joined stays, as in ksqlDB
customers ann null @ 9s                         => nothing
orders o2 {"customer":"ann","amount":3} @ 10s   => BILLS o2 null @ 10s
                                                => OFFERS o2 {"AMOUNT":3,"NAME":null} @ 10s
customers ann {"name":"Ann"} @ 11s              => BILLS o2 {"AMOUNT":3,"NAME":"Ann"} @ 11s
                                                => OFFERS o2 {"AMOUNT":3,"NAME":"Ann"} @ 11s
orders o2 null @ 12s                            => BILLS o2 null @ 12s
                                                => OFFERS o2 null @ 12s
orders o2 null @ 13s                            => nothing  -- was gone already
orders null {"customer":"ann","amount":9} @ 14s => nothing  -- without a key
customers null {"name":"Nobody"} @ 15s          => nothing
customers bob {"name":"Bob"} @ 16s              => BILLS o1 {"AMOUNT":1,"NAME":"Bob"} @ 16s
                                                => OFFERS o1 {"AMOUNT":1,"NAME":"Bob"} @ 16s
orders o3 {"customer":"ann","amount":4} @ 17s   => BILLS o3 {"AMOUNT":4,"NAME":"Ann"} @ 17s
                                                => OFFERS o3 {"AMOUNT":4,"NAME":"Ann"} @ 17s
orders o3 {"customer":"bob","amount":4} @ 18s   => BILLS o3 {"AMOUNT":4,"NAME":"Bob"} @ 18s  -- meets what it named in between, and then what it names now
                                                => OFFERS o3 {"AMOUNT":4,"NAME":"Bob"} @ 18s
orders o3 null @ 19s                            => BILLS o3 null @ 19s
                                                => OFFERS o3 null @ 19s
orders o3 {"customer":"ann","amount":5} @ 20s   => BILLS o3 {"AMOUNT":5,"NAME":"Ann"} @ 20s
                                                => OFFERS o3 {"AMOUNT":5,"NAME":"Ann"} @ 20s
---- stores
CTAS_BILLS_0-KafkaTopic_Left-Reduce o1 {"CUSTOMER":"bob","AMOUNT":1,"ROWPARTITION":0,"ROWOFFSET":2} @ 6s
CTAS_BILLS_0-KafkaTopic_Left-Reduce o2 null @ 13s
CTAS_BILLS_0-KafkaTopic_Left-Reduce o3 {"CUSTOMER":"ann","AMOUNT":5,"ROWPARTITION":0,"ROWOFFSET":11} @ 20s
CTAS_BILLS_0-KafkaTopic_Right-Reduce ann {"NAME":"Ann","ROWPARTITION":0,"ROWOFFSET":4} @ 11s
CTAS_BILLS_0-KafkaTopic_Right-Reduce bob {"NAME":"Bob","ROWPARTITION":0,"ROWOFFSET":6} @ 16s
CTAS_BILLS_0-KTABLE-FK-JOIN-SUBSCRIPTION-STATE-STORE-0000000016 \x00\x00\x00\x03anno1 null @ 6s
CTAS_BILLS_0-KTABLE-FK-JOIN-SUBSCRIPTION-STATE-STORE-0000000016 \x00\x00\x00\x03anno2 null @ 12s
CTAS_BILLS_0-KTABLE-FK-JOIN-SUBSCRIPTION-STATE-STORE-0000000016 \x00\x00\x00\x03anno3 \x01\x03\xe5\xff\x15\x9dY\xcbOG8\x88\x8dY &\xfa\xbco3\x00\x00\x00\x00 @ 20s
CTAS_BILLS_0-KTABLE-FK-JOIN-SUBSCRIPTION-STATE-STORE-0000000016 \x00\x00\x00\x03bobo1 \x01\x02Y\xbc\xa8A\xe6\xc2n1\xbd\xb7R\xce8\x91loo1\x00\x00\x00\x00 @ 6s
CTAS_BILLS_0-KTABLE-FK-JOIN-SUBSCRIPTION-STATE-STORE-0000000016 \x00\x00\x00\x03bobo3 null @ 19s
CTAS_BILLS_0-Project-Last o1 {"AMOUNT":1,"NAME":"Bob"} @ 16s
CTAS_BILLS_0-Project-Last o2 null @ 12s
CTAS_BILLS_0-Project-Last o3 {"AMOUNT":5,"NAME":"Ann"} @ 20s
CTAS_OFFERS_1-KafkaTopic_Left-Reduce o1 {"CUSTOMER":"bob","AMOUNT":1,"ROWPARTITION":0,"ROWOFFSET":2} @ 6s
CTAS_OFFERS_1-KafkaTopic_Left-Reduce o2 null @ 13s
CTAS_OFFERS_1-KafkaTopic_Left-Reduce o3 {"CUSTOMER":"ann","AMOUNT":5,"ROWPARTITION":0,"ROWOFFSET":11} @ 20s
CTAS_OFFERS_1-KafkaTopic_Right-Reduce ann {"NAME":"Ann","ROWPARTITION":0,"ROWOFFSET":4} @ 11s
CTAS_OFFERS_1-KafkaTopic_Right-Reduce bob {"NAME":"Bob","ROWPARTITION":0,"ROWOFFSET":6} @ 16s
CTAS_OFFERS_1-KTABLE-FK-JOIN-SUBSCRIPTION-STATE-STORE-0000000016 \x00\x00\x00\x03anno1 null @ 6s
CTAS_OFFERS_1-KTABLE-FK-JOIN-SUBSCRIPTION-STATE-STORE-0000000016 \x00\x00\x00\x03anno2 null @ 12s
CTAS_OFFERS_1-KTABLE-FK-JOIN-SUBSCRIPTION-STATE-STORE-0000000016 \x00\x00\x00\x03anno3 \x01\x02\xe5\xff\x15\x9dY\xcbOG8\x88\x8dY &\xfa\xbco3\x00\x00\x00\x00 @ 20s
CTAS_OFFERS_1-KTABLE-FK-JOIN-SUBSCRIPTION-STATE-STORE-0000000016 \x00\x00\x00\x03bobo1 \x01\x02Y\xbc\xa8A\xe6\xc2n1\xbd\xb7R\xce8\x91loo1\x00\x00\x00\x00 @ 6s
CTAS_OFFERS_1-KTABLE-FK-JOIN-SUBSCRIPTION-STATE-STORE-0000000016 \x00\x00\x00\x03bobo3 null @ 19s
CTAS_OFFERS_1-Project-Last o1 {"AMOUNT":1,"NAME":"Bob"} @ 16s
CTAS_OFFERS_1-Project-Last o2 null @ 12s
CTAS_OFFERS_1-Project-Last o3 {"AMOUNT":5,"NAME":"Ann"} @ 20s
