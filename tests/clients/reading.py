#!/usr/bin/env python3
"""Runs the raw client of the reference's suite against `millstream run --rest-port`: its reading steps have to pass, and each
of the others has to be refused with the one error of a server that only reads.

    reading.py sources PREFIX     the statements that make what the client reads, as it makes it itself
    reading.py rows PREFIX        the rows that it writes
    reading.py queries PREFIX     the queries over them
    reading.py run CLIENT PYTHON URL PREFIX"""
import json, subprocess, sys, time

# Steps of the client that write something, or ask for what only such a step makes.
WRITING = {
    "create stream, topic auto-created with PARTITIONS", "create table", "create existing: error, IF NOT EXISTS, OR REPLACE",
    "create on missing topic without PARTITIONS is refused", "insert values", "insert values: wrong statements",
    "CTAS count/sum, windowed CTAS, CSAS, join CSAS", "show properties / variables / types", "push query sees rows inserted later",
    "commandSequenceNumber", "error: unknown stream, unknown function, missing group by, statement sent to /query-stream",
    "alter stream add column", "create source table / assert topic", "pause / resume a query", "INSERT INTO ... SELECT",
    "drop refused while queries depend on the source", "terminate", "drop ... delete topic",
}
# Over HTTP/1.1 rows are refused before anybody looks who could take them.
WRITING_BY_HTTP2 = {"inserts-stream"}
REFUSED = "403"

SOURCES = """
CREATE STREAM {P}_PV (id STRING KEY, page VARCHAR, amt DOUBLE, tags ARRAY<VARCHAR>, m MAP<VARCHAR, INT>,
  s STRUCT<a INT, b VARCHAR>, extra INT) WITH (kafka_topic='{P}_pv', value_format='JSON', partitions=3);
CREATE TABLE {P}_US (id STRING PRIMARY KEY, name VARCHAR, lvl INT)
  WITH (kafka_topic='{P}_us', value_format='JSON', partitions=3);
"""
# The client dates a row two days ago, at an hour and ten minutes.
ROWS = """
INSERT INTO {P}_PV (id, page, amt, tags, m, s) VALUES ('k1', 'p1', 1.5, ARRAY['a','b'], MAP('x':=1), STRUCT(a:=1, b:='z'));
INSERT INTO {P}_PV (id, page, amt) VALUES ('k2', 'p2', 20);
INSERT INTO {P}_PV (id, page, amt) VALUES ('k1', 'p1', 3.25);
INSERT INTO {P}_PV (ROWTIME, id, page, amt) VALUES ({AT}, 'k3', 'p3', NULL);
INSERT INTO {P}_PV (id, page, amt) VALUES ('late', 'p9', 0);
INSERT INTO {P}_US (id, name, lvl) VALUES ('k1', 'alice', 3);
INSERT INTO {P}_US (id, name, lvl) VALUES ('k2', 'bob', 5);
"""
QUERIES = """
SET 'auto.offset.reset'='earliest';
CREATE TABLE {P}_AGG AS SELECT page, COUNT(*) AS c, SUM(amt) AS s, COLLECT_LIST(id) AS ids FROM {P}_PV GROUP BY page EMIT CHANGES;
CREATE TABLE {P}_AGGW AS SELECT page, COUNT(*) AS c FROM {P}_PV WINDOW TUMBLING (SIZE 1 HOUR) GROUP BY page EMIT CHANGES;
CREATE STREAM {P}_BIG WITH (kafka_topic='{P}_big_t', partitions=2, value_format='DELIMITED') AS
  SELECT id, page, amt * 2 AS dbl, UCASE(page) AS up FROM {P}_PV WHERE amt > 2 PARTITION BY page EMIT CHANGES;
CREATE STREAM {P}_JN AS SELECT p.id AS id, p.page, u.name FROM {P}_PV p LEFT JOIN {P}_US u ON p.id = u.id EMIT CHANGES;
CREATE SOURCE TABLE {P}_SRC (id STRING PRIMARY KEY, name VARCHAR, lvl INT) WITH (kafka_topic='{P}_us', value_format='JSON');
"""


def steps(python, client, url, prefix, flags):
    """The steps of the client, each with its error or None."""
    command = [python, client, url, "--prefix", prefix, *flags]
    output = subprocess.run(command, capture_output=True, text=True, timeout=420).stdout
    events = [json.loads(line[2:]) for line in output.splitlines() if line.startswith("@@")]
    planned = next((event["plan"] for event in events if "plan" in event), [])
    done = {event["step"]: event for event in events if "step" in event}
    for name in planned:
        event = done.get(name)
        yield name, "not reached" if event is None else None if event["ok"] else event["error"]


def run(client, python, url, prefix):
    faults = 0
    for mode, flags, writing in (("http1", [], WRITING), ("http2", ["--h2"], WRITING | WRITING_BY_HTTP2)):
        seen = set()
        for name, error in steps(python, client, url, prefix, flags):
            seen.add(name)
            if name in writing:
                is_right = error is not None and (REFUSED in error or "only reads" in error)
                told = "refused" if is_right else f"not refused as it should be: {error}"
            else:
                is_right = error is None
                told = "passed" if is_right else str(error)
            faults += not is_right
            print("PASS" if is_right else "FAIL", f"run {mode}: {name}: {told}", flush=True)
        for name in writing - seen:
            faults += 1
            print("FAIL", f"run {mode}: there is no step {name!r}")
    sys.exit(1 if faults else 0)


def main():
    what, *rest = sys.argv[1:]
    texts = {"sources": SOURCES, "rows": ROWS, "queries": QUERIES}
    if what in texts:
        at = (int(time.time()) // 3600 - 48) * 3_600_000 + 600_000
        print(texts[what].replace("{P}", rest[0]).replace("{AT}", str(at)))
    else:
        run(*rest)


main()
