-- The statistics of each key grow with its records; a NULL counts for none of them but COUNT(*).
CREATE STREAM readings (sensor STRING KEY, celsius DOUBLE) WITH (kafka_topic='readings', value_format='JSON', partitions=1);
CREATE TABLE stats AS SELECT sensor, COUNT(*) AS seen, COUNT(celsius) AS known, MIN(celsius) AS low, MAX(celsius) AS high,
  AVG(celsius) AS mean, STDDEV_SAMP(celsius) AS spread, LATEST_BY_OFFSET(celsius) AS last FROM readings GROUP BY sensor;
---- records
readings s1 {"celsius":20.0} @ 1s => STATS s1 {"SEEN":1,"KNOWN":1,"LOW":20.0,"HIGH":20.0,"MEAN":20.0,"SPREAD":0.0,"LAST":20.0} @ 1s
readings s1 {"celsius":24.0} @ 2s => STATS s1 {"SEEN":2,"KNOWN":2,"LOW":20.0,"HIGH":24.0,"MEAN":22.0,"SPREAD":8.0,"LAST":24.0} @ 2s
readings s1 {"celsius":null} @ 3s => STATS s1 {"SEEN":3,"KNOWN":2,"LOW":20.0,"HIGH":24.0,"MEAN":22.0,"SPREAD":8.0,"LAST":24.0} @ 3s
readings s2 {"celsius":-1.5} @ 2s => STATS s2 {"SEEN":1,"KNOWN":1,"LOW":-1.5,"HIGH":-1.5,"MEAN":-1.5,"SPREAD":0.0,"LAST":-1.5} @ 2s
readings s1 {"celsius":22.0} @ 1s => STATS s1 {"SEEN":4,"KNOWN":3,"LOW":20.0,"HIGH":24.0,"MEAN":22.0,"SPREAD":4.0,"LAST":22.0} @ 3s  -- out of order: the row keeps the later time
---- stores
CTAS_STATS_0-Aggregate-Aggregate-Materialize s1 {"SENSOR":"s1","ROWTIME":1000,"CELSIUS":22.0,"KSQL_AGG_VARIABLE_0":4,"KSQL_AGG_VARIABLE_1":3,"KSQL_AGG_VARIABLE_2":20.0,"KSQL_AGG_VARIABLE_3":24.0,"KSQL_AGG_VARIABLE_4":{"SUM":66.0,"COUNT":3},"KSQL_AGG_VARIABLE_5":{"SUM":66.0,"COUNT":3,"M2":8.0},"KSQL_AGG_VARIABLE_6":{"SEQ":5,"VAL":22.0}} @ 3s
CTAS_STATS_0-Aggregate-Aggregate-Materialize s2 {"SENSOR":"s2","ROWTIME":2000,"CELSIUS":-1.5,"KSQL_AGG_VARIABLE_0":1,"KSQL_AGG_VARIABLE_1":1,"KSQL_AGG_VARIABLE_2":-1.5,"KSQL_AGG_VARIABLE_3":-1.5,"KSQL_AGG_VARIABLE_4":{"SUM":-1.5,"COUNT":1},"KSQL_AGG_VARIABLE_5":{"SUM":-1.5,"COUNT":1,"M2":0.0},"KSQL_AGG_VARIABLE_6":{"SEQ":4,"VAL":-1.5}} @ 2s
