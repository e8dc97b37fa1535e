-- EXPLODE makes a row of each element; what stands beside it is repeated, and a shorter list is filled up with NULLs.
CREATE STREAM orders (id STRING KEY, items ARRAY<STRING>, prices ARRAY<INT>) WITH (kafka_topic='orders', value_format='JSON', partitions=1);
CREATE STREAM lines AS SELECT id, EXPLODE(items) AS item, EXPLODE(prices) AS price FROM orders;
CREATE TABLE sold AS SELECT item, COUNT(*) AS times FROM lines GROUP BY item;
---- records
orders o1 {"items":["pen","ink"],"prices":[2,5]} @ 1s => LINES o1 {"ITEM":"pen","PRICE":2} @ 1s
                                                      => LINES o1 {"ITEM":"ink","PRICE":5} @ 1s
                                                      => SOLD pen {"TIMES":1} @ 1s
                                                      => SOLD ink {"TIMES":1} @ 1s
orders o2 {"items":["pen"],"prices":[2,9]} @ 2s       => LINES o2 {"ITEM":"pen","PRICE":2} @ 2s  -- two prices, one item
                                                      => LINES o2 {"ITEM":null,"PRICE":9} @ 2s
                                                      => SOLD pen {"TIMES":2} @ 2s
                                                      => log: Group-by column with index 0 resolved to null. The source row will be excluded from the table. in [null,2000]
orders o3 {"items":[],"prices":[]} @ 3s               => nothing  -- no element, no row
orders o4 {"items":["ink"]} @ 4s                      => LINES o4 {"ITEM":"ink","PRICE":null} @ 4s
                                                      => SOLD ink {"TIMES":2} @ 4s
---- stores
CTAS_SOLD_1-Aggregate-Aggregate-Materialize ink {"ITEM":"ink","ROWTIME":4000,"KSQL_AGG_VARIABLE_0":2} @ 4s
CTAS_SOLD_1-Aggregate-Aggregate-Materialize pen {"ITEM":"pen","ROWTIME":2000,"KSQL_AGG_VARIABLE_0":2} @ 2s
