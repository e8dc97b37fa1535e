-- A value of any type is what it was when it is looked back on, over a restart too.
CREATE STREAM s (k INT KEY, d DECIMAL(6,2), t TIMESTAMP, day DATE, b BYTES, a ARRAY<STRUCT<x DOUBLE, y BOOLEAN>>, m MAP<STRING, BIGINT>)
  WITH (kafka_topic='s', value_format='JSON', key_format='JSON', partitions=1);
CREATE STREAM before AS SELECT k, LAG(d, 1, 0.5) OVER (PARTITION BY k ORDER BY rowtime) AS d, LAG(t) OVER (PARTITION BY k ORDER BY rowtime) AS t,
    LAG(day) OVER (PARTITION BY k ORDER BY rowtime) AS day, LAG(b) OVER (PARTITION BY k ORDER BY rowtime) AS b,
    LAG(a) OVER (PARTITION BY k ORDER BY rowtime) AS a, LAG(m['one']) OVER (PARTITION BY k ORDER BY rowtime) AS one,
    LAG(m) OVER (PARTITION BY k ORDER BY rowtime) AS m FROM s;
CREATE STREAM after AS SELECT k, LEAD(d) OVER (PARTITION BY k ORDER BY rowtime) AS d, LEAD(a) OVER (PARTITION BY k ORDER BY rowtime) AS a FROM s;
---- records
s 1 {"d":12.5,"t":1700000000123,"day":19000,"b":"AP8=","a":[{"x":-0.0,"y":true},{"x":1e300}],"m":{"one":1,"two":null}} @ 1s => BEFORE 1 {"D":0.50,"T":null,"DAY":null,"B":null,"A":null,"ONE":null,"M":null} @ 1s
s 1 {"d":null,"t":null,"day":-1,"b":"","a":[],"m":{}} @ 2s                                                                  => BEFORE 1 {"D":12.50,"T":1700000000123,"DAY":19000,"B":"AP8=","A":[{"X":0.0,"Y":true},{"X":1.0E300,"Y":null}],"ONE":1,"M":{"two":null,"one":1}} @ 2s
                                                                                                                            => AFTER 1 {"D":null,"A":[]} @ 1s
s 1 {"d":-0.01,"a":[null,{"x":"NaN"}]} @ 3s                                                                                 => BEFORE 1 {"D":null,"T":null,"DAY":-1,"B":"","A":[],"ONE":null,"M":{}} @ 3s
                                                                                                                            => AFTER 1 {"D":-0.01,"A":[null,{"X":"NaN","Y":null}]} @ 2s
s 1 {} @ 4s                                                                                                                 => BEFORE 1 {"D":-0.01,"T":null,"DAY":null,"B":null,"A":[null,{"X":"NaN","Y":null}],"ONE":null,"M":null} @ 4s
                                                                                                                            => AFTER 1 {"D":null,"A":null} @ 3s
s 2 {"d":9999.99} @ 4s                                                                                                      => BEFORE 2 {"D":0.50,"T":null,"DAY":null,"B":null,"A":null,"ONE":null,"M":null} @ 4s
---- stores
CSAS_BEFORE_0-Over-LastRows 1 [0] {"KSQL_OVER_ROW":3,"ROWPARTITION":0,"ROWOFFSET":3,"D":null,"T":null,"DAY":null,"B":null,"A":null,"KSQL_INTERNAL_COL_9":null,"M":null} @ 4s
CSAS_BEFORE_0-Over-LastRows 2 [0] {"KSQL_OVER_ROW":0,"ROWPARTITION":0,"ROWOFFSET":4,"D":9999.99,"T":null,"DAY":null,"B":null,"A":null,"KSQL_INTERNAL_COL_9":null,"M":null} @ 4s
CSAS_AFTER_1-Over-LastRows 1 [0] {"KSQL_OVER_ROW":2,"K":1,"ROWPARTITION":0,"ROWOFFSET":2,"D":-0.01,"A":[null,{"X":"NaN","Y":null}],"KSQL_OVER_VARIABLE_0":null,"KSQL_OVER_VARIABLE_1":null,"KSQL_OVER_HEADERS":null} @ 3s
CSAS_AFTER_1-Over-LastRows 1 [1] {"KSQL_OVER_ROW":3,"K":1,"ROWPARTITION":0,"ROWOFFSET":3,"D":null,"A":null,"KSQL_OVER_VARIABLE_0":null,"KSQL_OVER_VARIABLE_1":null,"KSQL_OVER_HEADERS":null} @ 4s
CSAS_AFTER_1-Over-LastRows 2 [0] {"KSQL_OVER_ROW":0,"K":2,"ROWPARTITION":0,"ROWOFFSET":4,"D":9999.99,"A":null,"KSQL_OVER_VARIABLE_0":null,"KSQL_OVER_VARIABLE_1":null,"KSQL_OVER_HEADERS":null} @ 4s
