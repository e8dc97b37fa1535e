//! What queries keep on the disk of a server, and how long.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::world::{Ksql, PATIENCE, World};

const TABLES: &str = "CREATE STREAM visits (page STRING KEY, n INT)
      WITH (kafka_topic='visits', value_format='JSON', partitions=1);
    CREATE TABLE a AS SELECT page, COUNT(*) AS n FROM visits GROUP BY page;
    CREATE TABLE b AS SELECT page, SUM(n) AS n FROM visits GROUP BY page;
    INSERT INTO visits VALUES ('/x', 1);";

/// Whether there is anything of a query in a state directory.
fn keeps(root: &Path, query: &str) -> bool {
    root.join("test_").join(query).join("query").exists()
}

async fn keeps_both(root: &Path) {
    let both = async {
        while !(keeps(root, "CTAS_A_1") && keeps(root, "CTAS_B_3")) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, both).await.unwrap();
}

/// A server that keeps state in a directory.
async fn server(world: &World, root: &Path) -> Ksql {
    world.server_with(&[("ksql.streams.state.dir", root.to_str().unwrap())]).await
}

#[tokio::test]
async fn what_a_query_keeps_on_disk_goes_with_it() {
    let world = World::new().await;
    let folder = tempfile::tempdir().unwrap();
    let ksql = server(&world, folder.path()).await;
    ksql.run(TABLES).await;
    keeps_both(folder.path()).await;
    ksql.run("PAUSE CTAS_A_1;").await;
    assert!(keeps(folder.path(), "CTAS_A_1"));
    ksql.run("TERMINATE CTAS_A_1;").await;
    assert!(!keeps(folder.path(), "CTAS_A_1") && keeps(folder.path(), "CTAS_B_3"));
    ksql.run("DROP TABLE b;").await;
    assert!(!keeps(folder.path(), "CTAS_B_3"));
    ksql.stop().await;
}

#[tokio::test]
async fn what_queries_kept_that_ended_meanwhile_goes_at_the_next_start() {
    let world = World::new().await;
    let folders: Vec<_> = (0..2).map(|_| tempfile::tempdir().unwrap()).collect();
    let roots: Vec<PathBuf> = folders.iter().map(|folder| folder.path().to_owned()).collect();
    let ksql = server(&world, &roots[0]).await;
    ksql.run(TABLES).await;
    keeps_both(&roots[0]).await;
    let stranger = roots[0].join("test_").join("notes");
    std::fs::create_dir(&stranger).unwrap();
    ksql.stop().await;
    // Another server of the service ends one of them.
    let ksql = server(&world, &roots[1]).await;
    ksql.run("TERMINATE CTAS_A_1;").await;
    ksql.stop().await;
    let ksql = server(&world, &roots[0]).await;
    assert!(!keeps(&roots[0], "CTAS_A_1") && keeps(&roots[0], "CTAS_B_3"));
    assert!(stranger.exists());
    ksql.stop().await;
}
