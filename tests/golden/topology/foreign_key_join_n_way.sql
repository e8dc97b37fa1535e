-- What a foreign-key join gives is kept where another table is joined to it.
CREATE TABLE orders (id STRING PRIMARY KEY, customer STRING) WITH (kafka_topic='orders', value_format='JSON', partitions=1);
CREATE TABLE customers (id STRING PRIMARY KEY, name STRING) WITH (kafka_topic='customers', value_format='JSON', partitions=1);
CREATE TABLE parcels (id STRING PRIMARY KEY, place STRING) WITH (kafka_topic='parcels', value_format='JSON', partitions=1);
CREATE TABLE sent AS SELECT o.id, name, place FROM orders o JOIN customers c ON o.customer = c.id LEFT JOIN parcels p ON o.id = p.id;
---- records
customers ann {"name":"Ann"} @ 1s  => nothing
orders o1 {"customer":"ann"} @ 2s  => SENT o1 {"NAME":"Ann","PLACE":null} @ 2s
parcels o1 {"place":"road"} @ 4s   => SENT o1 {"NAME":"Ann","PLACE":"road"} @ 4s
customers ann {"name":"Anna"} @ 3s => SENT o1 {"NAME":"Anna","PLACE":"road"} @ 4s
parcels o2 {"place":"shop"} @ 5s   => nothing  -- of no order
orders o1 null @ 6s                => SENT o1 null @ 6s
---- stores
CTAS_SENT_0-KafkaTopic_L_Left-Reduce o1 null @ 6s
CTAS_SENT_0-KafkaTopic_L_Right-Reduce ann {"NAME":"Anna","ROWPARTITION":0,"ROWOFFSET":1} @ 3s
CTAS_SENT_0-KTABLE-FK-JOIN-SUBSCRIPTION-STATE-STORE-0000000016 \x00\x00\x00\x03anno1 null @ 6s
CTAS_SENT_0-KTABLE-FK-JOIN-OUTPUT-STATE-STORE-0000000025 o1 null @ 6s
CTAS_SENT_0-KafkaTopic_Right-Reduce o1 {"PLACE":"road","ROWPARTITION":0,"ROWOFFSET":0} @ 4s
CTAS_SENT_0-KafkaTopic_Right-Reduce o2 {"PLACE":"shop","ROWPARTITION":0,"ROWOFFSET":1} @ 5s
CTAS_SENT_0-Project-Last o1 null @ 6s
