//! What is here, what is missing, and what to do about it.

use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use super::options::EngineOptions;
use super::rooms::Rooms;
use crate::breaker::BreakerState;
use crate::error::{Error, Result};

/// How the engine is: `live` where it answers, `ready` where it can take jobs, `degraded` with reasons and what to do
/// about each. It looks at what is known, and starts nothing.
pub async fn health(
    rooms: &Rooms,
    stored: Result<()>,
    warning: Option<String>,
    token: &CancellationToken,
) -> Result<Value> {
    let mut reasons = Vec::new();
    let ready = stored.is_ok();
    if let Err(error) = stored {
        reasons.push(reason(
            error.code().as_str(),
            &format!("the store does not answer: {}", error.message()),
        ));
    }
    let now = rooms.clock.monotonic_ms();
    if let Some(breaker) = rooms
        .pipeline
        .asker
        .breaker
        .as_ref()
        .filter(|one| one.state() == BreakerState::Open)
    {
        let wait = breaker.due_in(now).map_or_else(
            || "when it is closed by hand".to_owned(),
            |ms| format!("in {} s", ms.div_ceil(1_000)),
        );
        reasons.push(reason(
            "AUTON8N_BREAKER_OPEN",
            &format!("the model failed too often, so it is not asked; it is tried again {wait}. Look at its key, its limits and its provider"),
        ));
    }
    let spans = rooms.pipeline.examiner.telemetry.tracer.metrics();
    if let Some(why) = spans.last_error.filter(|_| spans.failing) {
        reasons.push(reason(
            "AUTON8N_EXPORT_FAILED",
            &format!("spans are lost: {why}. Look at the address of the receiver (AUTON8N_OTLP_ENDPOINT) and the disk"),
        ));
    }
    let mut answer = sandbox(rooms, token, &mut reasons).await;
    answer.insert(
        "status".to_owned(),
        json!(if reasons.is_empty() { "ok" } else { "degraded" }),
    );
    answer.insert("live".to_owned(), json!(true));
    answer.insert("ready".to_owned(), json!(ready));
    answer.insert("reasons".to_owned(), json!(reasons));
    if let Some(warning) = warning {
        answer.insert("warnings".to_owned(), json!([warning]));
    }
    Ok(Value::Object(answer))
}

/// What would make the sandboxes, or why nothing would.
async fn sandbox(rooms: &Rooms, token: &CancellationToken, reasons: &mut Vec<Value>) -> Map<String, Value> {
    let mut answer = Map::new();
    let Some(workshop) = &rooms.pipeline.examiner.workshop else {
        let what =
            "the sandbox is switched off, so no plugin can be verified; open the engine without `sandbox: false`";
        reasons.push(reason("AUTON8N_SANDBOX_UNAVAILABLE", what));
        return answer;
    };
    // The first look makes tools and engine ready, as the first job would; a failure is repeated for a while.
    match workshop.ready_or_known_failure(token).await {
        Ok(found) => {
            answer.insert("engine".to_owned(), json!(found.engine.name()));
            answer.insert("isolation".to_owned(), json!(found.engine.isolation().to_string()));
        }
        Err((code, message)) => reasons.push(reason(code.as_str(), &message)),
    }
    answer
}

fn reason(code: &str, message: &str) -> Value {
    json!({ "code": code, "message": message })
}

/// Everything that a creation needs, one by one.
pub async fn doctor(options: &EngineOptions, rooms: &Rooms, token: &CancellationToken) -> Result<Value> {
    let workshop = rooms.pipeline.examiner.workshop.as_ref();
    let engines = match workshop {
        Some(workshop) => workshop.probe(token).await.unwrap_or_default(),
        None => Vec::new(),
    };
    let engines: Vec<Value> = engines
        .into_iter()
        .map(|candidate| {
            json!({
                "name": candidate.name,
                "address": candidate.address,
                "usable": candidate.usable,
                "problems": candidate.problems,
                "durationMs": candidate.duration_ms,
            })
        })
        .collect();
    let toolchain = match workshop {
        Some(workshop) => match workshop.toolchain(token).await {
            Ok(toolchain) => json!({ "usable": true, "directory": toolchain.directory, "digest": toolchain.digest }),
            Err(error) => failure(&error),
        },
        None => Value::Null,
    };
    Ok(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "platform": format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH),
        "dataDir": options.data_dir,
        "sandboxes": engines,
        "toolchain": toolchain,
        "advisories": super::dependencies::advisories_here(),
        "model": rooms.models.has_default(),
    }))
}

fn failure(error: &Error) -> Value {
    json!({ "usable": false, "code": error.code().as_str(), "message": error.message() })
}
