-- Where PARTITION BY is not the key, rows go to the task of the new one; what comes out has the key of its source again.
CREATE STREAM readings (id STRING KEY, device STRING, room STRING, gt STRING, seen BIGINT)
  WITH (kafka_topic='readings', value_format='DELIMITED', timestamp='seen', partitions=1);
CREATE STREAM steps AS SELECT id, gt, LAG(gt) OVER (PARTITION BY UCASE(device) ORDER BY seen) AS of_device,
    LAG(id) OVER (PARTITION BY room, device ORDER BY rowtime) AS of_place
  FROM readings;
CREATE STREAM keyless (device STRING, n INT) WITH (kafka_topic='keyless', value_format='JSON', partitions=1);
CREATE STREAM keyless_steps AS SELECT *, n - LAG(n, 1, 0) OVER (PARTITION BY device ORDER BY rowtime) AS more FROM keyless;
CREATE STREAM keyed_steps AS SELECT device, LAG(n) OVER (PARTITION BY device ORDER BY rowtime) AS before, n FROM keyless PARTITION BY device;
---- records
readings 1 a,hall,sit,1000 @ 50s       => STEPS 1 sit,, @ 1s
readings 2 A,hall,walk,2000 @ 50s      => STEPS 2 walk,sit, @ 2s
readings 3 a,hall,run,3000 @ 50s       => STEPS 3 run,walk,1 @ 3s
readings 4 a,attic,sit,4000 @ 50s      => STEPS 4 sit,run, @ 4s
readings 5 A,hall,stand,3500 @ 50s     => log: The row comes too late: its time is 3500, and that of the last row with its PARTITION BY is 4000. What is computed of it OVER rows is NULL. in ["5","stand","hall","A",0,4]  -- older than the last of A, though not of A in the hall
                                       => STEPS 5 stand,,2 @ 3500ms
readings 6 ,hall,sit,5000 @ 50s        => log: The PARTITION BY column of OVER with index 0 is NULL. The row is left out. in [null,"hall","sit",5000,5000,0,5,"6"]  -- no device
readings null a,attic,run,6000 @ 50s   => STEPS null run,sit,4 @ 6s
readings 7 a,attic,walk,7000 @ 50s     => STEPS 7 walk,run, @ 7s
keyless null {"device":"a","n":4} @ 1s => KEYLESS_STEPS null {"DEVICE":"a","N":4,"MORE":4} @ 1s
                                       => KEYED_STEPS a {"BEFORE":null,"N":4} @ 1s
keyless x {"device":"a","n":9} @ 2s    => KEYLESS_STEPS null {"DEVICE":"a","N":9,"MORE":5} @ 2s
                                       => KEYED_STEPS a {"BEFORE":4,"N":9} @ 2s
keyless x {"device":"b","n":9} @ 1s    => KEYLESS_STEPS null {"DEVICE":"b","N":9,"MORE":9} @ 1s
                                       => KEYED_STEPS b {"BEFORE":null,"N":9} @ 1s
keyless x {"device":"a","n":7} @ 3s    => KEYLESS_STEPS null {"DEVICE":"a","N":7,"MORE":-2} @ 3s
                                       => KEYED_STEPS a {"BEFORE":9,"N":7} @ 3s
---- stores
CSAS_STEPS_0-Over-LastRows A [0] {"KSQL_OVER_ROW":5,"GT":"walk","ROWPARTITION":0,"ROWOFFSET":7} @ 7s
CSAS_STEPS_0-Over2-LastRows {"ROOM":"attic","DEVICE":"a"} [0] {"KSQL_OVER_ROW":2,"ID":"7","ROWPARTITION":0,"ROWOFFSET":7} @ 7s
CSAS_STEPS_0-Over2-LastRows {"ROOM":"hall","DEVICE":"A"} [0] {"KSQL_OVER_ROW":1,"ID":"5","ROWPARTITION":0,"ROWOFFSET":4} @ 3500ms
CSAS_STEPS_0-Over2-LastRows {"ROOM":"hall","DEVICE":"a"} [0] {"KSQL_OVER_ROW":1,"ID":"3","ROWPARTITION":0,"ROWOFFSET":2} @ 3s
CSAS_KEYLESS_STEPS_1-Over-LastRows a [0] {"KSQL_OVER_ROW":2,"N":7,"ROWPARTITION":0,"ROWOFFSET":3} @ 3s
CSAS_KEYLESS_STEPS_1-Over-LastRows b [0] {"KSQL_OVER_ROW":0,"N":9,"ROWPARTITION":0,"ROWOFFSET":2} @ 1s
CSAS_KEYED_STEPS_2-Over-LastRows a [0] {"KSQL_OVER_ROW":2,"N":7,"ROWPARTITION":0,"ROWOFFSET":3} @ 3s
CSAS_KEYED_STEPS_2-Over-LastRows b [0] {"KSQL_OVER_ROW":0,"N":9,"ROWPARTITION":0,"ROWOFFSET":2} @ 1s
