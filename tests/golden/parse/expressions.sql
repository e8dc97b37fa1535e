-- Expressions: precedence becomes parentheses, numbers keep their type, names are quoted where they have to be.
SELECT a + b * -c / 2 % d - 1, -(-1), - -1, +a, a || b || c FROM s;
SELECT 1, 2147483648, -9223372036854775808, .5, 007.50, 1e3, 1.5E-7, TRUE, NULL, 'it''s' FROM s;
SELECT NOT a AND b OR c AND d, (a OR b) AND c, a = 1 OR b <> 2 AND c != 3 FROM s;
SELECT a BETWEEN 1 AND 2 AND b NOT BETWEEN 3 AND 4, a IN (1, 2), b NOT IN ('x'), c LIKE '%x', d NOT LIKE '!_' ESCAPE '!' FROM s;
SELECT a IS NULL, a IS NOT NULL, a IS DISTINCT FROM b, a IS NOT DISTINCT FROM b FROM s;
SELECT CASE WHEN a > 1 THEN 'x' WHEN b THEN 'y' ELSE 'z' END, CASE a WHEN 1 THEN 2 END FROM s;
SELECT CAST(a AS VARCHAR), CAST(b AS DECIMAL(4,2)), CAST(c AS ARRAY<MAP<STRING, INT>>), CAST(d AS home) FROM s;
SELECT a[1], m['k'][-1], s.st->x->`Y`, ARRAY[], ARRAY[1, a], MAP('a' := 1, 'b' := x), MAP(), STRUCT(a := 1, `B` := 2) FROM s;
SELECT COUNT(*), count(), f(), F(a, 1), `f`(x), DATEADD(DAYS, 1, day), date, `from`, "Mixed", 1a FROM s;
SELECT TRANSFORM(a, x => x + y), REDUCE(m, 0, (s, x) => s + x), FILTER(a, (x) => f(b, x => x)) FROM s;
---- printed
SELECT
  ((A + (((B * -C) / 2) % D)) - 1),
  - -1,
  - -1,
  +A,
  `concat`(`concat`(A, B), C)
FROM S S;
SELECT
  1,
  2147483648,
  -9223372036854775808,
  0.5,
  7.50,
  1E3,
  1.5E-7,
  true,
  null,
  'it''s'
FROM S S;
SELECT
  (((NOT A) AND B) OR (C AND D)),
  ((A OR B) AND C),
  ((A = 1) OR ((B <> 2) AND (C <> 3)))
FROM S S;
SELECT
  ((A BETWEEN 1 AND 2) AND (NOT (B BETWEEN 3 AND 4))),
  (A IN (1, 2)),
  (NOT (B IN ('x'))),
  (C LIKE '%x'),
  (NOT (D LIKE '!_' ESCAPE '!'))
FROM S S;
SELECT
  (A IS NULL),
  (A IS NOT NULL),
  (A IS DISTINCT FROM B),
  (NOT (A IS DISTINCT FROM B))
FROM S S;
SELECT
  (CASE WHEN (A > 1) THEN 'x' WHEN B THEN 'y' ELSE 'z' END),
  (CASE A WHEN 1 THEN 2 END)
FROM S S;
SELECT
  CAST(A AS STRING),
  CAST(B AS DECIMAL(4, 2)),
  CAST(C AS ARRAY<MAP<STRING, INTEGER>>),
  CAST(D AS HOME)
FROM S S;
SELECT
  A[1],
  M['k'][-1],
  S.ST->X->Y,
  ARRAY[],
  ARRAY[1, A],
  MAP('a':=1, 'b':=X),
  MAP(),
  STRUCT(A:=1, B:=2)
FROM S S;
SELECT
  COUNT(*),
  COUNT(*),
  F(),
  F(A, 1),
  `f`(X),
  DATEADD(DAYS, 1, DAY),
  DATE,
  `from`,
  `Mixed`,
  1A
FROM S S;
SELECT
  TRANSFORM(A, (X) => (X + Y)),
  REDUCE(M, 0, (S, X) => (S + X)),
  FILTER(A, (X) => F(B, (X) => X))
FROM S S;
