//! The text that a Prometheus reads: its own format, or `OpenMetrics` with exemplars.

use std::fmt::Write;

use super::histogram::{Exemplar, Histogram};
use crate::error::{Code, Error, Result};

/// How the text is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Prometheus text 0.0.4.
    Prometheus,
    /// `OpenMetrics` 1.0.
    OpenMetrics,
}

impl Format {
    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Prometheus => "prometheus",
            Self::OpenMetrics => "openmetrics",
        }
    }

    /// The format of that name.
    pub fn parse(name: &str) -> Result<Self> {
        match name {
            "prometheus" => Ok(Self::Prometheus),
            "openmetrics" => Ok(Self::OpenMetrics),
            _ => Err(Error::new(
                Code::OptionInvalid,
                "`format` must be 'prometheus' or 'openmetrics'",
            )),
        }
    }
}

/// A text under way.
#[derive(Debug)]
pub struct Exposition {
    format: Format,
    text: String,
}

impl Exposition {
    /// An empty text.
    pub const fn new(format: Format) -> Self {
        Self {
            format,
            text: String::new(),
        }
    }

    /// Whole text.
    pub fn finish(mut self) -> String {
        if self.format == Format::OpenMetrics {
            self.text.push_str("# EOF\n");
        }
        self.text
    }

    /// Begins gauges.
    pub fn gauge(&mut self, name: &str, help: &str) {
        self.head(name, help, "gauge");
    }

    /// Begins counters; `name` is without `_total`.
    pub fn counter(&mut self, name: &str, help: &str) {
        if self.format == Format::OpenMetrics {
            self.head(name, help, "counter");
        } else {
            self.head(&format!("{name}_total"), help, "counter");
        }
    }

    pub(super) fn histogram(&mut self, name: &str, help: &str) {
        self.head(name, help, "histogram");
    }

    /// One value of a gauge.
    pub fn value<V: AsRef<str>>(&mut self, name: &str, labels: &[&str], values: &[V], value: f64) {
        self.sample(name, labels, values, None, value, None);
    }

    /// One value of a counter; `name` is without `_total`.
    pub fn count<V: AsRef<str>>(&mut self, name: &str, labels: &[&str], values: &[V], value: f64) {
        self.sample(&format!("{name}_total"), labels, values, None, value, None);
    }

    pub(super) fn distribution(
        &mut self,
        name: &str,
        labels: &[&str],
        values: &[String],
        bounds: &[f64],
        histogram: &Histogram,
    ) {
        let bucket = format!("{name}_bucket");
        let mut total = 0;
        for (at, count) in histogram.counts.iter().enumerate() {
            total += count;
            let bound = bounds.get(at).map_or_else(|| "+Inf".to_owned(), |bound| number(*bound));
            let exemplar = histogram.exemplars[at].as_ref();
            self.sample(&bucket, labels, values, Some(&bound), total as f64, exemplar);
        }
        self.sample(&format!("{name}_sum"), labels, values, None, histogram.sum, None);
        self.sample(&format!("{name}_count"), labels, values, None, total as f64, None);
    }

    fn head(&mut self, name: &str, help: &str, kind: &str) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, "# HELP {name} {}", escaped(help));
        let _ = writeln!(self.text, "# TYPE {name} {kind}");
    }

    fn sample(
        &mut self,
        name: &str,
        labels: &[&str],
        values: &[impl AsRef<str>],
        bound: Option<&str>,
        value: f64,
        exemplar: Option<&Exemplar>,
    ) {
        self.text.push_str(name);
        let pairs = labels
            .iter()
            .copied()
            .zip(values.iter().map(AsRef::as_ref))
            .chain(bound.map(|bound| ("le", bound)));
        let mut first = true;
        for (label, value) in pairs {
            self.text.push(if first { '{' } else { ',' });
            first = false;
            let _ = write!(self.text, "{label}=\"{}\"", escaped(value));
        }
        if !first {
            self.text.push('}');
        }
        let _ = write!(self.text, " {}", number(value));
        if let (Format::OpenMetrics, Some(exemplar)) = (self.format, exemplar) {
            let (id, value, at) = (
                escaped(&exemplar.trace_id),
                number(exemplar.value),
                exemplar.at_ms as f64 / 1e3,
            );
            let _ = write!(self.text, " # {{trace_id=\"{id}\"}} {value} {at:.3}");
        }
        self.text.push('\n');
    }
}

fn number(value: f64) -> String {
    if value.is_finite() {
        format!("{value:?}")
    } else {
        "NaN".to_owned()
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{CounterFamily, HistogramFamily};

    fn text(format: Format) -> String {
        let mut out = Exposition::new(format);
        let calls = CounterFamily::new("calls", "Calls", &["outcome"], &[&["ok"]]);
        calls.add(&["a \"b\"\n\\"], 2);
        calls.write(&mut out);
        let took = HistogramFamily::new("took_seconds", "Took", &[], &[0.5, 1.0], &[]);
        took.observe(&[], 0.5, Some(("ab12", 1_500)));
        took.observe(&[], 7.0, None);
        took.observe(&[], f64::NAN, None);
        took.write(&mut out);
        out.finish()
    }

    #[test]
    fn prometheus_gets_its_own_text() {
        let expected = "# HELP calls_total Calls\n# TYPE calls_total counter\n\
            calls_total{outcome=\"a \\\"b\\\"\\n\\\\\"} 2.0\ncalls_total{outcome=\"ok\"} 0.0\n\
            # HELP took_seconds Took\n# TYPE took_seconds histogram\n\
            took_seconds_bucket{le=\"0.5\"} 1.0\ntook_seconds_bucket{le=\"1.0\"} 1.0\n\
            took_seconds_bucket{le=\"+Inf\"} 2.0\ntook_seconds_sum 7.5\ntook_seconds_count 2.0\n";
        assert_eq!(text(Format::Prometheus), expected);
    }

    #[test]
    fn openmetrics_has_exemplars_and_an_end() {
        let text = text(Format::OpenMetrics);
        assert!(text.contains("# TYPE calls counter\n"));
        assert!(text.contains("took_seconds_bucket{le=\"0.5\"} 1.0 # {trace_id=\"ab12\"} 0.5 1.500\n"));
        assert!(text.ends_with("# EOF\n"));
    }
}
