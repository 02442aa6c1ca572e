//! What only the JavaScript side of the process knows and its metrics tell: its loop, its heap, its breakers.

use serde::Deserialize;

use crate::error::{Code, Error, Result};
use crate::metrics::Exposition;

/// All of it. Times are seconds.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Near {
    pub breakers: Vec<NearBreaker>,
    event_loop: Option<EventLoop>,
    heap: Option<Heap>,
}

/// A breaker of the program's own.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NearBreaker {
    pub name: String,
    pub state: String,
    pub success: f64,
    pub failure: f64,
    pub timeout: f64,
    pub rejected: f64,
}

/// How late the loop turned since it was last asked.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct EventLoop {
    p50: f64,
    p90: f64,
    p99: f64,
    max: f64,
    /// 0 to 1.
    utilization: f64,
}

/// Bytes.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Heap {
    used: f64,
    total: f64,
    external: f64,
}

impl Near {
    /// Reads what came over the border; nothing where there is nothing.
    pub fn from_value(value: Option<serde_json::Value>) -> Result<Self> {
        value.map_or_else(
            || Ok(Self::default()),
            |value| {
                serde_json::from_value(value).map_err(|error| {
                    Error::new(
                        Code::OptionInvalid,
                        format!("the numbers of the process are not right: {error}"),
                    )
                })
            },
        )
    }

    /// Writes loop and heap, by the names that Node's users know.
    pub fn write(&self, out: &mut Exposition) {
        let mut gauge = |name: &str, help: &str, value: f64| {
            out.gauge(name, help);
            out.value::<&str>(name, &[], &[], value);
        };
        if let Some(late) = &self.event_loop {
            let lag = "How late the event loop turned since the last look";
            gauge(
                "nodejs_eventloop_lag_p50_seconds",
                &format!("{lag}, half of the time."),
                late.p50,
            );
            gauge(
                "nodejs_eventloop_lag_p90_seconds",
                &format!("{lag}, at most, 9 of 10 times."),
                late.p90,
            );
            gauge(
                "nodejs_eventloop_lag_p99_seconds",
                &format!("{lag}, at most, 99 of 100 times."),
                late.p99,
            );
            gauge(
                "nodejs_eventloop_lag_max_seconds",
                &format!("{lag}, at the worst."),
                late.max,
            );
            gauge(
                "nodejs_eventloop_utilization",
                "The share of the time in which the event loop was busy since the last look.",
                late.utilization,
            );
        }
        if let Some(heap) = &self.heap {
            gauge(
                "nodejs_heap_size_used_bytes",
                "Heap of JavaScript that is in use.",
                heap.used,
            );
            gauge("nodejs_heap_size_total_bytes", "Heap of JavaScript.", heap.total);
            gauge(
                "nodejs_external_memory_bytes",
                "Memory outside of the heap that JavaScript holds.",
                heap.external,
            );
        }
    }
}
