//! Figures and traces as a collector of OpenTelemetry gets them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use millstream::server::otlp::messages::{
    Any, AnyValue, Data, KeyValue, Metric, MetricsRequest, Number, Span, TracesRequest,
};
use millstream::server::otlp::{Exporter, OtlpConfig};
use prost::Message;

use crate::figures::made;
use crate::world::World;

/// How often it is looked for what is to come, and how often at most.
const LOOK_EVERY: Duration = Duration::from_millis(50);
const LOOKS_MAX: usize = 1_200;

/// A collector that refuses what comes first.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Collected>>);

#[derive(Default)]
struct Collected {
    refused: usize,
    logins: Vec<String>,
    metrics: Vec<MetricsRequest>,
    traces: Vec<TracesRequest>,
}

impl Collector {
    /// Lets it listen; where it is found.
    async fn start(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let routes = Router::new().fallback(take).with_state(self.clone());
        tokio::spawn(async move { serve(listener, routes).await });
        url
    }

    /// Waits until what was collected gives something.
    async fn until<T>(&self, look: impl Fn(&Collected) -> Option<T>) -> T {
        for _ in 0..LOOKS_MAX {
            if let Some(found) = look(&self.0.lock().unwrap()) {
                return found;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        panic!("it has not come");
    }
}

async fn serve(listener: tokio::net::TcpListener, routes: Router) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let service = hyper_util::service::TowerToHyperService::new(routes.clone());
        tokio::spawn(async move {
            let stream = hyper_util::rt::TokioIo::new(stream);
            let _ =
                hyper::server::conn::http1::Builder::new().serve_connection(stream, service).await;
        });
    }
}

async fn take(
    State(collector): State<Collector>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let mut collected = collector.0.lock().unwrap();
    if collected.refused < 2 {
        collected.refused += 1;
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    assert_eq!(headers["content-type"], "application/x-protobuf");
    collected.logins.push(headers["authorization"].to_str().unwrap().to_owned());
    match uri.path() {
        "/v1/metrics" => collected.metrics.push(MetricsRequest::decode(body).unwrap()),
        "/v1/traces" => collected.traces.push(TracesRequest::decode(body).unwrap()),
        path => panic!("{path}"),
    }
    StatusCode::OK
}

fn text<'a>(attributes: &'a [KeyValue], name: &str) -> &'a str {
    let found = attributes.iter().find(|attribute| attribute.key == name);
    match found.and_then(|attribute| attribute.value.as_ref()) {
        Some(AnyValue { value: Some(Any::Text(text)) }) => text,
        other => panic!("{name}: {other:?}"),
    }
}

/// The metric of a name, of a request.
fn metric<'a>(request: &'a MetricsRequest, name: &str) -> Option<&'a Metric> {
    let metrics = &request.resource_metrics[0].scope_metrics[0].metrics;
    metrics.iter().find(|metric| metric.name == name)
}

/// The points of a query of a count.
fn count(metric: &Metric, query: &str) -> i64 {
    let Some(Data::Sum(sum)) = &metric.data else { panic!("{metric:?}") };
    assert!(sum.is_monotonic && sum.aggregation_temporality == 2);
    let own = sum.data_points.iter().filter(|point| text(&point.attributes, "query") == query);
    let values = own.map(|point| {
        assert!(point.start_time_unix_nano > 0);
        assert!(point.time_unix_nano > point.start_time_unix_nano);
        let Some(Number::Int(value)) = point.value else { panic!("{point:?}") };
        value
    });
    values.sum()
}

/// Gauges and histograms are what they are called.
fn check_kinds(request: &MetricsRequest) {
    let memory = metric(request, "process_resident_memory_bytes").unwrap();
    assert_eq!(memory.unit, "By");
    assert!(matches!(memory.data, Some(Data::Gauge(_))), "{memory:?}");
    let commits = metric(request, "millstream_query_commit_duration_seconds").unwrap();
    let Some(Data::Histogram(commits)) = &commits.data else { panic!("{commits:?}") };
    let point = &commits.data_points[0];
    assert_eq!(point.bucket_counts.len(), point.explicit_bounds.len() + 1);
    assert_eq!(point.bucket_counts.iter().sum::<u64>(), point.count);
}

/// The parts of a commit follow one another within it.
fn check_parts(spans: &[Span]) {
    let names: Vec<&str> = spans.iter().map(|span| &*span.name).collect();
    let parts = [
        "fetch and process",
        "drain",
        "produce",
        "write changelogs",
        "commit offsets",
        "checkpoint",
    ];
    assert_eq!(names[1..], parts);
    let (whole, mut from) = (&spans[0], spans[0].start_time_unix_nano);
    assert_eq!(
        (whole.trace_id.len(), whole.span_id.len(), &*whole.parent_span_id),
        (16, 8, &[][..])
    );
    for part in &spans[1..] {
        assert_eq!(part.parent_span_id, whole.span_id);
        assert_ne!(part.span_id, whole.span_id);
        assert!(part.start_time_unix_nano == from && part.end_time_unix_nano >= from, "{part:?}");
        from = part.end_time_unix_nano;
    }
    assert_eq!(whole.end_time_unix_nano, from);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_gets_the_metrics_and_the_way_of_each_commit() {
    let world = World::new().await;
    let ksql = world.server().await;
    let collector = Collector::default();
    let url = collector.start().await;
    let config = OtlpConfig::read(|name| {
        Some(match name {
            "OTEL_EXPORTER_OTLP_ENDPOINT" => url.clone(),
            "OTEL_EXPORTER_OTLP_HEADERS" => "authorization=Bearer%20secret".to_owned(),
            "OTEL_SERVICE_NAME" => "mill".to_owned(),
            "OTEL_METRIC_EXPORT_INTERVAL" => "100".to_owned(),
            _ => return None,
        })
    });
    let exporter = Exporter::new(config.unwrap().unwrap()).unwrap();
    let host = Arc::clone(&ksql.host);
    let exporting = tokio::spawn(async move { exporter.run(&host).await });
    ksql.run("CREATE STREAM readings (device VARCHAR KEY, n INT) WITH (KAFKA_TOPIC='readings', PARTITIONS=1, VALUE_FORMAT='JSON');")
        .await;
    let query = made(&ksql, "CREATE STREAM large AS SELECT * FROM readings WHERE n > 1;").await;
    for n in 0..5 {
        ksql.run(&format!("INSERT INTO readings VALUES ('d', {n});")).await;
    }
    let request = collector
        .until(|collected| {
            let read = |request: &&MetricsRequest| {
                let read = metric(request, "millstream_query_records_read");
                read.is_some_and(|read| count(read, &query) == 5)
            };
            collected.metrics.iter().find(read).cloned()
        })
        .await;
    let resource = request.resource_metrics[0].resource.as_ref().unwrap();
    assert_eq!(text(&resource.attributes, "service.name"), "mill");
    assert!(!text(&resource.attributes, "service.instance.id").is_empty());
    check_kinds(&request);
    // Each commit that had records is a trace.
    let of_query = format!("commit {query}");
    let spans: Vec<Span> = collector
        .until(|collected| {
            let requests = collected.traces.iter();
            let spans =
                requests.flat_map(|request| &request.resource_spans[0].scope_spans[0].spans);
            let spans: Vec<&Span> = spans.collect();
            let whole = spans.iter().find(|span| span.name == of_query)?;
            let own = spans.iter().filter(|span| span.trace_id == whole.trace_id);
            Some(own.map(|span| (*span).clone()).collect())
        })
        .await;
    check_parts(&spans);
    let logins = collector.0.lock().unwrap().logins.clone();
    assert!(logins.iter().all(|login| login == "Bearer secret"), "{logins:?}");
    exporting.abort();
    let _ = exporting.await;
    ksql.stop().await;
}
