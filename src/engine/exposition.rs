//! The numbers of all rooms in one text for a Prometheus.

use super::process;
use super::rooms::Rooms;
use crate::breaker::{BreakerMetrics, BreakerState};
use crate::metrics::{Exposition, Format};
use crate::queue::Metrics as QueueMetrics;
use crate::tracer::TracerMetrics;

/// Writes everything that is counted.
pub fn text(rooms: &Rooms, queue: &QueueMetrics, format: Format) -> String {
    let mut out = Exposition::new(format);
    out.gauge(
        "auton8n_build_info",
        "The version of the engine, as a label of the value 1.",
    );
    out.value("auton8n_build_info", &["version"], &[env!("CARGO_PKG_VERSION")], 1.0);
    let telemetry = &rooms.pipeline.examiner.telemetry;
    jobs(&mut out, queue);
    telemetry.metrics.write(&mut out);
    if let Some(guard) = &rooms.pipeline.asker.breaker {
        breaker(&mut out, guard.name(), &guard.metrics(rooms.clock.monotonic_ms()));
    }
    spans(&mut out, &telemetry.tracer.metrics());
    process::write(&mut out);
    out.finish()
}

fn jobs(out: &mut Exposition, queue: &QueueMetrics) {
    let name = "auton8n_jobs";
    out.gauge(name, "Jobs of the store by state.");
    let counts = &queue.counts;
    for (state, count) in [
        ("pending", counts.pending),
        ("scheduled", counts.scheduled),
        ("running", counts.running),
        ("retrying", counts.retrying),
        ("completed", counts.completed),
        ("failed", counts.failed),
        ("cancelled", counts.cancelled),
    ] {
        out.value(name, &["state"], &[state], count as f64);
    }
    single(
        out,
        "auton8n_queue_paused",
        "1 while no jobs are taken.",
        f64::from(u8::from(queue.paused)),
    );
    let waits = queue.oldest_waiting_ms.unwrap_or(0) as f64 / 1e3;
    single(
        out,
        "auton8n_queue_oldest_waiting_seconds",
        "How long the job that waits longest has waited.",
        waits,
    );
    if let Some(ms) = queue.since_last_claim_ms {
        single(
            out,
            "auton8n_queue_last_claim_age_seconds",
            "Time since a job was last taken.",
            ms as f64 / 1e3,
        );
    }
}

fn breaker(out: &mut Exposition, name: &str, metrics: &BreakerMetrics) {
    let state = "auton8n_breaker_state";
    out.gauge(state, "1 for the state in which the breaker is.");
    for (label, is) in [
        ("closed", BreakerState::Closed),
        ("open", BreakerState::Open),
        ("half-open", BreakerState::HalfOpen),
    ] {
        let value = f64::from(u8::from(metrics.state == is));
        out.value(state, &["breaker", "state"], &[name, label], value);
    }
    let calls = "auton8n_breaker_calls";
    out.counter(calls, "Calls through the breaker; a timeout is a failure too.");
    for (outcome, count) in [
        ("success", metrics.successful_requests),
        ("failure", metrics.failed_requests),
        ("timeout", metrics.timeouts),
        ("rejected", metrics.rejected_requests),
    ] {
        out.count(calls, &["breaker", "outcome"], &[name, outcome], count as f64);
    }
}

fn spans(out: &mut Exposition, metrics: &TracerMetrics) {
    let name = "auton8n_tracer_spans";
    out.counter(name, "What became of the spans.");
    for (fate, count) in [
        ("started", metrics.started),
        ("exported", metrics.exported),
        ("dropped", metrics.dropped),
        ("failed", metrics.failed),
    ] {
        out.count(name, &["fate"], &[fate], count as f64);
    }
}

fn single(out: &mut Exposition, name: &str, help: &str, value: f64) {
    out.gauge(name, help);
    out.value::<&str>(name, &[], &[], value);
}
