//! A registry beside the broker of a case, with the schemas that the case begins with.

use millstream::kafka::Cluster;
use millstream::registry::{EmbeddedRegistry, EmbeddedRegistryConfig, Schema, SchemaId, Subject};
use serde_json::{Value, json};

/// Starts a registry that holds schemas under their ids.
pub(crate) async fn start(
    cluster: &Cluster,
    schemas: &[(Subject, SchemaId, Schema)],
) -> Result<EmbeddedRegistry, String> {
    let registry = EmbeddedRegistry::start(cluster, EmbeddedRegistryConfig::default()).await;
    let registry = registry.map_err(|error| error.to_string())?;
    let client = reqwest::Client::new();
    let url = registry.url();
    send(&client, "PUT", &format!("{url}/mode?force=true"), &json!({ "mode": "IMPORT" })).await?;
    for (subject, id, schema) in schemas {
        let reference = |reference: &millstream::registry::Reference| {
            let subject = reference.subject.as_str();
            json!({ "name": reference.name, "subject": subject, "version": reference.version })
        };
        let references: Vec<Value> = schema.references.iter().map(reference).collect();
        let body = json!({
            "schema": schema.text,
            "schemaType": schema.ty.name(),
            "references": references,
            "id": id.0.unsigned_abs(),
            "version": 1,
        });
        let path = format!("{url}/subjects/{}/versions", subject.as_str());
        send(&client, "POST", &path, &body).await?;
    }
    send(&client, "PUT", &format!("{url}/mode?force=true"), &json!({ "mode": "READWRITE" }))
        .await?;
    Ok(registry)
}

async fn send(
    client: &reqwest::Client,
    method: &str,
    url: &str,
    body: &Value,
) -> Result<(), String> {
    let request = client.request(method.parse().unwrap(), url).body(body.to_string());
    let request = request.header("content-type", "application/json");
    let response = request.send().await.map_err(|error| error.to_string())?;
    if response.status().is_success() {
        return Ok(());
    }
    let text = response.text().await.unwrap_or_default();
    Err(format!("the registry does not take {body}: {text}"))
}
