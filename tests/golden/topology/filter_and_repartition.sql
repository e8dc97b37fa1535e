-- Rows are filtered, computed and re-keyed; what cannot be computed is NULL and said in the log.
CREATE STREAM readings (sensor STRING KEY, room STRING, celsius DOUBLE) WITH (kafka_topic='readings', value_format='JSON', partitions=1);
CREATE STREAM warm AS SELECT room, sensor, celsius * 9 / 5 + 32 AS fahrenheit, 10 / CAST(celsius - 30 AS INT) AS share
  FROM readings WHERE celsius > 20 PARTITION BY room;
CREATE STREAM everything (room STRING KEY, what STRING) WITH (kafka_topic='everything', value_format='JSON', partitions=1);
INSERT INTO everything SELECT room, UCASE(sensor) AS what FROM warm;
---- records
readings s1 {"room":"hall","celsius":21.0} @ 1s   => WARM hall {"SENSOR":"s1","FAHRENHEIT":69.8,"SHARE":-1} @ 1s
                                                  => EVERYTHING hall {"WHAT":"S1"} @ 1s
readings s1 {"room":"hall","celsius":19.0} @ 2s   => nothing  -- too cold
readings s2 {"room":"attic","celsius":30.0} @ 3s  => log: Error computing expression (10 / CAST((CELSIUS - 30) AS INTEGER)) for column SHARE with index 2; / by zero in ["attic",30.0,3000,0,2,"s2"]  -- 10 / 0
                                                  => WARM attic {"SENSOR":"s2","FAHRENHEIT":86.0,"SHARE":null} @ 3s
                                                  => EVERYTHING attic {"WHAT":"S2"} @ 3s
readings s3 {"celsius":25.0} @ 4s                 => WARM null {"SENSOR":"s3","FAHRENHEIT":77.0,"SHARE":-2} @ 4s  -- no room, no key
                                                  => EVERYTHING null {"WHAT":"S3"} @ 4s
readings s4 {"room":"hall"} @ 5s                  => nothing  -- NULL is not warmer than 20
readings s5 {"room":"hall","celsius":"warm"} @ 6s => log: Value: Failed to deserialize value from topic: readings. Can't coerce string to type. targetType: DOUBLE, path: $.CELSIUS  -- cannot be read
readings s6 null @ 7s                             => nothing
