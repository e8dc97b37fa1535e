-- A record counts in each hopping window that contains it, earliest first; none starts before the epoch.
CREATE STREAM readings (sensor STRING KEY, celsius DOUBLE) WITH (kafka_topic='readings', value_format='JSON', partitions=1);
CREATE TABLE rolling AS SELECT sensor, AVG(celsius) AS mean, MAX(celsius) AS highest, WINDOWSTART AS began FROM readings
  WINDOW HOPPING (SIZE 10 SECONDS, ADVANCE BY 5 SECONDS, GRACE PERIOD 0 SECONDS) GROUP BY sensor;
---- records
readings s1 {"celsius":20.5} @ 2s  => ROLLING s1 [0s,10s) {"MEAN":20.5,"HIGHEST":20.5,"BEGAN":0} @ 2s
readings s1 {"celsius":21.5} @ 6s  => ROLLING s1 [0s,10s) {"MEAN":21.0,"HIGHEST":21.5,"BEGAN":0} @ 6s
                                   => ROLLING s1 [5s,15s) {"MEAN":21.5,"HIGHEST":21.5,"BEGAN":5000} @ 6s
readings s1 {"celsius":23.0} @ 11s => ROLLING s1 [5s,15s) {"MEAN":22.25,"HIGHEST":23.0,"BEGAN":5000} @ 11s
                                   => ROLLING s1 [10s,20s) {"MEAN":23.0,"HIGHEST":23.0,"BEGAN":10000} @ 11s
readings s1 {"celsius":99.0} @ 9s  => ROLLING s1 [5s,15s) {"MEAN":47.833333333333336,"HIGHEST":99.0,"BEGAN":5000} @ 11s  -- late for [0s,10s), not for [5s,15s)
---- stores
CTAS_ROLLING_0-Aggregate-Aggregate-Materialize s1 [0s,10s) {"SENSOR":"s1","CELSIUS":21.5,"KSQL_AGG_VARIABLE_0":{"SUM":42.0,"COUNT":2},"KSQL_AGG_VARIABLE_1":21.5} @ 6s
CTAS_ROLLING_0-Aggregate-Aggregate-Materialize s1 [5s,15s) {"SENSOR":"s1","CELSIUS":99.0,"KSQL_AGG_VARIABLE_0":{"SUM":143.5,"COUNT":3},"KSQL_AGG_VARIABLE_1":99.0} @ 11s
CTAS_ROLLING_0-Aggregate-Aggregate-Materialize s1 [10s,20s) {"SENSOR":"s1","CELSIUS":23.0,"KSQL_AGG_VARIABLE_0":{"SUM":23.0,"COUNT":1},"KSQL_AGG_VARIABLE_1":23.0} @ 11s
