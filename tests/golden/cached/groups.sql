-- A change waits until a third group needs its place in the cache, or until a commit; what changed meanwhile is one change.
CREATE STREAM orders (customer STRING KEY, amount INT) WITH (kafka_topic='orders', value_format='JSON', partitions=1);
CREATE TABLE totals AS SELECT customer, SUM(amount) AS total FROM orders GROUP BY customer HAVING SUM(amount) > 5;
---- records
orders ann {"amount":3} @ 1s  => nothing
orders bob {"amount":6} @ 2s  => nothing
orders ann {"amount":4} @ 3s  => nothing
orders cid {"amount":9} @ 4s  => TOTALS bob {"TOTAL":6} @ 2s  -- bob waited longest
orders bob {"amount":-1} @ 5s => TOTALS ann {"TOTAL":7} @ 3s  -- ann goes out once, with both orders
commit                        => TOTALS cid {"TOTAL":9} @ 4s  -- bob no longer has enough
                              => TOTALS bob null @ 5s
commit                        => nothing
---- stores
CTAS_TOTALS_0-Aggregate-Aggregate-Materialize ann {"CUSTOMER":"ann","AMOUNT":4,"KSQL_AGG_VARIABLE_0":7,"KSQL_AGG_VARIABLE_1":7} @ 3s
CTAS_TOTALS_0-Aggregate-Aggregate-Materialize bob {"CUSTOMER":"bob","AMOUNT":-1,"KSQL_AGG_VARIABLE_0":5,"KSQL_AGG_VARIABLE_1":5} @ 5s
CTAS_TOTALS_0-Aggregate-Aggregate-Materialize cid {"CUSTOMER":"cid","AMOUNT":9,"KSQL_AGG_VARIABLE_0":9,"KSQL_AGG_VARIABLE_1":9} @ 4s
