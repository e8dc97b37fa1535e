-- A group that no longer meets HAVING is deleted from the table; one that never did is not mentioned.
CREATE STREAM orders (customer STRING KEY, amount INT) WITH (kafka_topic='orders', value_format='JSON', partitions=1);
CREATE TABLE large AS SELECT customer, SUM(amount) AS total FROM orders GROUP BY customer HAVING SUM(amount) > 5;
---- records
orders ann {"amount":3} @ 1s  => nothing
orders ann {"amount":4} @ 2s  => LARGE ann {"TOTAL":7} @ 2s
orders ann {"amount":-5} @ 3s => LARGE ann null @ 3s  -- 2 is too little: a tombstone
orders ann {"amount":1} @ 4s  => nothing  -- it was gone already
orders ann {"amount":9} @ 5s  => LARGE ann {"TOTAL":12} @ 5s
orders bob {"amount":5} @ 6s  => nothing
orders null {"amount":1} @ 7s => nothing  -- no key, no group
orders ann null @ 8s          => nothing  -- a stream's null value is no row
---- stores
CTAS_LARGE_0-Aggregate-Aggregate-Materialize ann {"CUSTOMER":"ann","AMOUNT":9,"KSQL_AGG_VARIABLE_0":12,"KSQL_AGG_VARIABLE_1":12} @ 5s
CTAS_LARGE_0-Aggregate-Aggregate-Materialize bob {"CUSTOMER":"bob","AMOUNT":5,"KSQL_AGG_VARIABLE_0":5,"KSQL_AGG_VARIABLE_1":5} @ 6s
