//! The servers of a service, as `/clusterStatus` tells of them.

use serde_json::{Map, Value, json};

use crate::engine::host::{ServedQuery, ServerText};

/// What is known of servers.
pub fn render(servers: &[ServerText]) -> Value {
    let servers: Map<String, Value> =
        servers.iter().map(|server| (server.address.clone(), status(server))).collect();
    json!({ "clusterStatus": servers })
}

fn status(server: &ServerText) -> Value {
    let queries: Map<String, Value> =
        server.queries.iter().map(|query| (query.id.clone(), active(query))).collect();
    let told = server.queries.iter().filter(|_| server.has_lags);
    let lags: Map<String, Value> = told.flat_map(lags).collect();
    json!({
        "hostAlive": server.is_alive,
        "lastStatusUpdateMs": server.at_ms,
        "activeStandbyPerQuery": queries,
        "hostStoreLags": {
            "stateStoreLags": lags,
            "updateTimeMs": if server.has_lags { server.at_ms } else { 0 },
        },
    })
}

/// What a server has of a query. There are no replicas that stand by.
fn active(query: &ServedQuery) -> Value {
    let partitions = query.partitions.iter();
    let partitions: Vec<Value> =
        partitions.map(|at| json!({ "topic": &*at.topic, "partition": at.partition })).collect();
    let stores: Vec<&String> = query.stores.iter().map(|(name, _)| name).collect();
    json!({
        "activeStores": stores,
        "activePartitions": partitions,
        "standByStores": [],
        "standByPartitions": [],
    })
}

/// How far behind the stores of a query are: what a query keeps where it runs is never behind its changelog.
fn lags(query: &ServedQuery) -> impl Iterator<Item = (String, Value)> {
    query.stores.iter().map(|(name, ends)| {
        let partitions: Map<String, Value> = ends
            .iter()
            .enumerate()
            .map(|(partition, end)| {
                let lag = json!({
                    "currentOffsetPosition": end,
                    "endOffsetPosition": end,
                    "offsetLag": 0,
                });
                (partition.to_string(), lag)
            })
            .collect();
        (format!("{}#{name}", query.group), json!({ "lagByPartition": partitions }))
    })
}
