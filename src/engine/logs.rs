//! The engine's log on its way to the host: bounded, in batches, redacted.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::{Map, Value, json};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::Dispatch;

use super::log_subscriber::LogSubscriber;
use crate::clock::SharedClock;
use crate::event::{EventSink, LogLine};
use crate::scanner::Scanner;

/// Lines that may wait.
const MOST_WAITING: usize = 1_024;

/// How long lines are gathered before they leave together.
const GATHERED: Duration = Duration::from_millis(100);

/// Bytes of one text.
const MOST_TEXT: usize = 4_096;

/// Lines that wait to leave.
pub struct Logs {
    clock: SharedClock,
    scanner: Option<Arc<Scanner>>,
    sink: Arc<dyn EventSink>,
    waiting: Mutex<Waiting>,
    wake: Notify,
}

#[derive(Default)]
struct Waiting {
    lines: Vec<LogLine>,
    dropped: u64,
}

impl Logs {
    /// A log that leaves through `sink`.
    pub fn new(clock: SharedClock, scanner: Option<Arc<Scanner>>, sink: Arc<dyn EventSink>) -> Arc<Self> {
        Arc::new(Self {
            clock,
            scanner,
            sink,
            waiting: Mutex::default(),
            wake: Notify::new(),
        })
    }

    /// Where futures of the engine say what they do.
    pub fn dispatch(self: &Arc<Self>) -> Dispatch {
        Dispatch::new(LogSubscriber::new(Arc::clone(self)))
    }

    /// Takes one line; one for which there is no room is counted.
    pub fn push(&self, mut line: LogLine) {
        line.at = self.clock.now_ms();
        let mut waiting = self.waiting.lock();
        if waiting.lines.len() >= MOST_WAITING {
            waiting.dropped += 1;
            return;
        }
        waiting.lines.push(line);
        drop(waiting);
        self.wake.notify_one();
    }

    /// Sends lines until the token is cancelled, and then the rest.
    pub fn start(self: &Arc<Self>, token: CancellationToken) {
        let logs = Arc::clone(self);
        tokio::spawn(async move {
            while !token.is_cancelled() {
                tokio::select! {
                    () = logs.wake.notified() => {}
                    () = token.cancelled() => {}
                }
                tokio::select! {
                    () = tokio::time::sleep(GATHERED) => {}
                    () = token.cancelled() => {}
                }
                logs.send();
            }
        });
    }

    /// Sends what waits now.
    pub fn send(&self) {
        let Waiting { mut lines, dropped } = std::mem::take(&mut *self.waiting.lock());
        if dropped > 0 {
            let fields = Map::from_iter([("dropped".to_owned(), json!(dropped))]);
            let message = "lines of the log were dropped, since too many came at once".to_owned();
            let (level, at) = ("warn".to_owned(), self.clock.now_ms());
            lines.push(LogLine {
                level,
                message,
                at,
                job_id: None,
                trace_id: None,
                stage: None,
                fields,
            });
        }
        if lines.is_empty() {
            return;
        }
        for line in &mut lines {
            self.clean(&mut line.message);
            for value in line.fields.values_mut() {
                if let Value::String(text) = value {
                    self.clean(text);
                }
            }
        }
        self.sink.log(lines);
    }

    /// Redacted before it is cut, so that no half of a secret stays.
    fn clean(&self, text: &mut String) {
        if let Some(scanner) = &self.scanner {
            *text = scanner.redact_text(text).into_owned();
        }
        if text.len() > MOST_TEXT {
            let mut end = MOST_TEXT;
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            text.truncate(end);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use crate::event::Event;
    use crate::scanner::ScannerOptions;
    use tracing::Instrument;
    use tracing::instrument::WithSubscriber;

    #[derive(Default)]
    struct Heard(Mutex<Vec<LogLine>>);

    impl EventSink for Heard {
        fn emit(&self, _event: Event) {}

        fn log(&self, lines: Vec<LogLine>) {
            self.0.lock().extend(lines);
        }
    }

    fn logs() -> (Arc<Logs>, Arc<Heard>) {
        let heard = Arc::new(Heard::default());
        let scanner = Arc::new(Scanner::new(ScannerOptions::default()).unwrap());
        (
            Logs::new(
                ManualClock::at(7),
                Some(scanner),
                Arc::clone(&heard) as Arc<dyn EventSink>,
            ),
            heard,
        )
    }

    #[tokio::test]
    async fn a_line_says_which_job_trace_and_stage_it_is_about() {
        let (logs, heard) = logs();
        let work = async {
            async {
                tokio::task::yield_now().await;
                tracing::warn!(took = 3, "slow");
            }
            .instrument(tracing::info_span!("stage", stage = "lint"))
            .await;
            tracing::info!("after");
            tracing::debug!("too small");
        };
        let job = tracing::dispatcher::with_default(&logs.dispatch(), || {
            tracing::info_span!("job", job_id = "j", trace_id = "t")
        });
        work.instrument(job).with_subscriber(logs.dispatch()).await;
        tracing::error!("of the host");
        logs.send();
        let heard = heard.0.lock();
        assert_eq!(heard.len(), 2, "{heard:?}");
        assert_eq!(
            (heard[0].level.as_str(), heard[0].message.as_str(), heard[0].at),
            ("warn", "slow", 7)
        );
        assert_eq!(heard[0].fields["took"], 3);
        assert_eq!(heard[0].stage.as_deref(), Some("lint"));
        assert_eq!(heard[1].stage, None);
    }

    #[tokio::test]
    async fn secrets_stay_and_a_flood_is_bounded() {
        let (logs, heard) = logs();
        let token = ["ghp", "1234567890abcdefghijklmnopqrstuvwxAB"].join("_");
        let dispatch = logs.dispatch();
        tracing::dispatcher::with_default(&dispatch, || {
            for _ in 0..2_000 {
                tracing::info!(output = token.as_str(), "it said {token}");
            }
        });
        logs.send();
        let heard = heard.0.lock();
        assert_eq!(heard.len(), MOST_WAITING + 1);
        assert_eq!(heard[MOST_WAITING].fields["dropped"], 2_000 - MOST_WAITING);
        assert!(!serde_json::to_string(&*heard).unwrap().contains(&token));
    }
}
