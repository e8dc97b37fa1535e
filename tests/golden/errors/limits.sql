-- Types and variables that hold others: a few lines could make what no memory holds.
DEFINE a0 = '0123456789abcdef';
DEFINE a1 = '${a0}${a0}${a0}${a0}';
DEFINE a2 = '${a1}${a1}${a1}${a1}';
DEFINE a3 = '${a2}${a2}${a2}${a2}';
DEFINE a4 = '${a3}${a3}${a3}${a3}';
DEFINE a5 = '${a4}${a4}${a4}${a4}';
DEFINE a6 = '${a5}${a5}${a5}${a5}';
DEFINE a7 = '${a6}${a6}${a6}${a6}';
DEFINE a8 = '${a7}${a7}${a7}${a7}';
DEFINE a9 = '${a8}${a8}${a8}${a8}';
CREATE TYPE t0 AS STRUCT<a INT, b INT>;
CREATE TYPE t1 AS STRUCT<a t0, b t0, c t0, d t0>;
CREATE TYPE t2 AS STRUCT<a t1, b t1, c t1, d t1>;
CREATE TYPE t3 AS STRUCT<a t2, b t2, c t2, d t2>;
CREATE TYPE t4 AS STRUCT<a t3, b t3, c t3, d t3>;
CREATE TYPE t5 AS STRUCT<a t4, b t4, c t4, d t4>;
CREATE TYPE t6 AS STRUCT<a t5, b t5, c t5, d t5>;
CREATE TYPE t7 AS STRUCT<a t6, b t6, c t6, d t6>;
CREATE TYPE l0 AS ARRAY<ARRAY<ARRAY<ARRAY<ARRAY<ARRAY<ARRAY<ARRAY<INT>>>>>>>>;
CREATE TYPE l1 AS ARRAY<ARRAY<ARRAY<ARRAY<ARRAY<ARRAY<ARRAY<ARRAY<l0>>>>>>>>;
CREATE TYPE l2 AS ARRAY<ARRAY<ARRAY<ARRAY<ARRAY<ARRAY<ARRAY<ARRAY<l1>>>>>>>>;
CREATE TYPE l3 AS ARRAY<ARRAY<ARRAY<ARRAY<ARRAY<ARRAY<ARRAY<ARRAY<l2>>>>>>>>;
CREATE TYPE l4 AS ARRAY<ARRAY<ARRAY<ARRAY<ARRAY<ARRAY<ARRAY<ARRAY<l3>>>>>>>>;
CREATE TYPE l5 AS ARRAY<ARRAY<ARRAY<ARRAY<ARRAY<ARRAY<ARRAY<ARRAY<l4>>>>>>>>;
CREATE TYPE l6 AS ARRAY<ARRAY<ARRAY<ARRAY<ARRAY<ARRAY<ARRAY<ARRAY<l5>>>>>>>>;
CREATE TYPE l7 AS ARRAY<ARRAY<ARRAY<ARRAY<ARRAY<ARRAY<ARRAY<ARRAY<l6>>>>>>>>;
CREATE TYPE l8 AS ARRAY<ARRAY<ARRAY<ARRAY<ARRAY<ARRAY<ARRAY<ARRAY<l7>>>>>>>>;
CREATE STREAM s (a t5, b0 t5, b1 t5, b2 t5, b3 t5, b4 t5, b5 t5, b6 t5, b7 t5, b8 t5, b9 t5, b10 t5, b11 t5, b12 t5, b13 t5, b14 t5, b15 t5, b16 t5, b17 t5, b18 t5, b19 t5, b20 t5, b21 t5, b22 t5, b23 t5, b24 t5, b25 t5, b26 t5, b27 t5, b28 t5, b29 t5) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');
---- check
error: Failed to prepare statement: the values of variables make at most 4194304 bytes of a text, and here they would make more
--> script.sql:11:13
 11 | DEFINE a9 = '${a8}${a8}${a8}${a8}';
    |             ^^^^^^^^^^^^^^^^^^^^^^

error: Failed to prepare statement: a type has at most 10000 parts
--> script.sql:18:19
 18 | CREATE TYPE t6 AS STRUCT<a t5, b t5, c t5, d t5>;
    |                   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ with all types that it names put in, this one has more

error: Failed to prepare statement: types lie at most 64 deep within one another
--> script.sql:27:19
 27 | CREATE TYPE l7 AS ARRAY<ARRAY<ARRAY<ARRAY<ARRAY<ARRAY<ARRAY<ARRAY<l6>>>>>>>>;
    |                   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ with all types that it names put in, this one lies deeper

error: the columns of a stream or table have at most 100000 parts together
--> script.sql:29:15
 29 | CREATE STREAM s (a t5, b0 t5, b1 t5, b2 t5, b3 t5, b4 t5, b5 t5, b6 t5, b7 t5, b8 t5, b9 t5, b10 t5, b11 t5, b12 t5, b13 t5, b14 t5, b15 t5, b16 t5, b17 t5, b18 t5, b19 t5, b20 t5, b21 t5, b22 t5, b23 t5, b24 t5, b25 t5, b26 t5, b27 t5, b28
    |               ^ with all types that they name put in, these have more

note: script.sql:19:1: not checked: the statement that makes T6 is faulty
note: script.sql:28:1: not checked: the statement that makes L7 is faulty
script.sql: 4 statements are faulty
exit code 1
