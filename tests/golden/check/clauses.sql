-- Clauses that do not go together, in ksqlDB's words: keys, lists, windows, grouping.
CREATE STREAM orders (id VARCHAR KEY, shop VARCHAR KEY, item VARCHAR, price DECIMAL(6,2), tags ARRAY<INT>)
  WITH (KAFKA_TOPIC='orders', FORMAT='JSON');
CREATE STREAM rates (id VARCHAR KEY, rate DOUBLE) WITH (KAFKA_TOPIC='rates', VALUE_FORMAT='KAFKA');
CREATE STREAM keyless (rate DOUBLE) WITH (KAFKA_TOPIC='rates', VALUE_FORMAT='JSON', WINDOW_TYPE='SESSION');
CREATE STREAM a AS SELECT shop, item FROM orders;
CREATE STREAM b AS SELECT * FROM orders WHERE price IN (1.5, TRUE);
CREATE STREAM c AS SELECT * FROM orders WHERE tags IN (ARRAY['1', 'two']);
CREATE STREAM d AS SELECT id, shop, STRUCT(n := 1, n := 'x') AS s FROM orders;
CREATE TABLE e AS SELECT item, MEDIAN(price) AS p FROM orders GROUP BY item;
CREATE TABLE f AS SELECT item, SUM(COUNT(*)) AS p FROM orders GROUP BY item;
CREATE TABLE g AS SELECT item, AVG(price) AS p FROM orders GROUP BY item;
CREATE TABLE h AS SELECT item, COUNT(*) AS n FROM orders GROUP BY item HAVING SUM(price) > 'much';
CREATE TABLE i AS SELECT item, COUNT(*) AS n FROM orders WINDOW TUMBLING (SIZE 1 HOUR) GROUP BY item, WINDOWSTART;
CREATE TABLE j AS SELECT id, COUNT(*) AS n FROM rates GROUP BY id;
CREATE STREAM k WITH (TIMESTAMP='at') AS SELECT item FROM orders;
CREATE STREAM l AS SELECT o.id, o.shop, o.colour FROM orders o;
---- check
error: Windowed sources require a key column.
--> script.sql:5:15
 5 | CREATE STREAM keyless (rate DOUBLE) WITH (KAFKA_TOPIC='rates', VALUE_FORMAT='JSON', WINDOW_TYPE='SESSION');
   |               ^^^^^^^
help: write KEY behind the column that is the key

error: Could not determine output schema for query due to error: Keys missing from projection (ie, SELECT). 
The query used to build `A` must include the key columns ID and SHOP in its projection (eg, SELECT ID, SHOP...).
--> script.sql:6:27
 6 | CREATE STREAM a AS SELECT shop, item FROM orders;
   |                           ^^^^^^^^^^ ID and SHOP are not selected

error: Invalid Predicate: operator does not exist: DECIMAL(6, 2) = BOOLEAN (true)
Hint: You might need to add explicit type casts..
--> script.sql:7:62
 7 | CREATE STREAM b AS SELECT * FROM orders WHERE price IN (1.5, TRUE);
   |                                                              ^^^^ TRUE is a BOOLEAN, what stands before it a DECIMAL(6, 2)

error: Invalid Predicate: invalid input syntax for type INTEGER: "two"..
--> script.sql:8:56
 8 | CREATE STREAM c AS SELECT * FROM orders WHERE tags IN (ARRAY['1', 'two']);
   |                                                        ^^^^^^^^^^^^^^^^^ ARRAY['1', 'two'] is an ARRAY<STRING>, what stands before it an ARRAY<INTEGER>

error: Could not determine output schema for query due to error: Duplicate field names found in STRUCT: '`N` INTEGER' and '`N` STRING'
--> script.sql:9:57
 9 | CREATE STREAM d AS SELECT id, shop, STRUCT(n := 1, n := 'x') AS s FROM orders;
   |                                                         ^^^ N has a value already

error: Could not determine output schema for query due to error: Can't find any functions with the name 'MEDIAN'
--> script.sql:10:32
 10 | CREATE TABLE e AS SELECT item, MEDIAN(price) AS p FROM orders GROUP BY item;
    |                                ^^^^^^

error: Could not determine output schema for query due to error: Aggregate functions can not be nested: SUM(COUNT())
--> script.sql:11:36
 11 | CREATE TABLE f AS SELECT item, SUM(COUNT(*)) AS p FROM orders GROUP BY item;
    |                                    ^^^^^^^^
help: make a table of the inner one first, and aggregate that

error: Could not determine output schema for query due to error: Function 'AVG' does not accept parameters (DECIMAL(6, 2)).
Valid alternatives are:
AVG(BIGINT val1)
AVG(INT val1)
AVG(DOUBLE val1)
--> script.sql:12:36
 12 | CREATE TABLE g AS SELECT item, AVG(price) AS p FROM orders GROUP BY item;
    |                                    ^^^^^ price is a DECIMAL(6, 2): AVG takes a BIGINT or an INTEGER here
help: write CAST(price AS BIGINT)

error: Could not determine output schema for query due to error: Error in HAVING expression
--> script.sql:13:79
 13 | CREATE TABLE h AS SELECT item, COUNT(*) AS n FROM orders GROUP BY item HAVING SUM(price) > 'much';
    |                                                                               ^^^^^^^^^^^^^^^^^^^ SUM(price) is a DECIMAL(6, 2) and 'much' a STRING

error: Could not determine output schema for query due to error: Window bounds column WINDOWSTART can only be used in the SELECT clause of windowed aggregations and can not be passed to aggregate functions.
See https://github.com/confluentinc/ksql/issues/4397
--> script.sql:14:103
 14 | CREATE TABLE i AS SELECT item, COUNT(*) AS n FROM orders WINDOW TUMBLING (SIZE 1 HOUR) GROUP BY item, WINDOWSTART;
    |                                                                                                       ^^^^^^^^^^^

error: Could not determine output schema for query due to error: Source(s) RATES are using the 'KAFKA' value format. This format does not yet support GROUP BY.
The KAFKA format is primarily intended for use as a key format. It can be used as a value format, but can not be used in any operation that requires a repartition or changelog topic.
Removing this limitation requires enhancements to the core of KSQL. This will come in a future release. Until then, avoid using the KAFKA format for values.
If you have an existing topic with KAFKA formatted values you can duplicate the data and serialize using Avro or JSON with a statement such as: 

'CREATE STREAM <new-stream-name> WITH(VALUE_FORMAT='Avro') AS SELECT * FROM <existing-kafka-formated-stream-name>;'
For more info see https://github.com/confluentinc/ksql/issues/3060
--> script.sql:15:49
 15 | CREATE TABLE j AS SELECT id, COUNT(*) AS n FROM rates GROUP BY id;
    |                                                 ^^^^^ the values of RATES are in KAFKA

error: Could not determine output schema for query due to error: The TIMESTAMP column set in the WITH clause does not exist in the schema: 'AT'
--> script.sql:16:33
 16 | CREATE STREAM k WITH (TIMESTAMP='at') AS SELECT item FROM orders;
    |                                 ^^^^
help: columns: ITEM

error: Could not determine output schema for query due to error: Line: 17, Col: 41: SELECT column 'O.COLOUR' cannot be resolved.
--> script.sql:17:41
 17 | CREATE STREAM l AS SELECT o.id, o.shop, o.colour FROM orders o;
    |                                         ^^^^^^^^
help: columns: ITEM, PRICE, TAGS, ROWTIME, ROWPARTITION, ROWOFFSET, ID, SHOP

assumed: topic orders exists (--bootstrap-servers checks it)
assumed: topic rates exists (--bootstrap-servers checks it)
script.sql: 13 statements are faulty
exit code 1
