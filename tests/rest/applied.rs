//! What users sent to a ksqlDB, applied to what that said of it afterwards: everything is kept.

use libtest_mimic::{Failed, Trial};
use millstream::apply::{ApplyOptions, There, Verdict, decide_over};
use serde_json::{Value, json};

use crate::exchange::Exchange;

/// The last exchange before what there is is asked for.
const ASKED: &str = "DESCRIBE STREAMS;";
/// The questions whose answers tell what there is.
const QUESTIONS: [&str; 5] =
    ["LIST PROPERTIES;", "SHOW TYPES;", "SHOW ALL TOPICS;", ASKED, "DESCRIBE TABLES;"];

pub(crate) fn trial(exchanges: &[Exchange]) -> Trial {
    let exchanges = exchanges.to_vec();
    Trial::test("what users sent is what is there", move || check(&exchanges))
}

/// The statements of a request that was answered.
fn statements(exchange: &Exchange) -> Option<String> {
    let body: Value = serde_json::from_str(exchange.body.as_deref()?).ok()?;
    let is_answered = exchange.path == "/ksql" && exchange.status == Some(200);
    body["ksql"].as_str().filter(|_| is_answered).map(str::to_owned)
}

fn check(exchanges: &[Exchange]) -> Result<(), Failed> {
    let asked = exchanges.iter().position(|one| statements(one).as_deref() == Some(ASKED));
    let asked = asked.ok_or("nobody asked what there is")?;
    let made = exchanges[..asked].iter().filter_map(statements);
    let made: Vec<String> = made.filter(|text| text.starts_with("CREATE")).collect();
    // Others were made later.
    let near = exchanges.iter().skip(asked - 40).take(80);
    let mut answers: Vec<Value> = Vec::new();
    for exchange in
        near.filter(|one| statements(one).is_some_and(|text| QUESTIONS.contains(&text.as_str())))
    {
        answers.extend(serde_json::from_str::<Vec<Value>>(&exchange.answer).unwrap());
    }
    answers.push(queries(&answers));
    let there = There::of(&answers)?;
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let text = made.join("\n").into();
    let decision = runtime.block_on(decide_over(&there, &text, &ApplyOptions::default()))?;
    let kept = decision.actions.iter().filter(|action| action.verdict == Verdict::Kept).count();
    assert_eq!(decision.actions.len(), made.len());
    let others = decision.actions.iter().filter(|action| action.verdict != Verdict::Kept);
    let others: Vec<String> = others.map(|other| format!("{other:#?}")).collect();
    if kept != made.len() || kept == 0 {
        return Err(others.join("\n").into());
    }
    Ok(())
}

/// The queries as `SHOW QUERIES EXTENDED` tells them, which was not asked: those of the descriptions.
fn queries(answers: &[Value]) -> Value {
    let descriptions = answers.iter().filter_map(|answer| answer["sourceDescriptions"].as_array());
    let written = descriptions.flatten().filter_map(|source| source["writeQueries"].as_array());
    let queries = written.flatten().map(|query| {
        json!({
            "id": query["id"], "statementText": query["queryString"], "sinks": query["sinks"],
            "queryType": query["queryType"], "overriddenProperties": {},
        })
    });
    json!({ "@type": "query_descriptions", "queryDescriptions": queries.collect::<Vec<_>>() })
}
