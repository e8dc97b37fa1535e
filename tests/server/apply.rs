//! `millstream apply`: files of definitions against a server, by the program itself.

use std::io::BufRead as _;
use std::path::Path;
use std::process::{Command, Stdio};

use millstream::registry::{EmbeddedRegistry, EmbeddedRegistryConfig};
use serde_json::{Value, json};

use crate::applied::{BIG, CLICKS, Files, HITS, expected, program};
use crate::world::{World, client};

#[tokio::test]
async fn the_device_file_is_applied_twice() {
    let world = World::new().await;
    let ksql = world.server().await;
    ksql.run(
        "CREATE STREAM topic_of_readings (x INT)
         WITH (kafka_topic='device-sensors', value_format='JSON', partitions=3);",
    )
    .await;
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("ksql/device.sql");
    let names =
        ["DEVICE_READINGS", "DEVICE_ACTIVITY_COUNTS", "DEVICE_SENSOR_STATS", "MOVEMENT_ALERTS"];
    let first = ksql.apply(&file, &[]).await;
    assert_eq!(first.verdicts(), names.map(|name| ('+', name)), "{}", first.err);
    assert!(first.out.contains("STREAM  TOPIC_OF_READINGS"), "{}", first.out);
    assert!(first.out.ends_with("0 kept, 4 created, 0 replaced\n"), "{}", first.out);
    let before = ksql.state().await;
    let again = ksql.apply(&file, &[]).await;
    assert_eq!(again.verdicts(), names.map(|name| ('=', name)));
    assert_eq!((again.code, again.err.as_str()), (0, ""));
    assert_eq!(ksql.state().await, before);
    let dry = ksql.apply(&file, &["--dry-run", "--output", "json"]).await;
    assert_eq!(dry.code, 0);
    let objects: Vec<Value> =
        dry.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(objects[1]["verdict"], "kept");
    assert_eq!(objects[1]["name"], "DEVICE_ACTIVITY_COUNTS");
    assert_eq!(
        objects[4],
        json!({ "verdict": "left alone", "kind": "STREAM", "name": "TOPIC_OF_READINGS" })
    );
    ksql.stop().await;
}

#[tokio::test]
async fn only_what_statements_mean_counts() {
    let (world, files) = (World::new().await, Files::new());
    let ksql = world.server().await;
    let made = ksql.applied(&files, &[CLICKS, BIG, HITS].concat()).await;
    assert_eq!(made, expected(&[('+', "CLICKS"), ('+', "BIG"), ('+', "HITS")]));
    let before = ksql.state().await;
    let otherwise = "-- the same
        create or replace stream CLICKS (`ID` varchar key, page string, N integer) with (
          VALUE_FORMAT = 'json', KEY_FORMAT = 'KAFKA', KAFKA_TOPIC = 'clicks', PARTITIONS = 1);
        DEFINE least = '5';
        CREATE STREAM IF NOT EXISTS big WITH (VALUE_FORMAT='JSON', PARTITIONS=1) AS
          SELECT c.id AS id, c.page FROM clicks AS c WHERE (n) > ${least};
        CREATE TABLE hits WITH (kafka_topic='HITS') AS
          SELECT page, /* all of them */ count(*) n FROM clicks GROUP BY page;";
    let kept = ksql.applied(&files, otherwise).await;
    let first_two = expected(&[('=', "CLICKS"), ('=', "BIG"), ('=', "HITS")]);
    assert_eq!(kept, first_two);
    assert_eq!(ksql.state().await, before);
    ksql.stop().await;
}

#[tokio::test]
async fn a_changed_filter_replaces_a_query() {
    let (world, files) = (World::new().await, Files::new());
    let ksql = world.server().await;
    ksql.applied(&files, &[CLICKS, BIG].concat()).await;
    let id = |state: &(String, Value)| state.1[0]["queries"][0]["id"].clone();
    let before = ksql.state().await;
    let changed = [CLICKS, &BIG.replace("> 5", "> 7")].concat();
    let file = files.write("changed.sql", &changed);
    let dry = ksql.apply(&file, &["--dry-run"]).await;
    assert_eq!(dry.verdicts(), [('=', "CLICKS"), ('~', "BIG")]);
    assert_eq!(dry.code, 2, "a dry run says that there is something to do");
    assert!(dry.out.contains("BIG     ") || dry.out.contains("to be replaced"), "{}", dry.out);
    assert_eq!(ksql.state().await, before, "a dry run writes nothing");
    assert_eq!(ksql.applied(&files, &changed).await, expected(&[('=', "CLICKS"), ('~', "BIG")]));
    let after = ksql.state().await;
    assert_eq!(id(&after), id(&before), "the query goes on");
    let text = after.1[0]["queries"][0]["queryString"].as_str().unwrap();
    assert!(text.starts_with("CREATE OR REPLACE STREAM BIG") && text.contains("> 7"), "{text}");
    assert_eq!(ksql.applied(&files, &changed).await, expected(&[('=', "CLICKS"), ('=', "BIG")]));
    // A column more is one for the query too that takes all of them.
    let wider = [
        &CLICKS.replace("n INT", "n INT, more INT"),
        "CREATE STREAM all_of AS SELECT * FROM clicks;",
    ];
    let narrow = [CLICKS, wider[1]].concat();
    ksql.applied(&files, &narrow).await;
    assert_eq!(
        ksql.applied(&files, &wider.concat()).await,
        expected(&[('~', "CLICKS"), ('~', "ALL_OF")])
    );
    assert_eq!(
        ksql.applied(&files, &wider.concat()).await,
        expected(&[('=', "CLICKS"), ('=', "ALL_OF")])
    );
    ksql.stop().await;
}

#[tokio::test]
async fn what_the_rules_forbid_is_refused_before_anything_is_written() {
    let (world, files) = (World::new().await, Files::new());
    let ksql = world.server().await;
    ksql.applied(&files, &[CLICKS, HITS].concat()).await;
    let before = ksql.state().await;
    let other = HITS.replace("COUNT(*)", "SUM(n)");
    let text = [
        CLICKS,
        BIG,
        &other,
        "CREATE STREAM of_hits (page STRING KEY) WITH (kafka_topic='HITS', value_format='JSON');",
    ]
    .concat();
    let said = ksql.apply(&files.write("file.sql", &text), &[]).await;
    assert_eq!(said.code, 1);
    assert_eq!(
        said.verdicts(),
        [('=', "CLICKS"), ('+', "BIG"), ('!', "HITS"), ('+', "OF_HITS")],
        "{}",
        said.out
    );
    assert!(
        said.out.contains("there: CREATE TABLE HITS WITH (CLEANUP_POLICY='compact'"),
        "{}",
        said.out
    );
    assert!(
        said.out.contains("file:  CREATE TABLE hits AS SELECT page, SUM(n) AS n"),
        "{}",
        said.out
    );
    assert!(said.out.contains("Cannot upgrade data source"), "{}", said.out);
    assert!(said.out.ends_with("1 refused; nothing is done\n"), "{}", said.out);
    assert_eq!(ksql.state().await, before);
    ksql.stop().await;
}

#[tokio::test]
async fn statements_that_define_nothing_are_refused() {
    let (world, files) = (World::new().await, Files::new());
    let ksql = world.server().await;
    let before = ksql.state().await;
    for (statement, name) in [
        ("INSERT INTO clicks (id) VALUES ('a');", "INSERT INTO … VALUES is no definition"),
        ("DROP STREAM clicks;", "DROP STREAM is no definition"),
        ("ALTER STREAM clicks ADD COLUMN x INT;", "ALTER STREAM is no definition"),
        ("TERMINATE ALL;", "TERMINATE ALL is no definition"),
        ("SELECT * FROM clicks EMIT CHANGES;", "SELECT * is no definition"),
        (
            "SET 'bootstrap.servers'='a:1'; CREATE TYPE t AS INT;",
            "Cannot override properties: bootstrap.servers",
        ),
        ("SET 'no.such.property'='1';", "Unknown property: no.such.property"),
        (
            "CREATE STREAM clicks (id INT) WITH (kafka_topic='clicks', value_format='JSON', partitions=1);",
            "CLICKS is defined twice, and not alike",
        ),
        (
            "CREATE STREAM b AS SELECT nope FROM clicks; CREATE STREAM c AS SELECT * FROM b;",
            "not looked at: the statement that makes B is refused",
        ),
        ("CREATE TYPE t AS NOPE;", "Cannot resolve unknown type: NOPE"),
    ] {
        let text = [CLICKS, statement].concat();
        let said = ksql.apply(&files.write("file.sql", &text), &[]).await;
        assert_eq!(said.code, 1, "{statement}");
        assert!(said.out.contains(name), "{statement}: {}{}", said.out, said.err);
    }
    let said = ksql.apply(&files.write("file.sql", "CREATE STREEM x;"), &[]).await;
    assert_eq!(said.code, 1);
    assert!(
        said.err.contains("file.sql:1:8") && said.err.contains("cannot be read"),
        "{}",
        said.err
    );
    assert_eq!(ksql.state().await, before);
    ksql.stop().await;
}

#[tokio::test]
async fn an_insert_into_is_known_by_what_it_does() {
    let (world, files) = (World::new().await, Files::new());
    let ksql = world.server().await;
    let target = "CREATE STREAM few (id STRING KEY, page STRING) WITH (kafka_topic='few', value_format='JSON', partitions=1);";
    let insert = "INSERT INTO few SELECT id, page FROM clicks WHERE n < 3;";
    let all = [CLICKS, target, insert].concat();
    assert_eq!(
        ksql.applied(&files, &all).await,
        expected(&[('+', "CLICKS"), ('+', "FEW"), ('+', "FEW")])
    );
    let before = ksql.state().await;
    assert_eq!(
        ksql.applied(&files, &all).await,
        expected(&[('=', "CLICKS"), ('=', "FEW"), ('=', "FEW")])
    );
    let another = [&all, "INSERT INTO few SELECT id, page FROM clicks WHERE n < 4;"].concat();
    assert_eq!(ksql.state().await, before);
    let changed = all.replace("n < 3", "n < 4");
    let said = ksql.apply(&files.write("file.sql", &changed), &[]).await;
    assert_eq!(said.verdicts(), [('=', "CLICKS"), ('=', "FEW"), ('!', "FEW")]);
    assert!(said.out.contains("TERMINATE INSERTQUERY_"), "{}", said.out);
    assert!(said.out.contains(&format!("there: {insert}")), "{}", said.out);
    let made = ksql.applied(&files, &another).await;
    assert_eq!(made[2..], expected(&[('=', "FEW"), ('+', "FEW")]));
    let kept = ksql.applied(&files, &another).await;
    assert_eq!(kept[2..], expected(&[('=', "FEW"), ('=', "FEW")]));
    ksql.stop().await;
}

#[tokio::test]
async fn what_others_did_to_it_since_is_seen() {
    let (world, files) = (World::new().await, Files::new());
    let ksql = world.server().await;
    let types = "CREATE TYPE place AS STRUCT<`x` DOUBLE, y DOUBLE>;
        CREATE STREAM seen (id STRING KEY, where_at place) WITH (kafka_topic='seen', value_format='JSON', partitions=1);";
    let all = [CLICKS, BIG, types].concat();
    ksql.applied(&files, &all).await;
    let names = ["CLICKS", "BIG", "PLACE", "SEEN"];
    assert_eq!(ksql.applied(&files, &all).await, expected(&names.map(|name| ('=', name))));
    let id = ksql.run("SHOW QUERIES;").await[0]["queries"][0]["id"].as_str().unwrap().to_owned();
    ksql.run(&format!("PAUSE {id};")).await;
    let said = ksql.apply(&files.write("file.sql", &all), &[]).await;
    assert!(said.out.contains("kept: its query is paused"), "{}", said.out);
    ksql.run(&format!("TERMINATE {id}; ALTER STREAM clicks ADD COLUMN more INT;")).await;
    // The column that was added is not in the file, and none may go.
    let said = ksql.apply(&files.write("file.sql", &all), &[]).await;
    assert_eq!(said.verdicts()[..2], [('!', "CLICKS"), ('~', "BIG")], "{}", said.out);
    assert!(said.out.contains("ALTER STREAM clicks ADD COLUMN more INT;"), "{}", said.out);
    let all = all.replace("n INT)", "n INT, more INT)");
    let said = ksql.apply(&files.write("file.sql", &all), &[]).await;
    assert_eq!(said.verdicts()[..2], [('=', "CLICKS"), ('~', "BIG")], "{}", said.out);
    assert!(said.out.contains("its query was terminated, and begins anew"), "{}", said.out);
    let queries = ksql.run("SHOW QUERIES;").await;
    assert_eq!(queries[0]["queries"][0]["sinks"], json!(["BIG"]));
    assert_eq!(ksql.applied(&files, &all).await, expected(&names.map(|name| ('=', name))));
    let other = all.replace("y DOUBLE", "y INT");
    assert_eq!(ksql.applied(&files, &other).await[2], ('!', "PLACE".to_owned()));
    ksql.stop().await;
}

#[tokio::test]
async fn properties_are_those_of_the_session_that_began_a_query() {
    let (world, files) = (World::new().await, Files::new());
    let ksql = world.server().await;
    let set = "SET 'cache.max.bytes.buffering'='0';\n";
    let all = [CLICKS, set, HITS].concat();
    ksql.applied(&files, &all).await;
    let detail = ksql.run("SHOW QUERIES EXTENDED;").await;
    let overrides = &detail[0]["queryDescriptions"][0]["overriddenProperties"];
    assert_eq!(*overrides, json!({ "cache.max.bytes.buffering": "0" }));
    assert_eq!(ksql.applied(&files, &all).await, expected(&[('=', "CLICKS"), ('=', "HITS")]));
    let file = files.write("plain.sql", &[CLICKS, HITS].concat());
    let flag = ["--property", "ksql.streams.cache.max.bytes.buffering=0"];
    assert_eq!(ksql.apply(&file, &flag).await.verdicts(), [('=', "CLICKS"), ('=', "HITS")]);
    // Where it began does not matter to a query that runs; how it runs does.
    let begins = ["--property", "auto.offset.reset=earliest"];
    let said = ksql.apply(&file, &[&flag[..], &begins[..]].concat()).await;
    assert_eq!(said.verdicts(), [('=', "CLICKS"), ('=', "HITS")]);
    let said = ksql.apply(&file, &[]).await;
    assert_eq!(said.verdicts(), [('=', "CLICKS"), ('~', "HITS")], "{}", said.out);
    assert!(said.out.contains("had set other properties"), "{}", said.out);
    ksql.stop().await;
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told() {
    let files = Files::new();
    let file = files.write("file.sql", CLICKS).display().to_string();
    let args = ["apply", "--server", "http://127.0.0.1:9", &file];
    let said = program(args.map(str::to_owned).to_vec()).await;
    assert_eq!(said.code, 1);
    assert!(said.err.contains("cannot talk to http://127.0.0.1:9"), "{}", said.err);
}

#[tokio::test]
async fn columns_of_the_registry_are_those_that_the_server_has() {
    let (world, files) = (World::new().await, Files::new());
    let cluster = world.cluster();
    let registry = EmbeddedRegistry::start(&cluster, EmbeddedRegistryConfig::default()).await;
    let url = registry.as_ref().unwrap().url();
    let ksql = world.server_with(&[("ksql.schema.registry.url", &url)]).await;
    ksql.run(
        "CREATE STREAM written (id STRING KEY, n INT)
         WITH (kafka_topic='avro', value_format='AVRO', partitions=1);",
    )
    .await;
    let all = "CREATE STREAM found (id STRING KEY) WITH (kafka_topic='avro', value_format='AVRO');
        CREATE TABLE counts WITH (value_format='AVRO') AS SELECT id, SUM(n) AS n FROM found GROUP BY id;";
    let file = files.write("file.sql", all);
    let first = ksql.apply(&file, &[]).await;
    assert_eq!(first.verdicts(), [('+', "FOUND"), ('+', "COUNTS")], "{}", first.err);
    assert!(first.out.contains("the columns of FOUND are in the Schema Registry"), "{}", first.out);
    let known = format!("ksql.schema.registry.url={url}");
    for flags in [&[][..], &["--property", &known][..]] {
        let again = ksql.apply(&file, flags).await;
        assert_eq!(again.verdicts(), [('=', "FOUND"), ('=', "COUNTS")], "{flags:?}: {}", again.out);
    }
    let changed = files.write("changed.sql", &all.replace("SUM(n)", "SUM(nope)"));
    let refused = ksql.apply(&changed, &[]).await;
    assert_eq!(refused.verdicts(), [('=', "FOUND"), ('!', "COUNTS")], "{}", refused.out);
    assert!(refused.out.contains("'NOPE' cannot be resolved"), "{}", refused.out);
    ksql.stop().await;
}

/// A server of the program that applies a file at its start.
fn server(world: &World, apply: &Path) -> Command {
    let brokers = world.brokers();
    let args = ["server", "--bootstrap-servers", &brokers, "--property", "ksql.service.id=test_"];
    let mut program = Command::new(env!("CARGO_BIN_EXE_millstream"));
    program.args(args).args(["--listeners", "http://127.0.0.1:0", "--apply"]).arg(apply);
    program.env_remove("RUST_LOG").stderr(Stdio::piped());
    program
}

/// What a server says until it listens, or ends; it is killed then.
fn start_of(mut server: Command) -> impl Future<Output = String> {
    let mut running = server.spawn().unwrap();
    let said = tokio::task::spawn_blocking(move || {
        let mut said = String::new();
        let lines = std::io::BufReader::new(running.stderr.take().unwrap()).lines();
        for line in lines.map_while(Result::ok) {
            said = said + &line + "\n";
            if line.contains("listening on") {
                break;
            }
        }
        running.kill().unwrap();
        running.wait().unwrap();
        said
    });
    async { said.await.unwrap() }
}

#[tokio::test]
async fn a_server_applies_files_before_it_answers() {
    let (world, files) = (World::new().await, Files::new());
    let file = files.write("file.sql", &[CLICKS, BIG].concat());
    for (word, other) in [("created", "kept"), ("kept", "created")] {
        let said = start_of(server(&world, &file)).await;
        assert!(said.contains(&format!("stream BIG is {word}")) && !said.contains(other), "{said}");
        assert!(said.contains("listening on"), "{said}");
    }
    let changed = [CLICKS, &BIG.replace("id, page", "id, n"), HITS].concat();
    let mut refused = server(&world, &files.write("changed.sql", &changed));
    let refused = tokio::task::spawn_blocking(move || refused.output().unwrap()).await.unwrap();
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(
        said.contains("Cannot upgrade data source") && said.contains("there: CREATE STREAM BIG"),
        "{said}"
    );
    let ksql = world.server().await;
    assert_eq!(ksql.run("SHOW TABLES;").await[0]["tables"], json!([]), "nothing of it is done");
    assert_eq!(ksql.run("SHOW QUERIES;").await[0]["queries"].as_array().unwrap().len(), 1);
    ksql.stop().await;
}

#[tokio::test]
async fn servers_of_one_service_apply_the_same_at_the_same_time() {
    let (world, files) = (World::new().await, Files::new());
    let file = files.write("file.sql", &[CLICKS, BIG, HITS].concat());
    let starts = [(); 3].map(|()| start_of(server(&world, &file)));
    for start in starts {
        let said = start.await;
        assert!(said.contains("listening on"), "{said}");
    }
    let ksql = world.server().await;
    let queries = ksql.run("SHOW QUERIES;").await;
    let queries = queries[0]["queries"].as_array().unwrap();
    let mut sinks: Vec<_> = queries.iter().map(|query| query["sinks"][0].to_string()).collect();
    sinks.sort();
    assert_eq!(sinks, ["\"BIG\"", "\"HITS\""]);
    ksql.stop().await;
}

#[tokio::test]
async fn queries_that_run_are_resumed_without_a_word() {
    let (world, files) = (World::new().await, Files::new());
    let mut running =
        server(&world, &files.write("file.sql", &[CLICKS, BIG, HITS].concat())).spawn().unwrap();
    let said = std::io::BufReader::new(running.stderr.take().unwrap());
    let (url, lines) = tokio::task::spawn_blocking(move || {
        let mut lines = said.lines().map_while(Result::ok);
        let listening = lines.find_map(|line| Some(line.split_once("listening on ")?.1.to_owned()));
        (listening.unwrap(), lines)
    })
    .await
    .unwrap();
    for statement in ["RESUME ALL;", "PAUSE ALL;", "PAUSE ALL;", "RESUME ALL;", "RESUME ALL;"] {
        let request = client().post(format!("{url}/ksql"));
        let answer = request.body(json!({ "ksql": statement }).to_string()).send().await.unwrap();
        let answer: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        assert_eq!(answer[0]["commandStatus"]["status"], "SUCCESS", "{statement}: {answer}");
    }
    running.kill().unwrap();
    running.wait().unwrap();
    let warned = tokio::task::spawn_blocking(|| {
        lines.filter(|line| line.contains("WARN")).collect::<Vec<_>>()
    });
    assert_eq!(warned.await.unwrap(), [""; 0]);
}
