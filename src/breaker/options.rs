//! What a breaker can be told, with defaults and ranges.

use serde::Deserialize;

use crate::error::{Code, Error, Result};

/// A day: no duration of a breaker is longer.
const LONGEST_MS: u64 = 86_400_000;

/// How a breaker decides. Durations are milliseconds.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct BreakerOptions {
    /// Failures in a row that open it. Default 5.
    pub failure_threshold: u32,
    /// How long it stays open before trials. Default 60 000.
    pub reset_timeout: u64,
    /// Successful trials that close it again. Default 2.
    pub success_threshold: u32,
    /// How long a call may take; 0 is no limit. Default 10 000.
    pub timeout: u64,
    /// Calls in the window before percentages count. Default 10.
    pub volume_threshold: u32,
    /// Percentage of failed calls in the window that opens it. Default 50.
    pub error_threshold_percentage: f64,
    /// Length of the rolling window. Default 60 000.
    pub rolling_window_size: u64,
    /// A call that takes at least this long is slow. Default: no call is.
    pub slow_call_duration: Option<u64>,
    /// Percentage of slow calls in the window that opens it. Default 100 where `slowCallDuration` is set.
    pub slow_call_percentage: Option<f64>,
    /// Trials at once while half-open. Default 1.
    pub half_open_max: u32,
    /// How long a trial holds its place when it does not end. Default: twice `timeout`, or
    /// `resetTimeout` where calls have no limit.
    pub trial_lease: Option<u64>,
}

impl Default for BreakerOptions {
    fn default() -> Self {
        Self {
            failure_threshold: 5,
            reset_timeout: 60_000,
            success_threshold: 2,
            timeout: 10_000,
            volume_threshold: 10,
            error_threshold_percentage: 50.0,
            rolling_window_size: 60_000,
            slow_call_duration: None,
            slow_call_percentage: None,
            half_open_max: 1,
            trial_lease: None,
        }
    }
}

impl BreakerOptions {
    /// Reads options of a user; a key that is not known or a wrong type is an error.
    pub fn from_value(value: serde_json::Value) -> Result<Self> {
        let options: Self = match value {
            serde_json::Value::Null => Self::default(),
            // serde would take an array as a list of fields.
            serde_json::Value::Array(_) => {
                return Err(Error::new(
                    Code::OptionInvalid,
                    "Circuit breaker options: invalid type: an array, expected an object",
                ));
            }
            value => serde_json::from_value(value)
                .map_err(|error| Error::new(Code::OptionInvalid, format!("Circuit breaker options: {error}")))?,
        };
        options.check()?;
        Ok(options)
    }

    /// Checks every range.
    pub fn check(&self) -> Result<()> {
        let counts = [
            ("failureThreshold", u64::from(self.failure_threshold), 1, 1_000_000),
            ("successThreshold", u64::from(self.success_threshold), 1, 1_000_000),
            ("volumeThreshold", u64::from(self.volume_threshold), 1, 1_000_000),
            ("halfOpenMax", u64::from(self.half_open_max), 1, 1_000),
            ("resetTimeout", self.reset_timeout, 1, LONGEST_MS),
            ("timeout", self.timeout, 0, LONGEST_MS),
            ("rollingWindowSize", self.rolling_window_size, 1, LONGEST_MS),
            ("slowCallDuration", self.slow_call_duration.unwrap_or(1), 1, LONGEST_MS),
            ("trialLease", self.trial_lease.unwrap_or(1), 1, LONGEST_MS),
        ];
        for (name, value, least, most) in counts {
            if value < least || value > most {
                return Err(out_of_range(name, &format!("{least} to {most}"), &value.to_string()));
            }
        }
        let percentages = [
            ("errorThresholdPercentage", self.error_threshold_percentage),
            ("slowCallPercentage", self.slow_call_percentage.unwrap_or(100.0)),
        ];
        for (name, value) in percentages {
            if !(value > 0.0 && value <= 100.0) {
                return Err(out_of_range(name, "above 0 and at most 100", &value.to_string()));
            }
        }
        if self.slow_call_percentage.is_some() && self.slow_call_duration.is_none() {
            return Err(Error::new(
                Code::OptionInvalid,
                "Circuit breaker option slowCallPercentage needs slowCallDuration: say how long a slow call takes",
            ));
        }
        Ok(())
    }

    /// How long a trial holds its place.
    pub fn lease_ms(&self) -> u64 {
        self.trial_lease.unwrap_or(if self.timeout == 0 {
            self.reset_timeout
        } else {
            self.timeout * 2
        })
    }
}

fn out_of_range(name: &str, range: &str, value: &str) -> Error {
    Error::new(
        Code::OptionInvalid,
        format!("Circuit breaker option {name} must be {range}, not {value}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn defaults_are_those_of_the_contract() {
        let options = BreakerOptions::from_value(json!({})).unwrap();
        assert_eq!(
            (
                options.failure_threshold,
                options.reset_timeout,
                options.success_threshold
            ),
            (5, 60_000, 2)
        );
        assert_eq!(
            (options.timeout, options.volume_threshold, options.rolling_window_size),
            (10_000, 10, 60_000)
        );
        assert_eq!((options.half_open_max, options.lease_ms()), (1, 20_000));
    }

    #[test]
    fn wrong_options_are_refused_by_name() {
        for (value, word) in [
            (json!({ "failureThreshold": 0 }), "failureThreshold"),
            (json!({ "failureThresholds": 5 }), "failureThresholds"),
            (json!({ "timeout": -1 }), "invalid value"),
            (json!({ "timeout": "10" }), "invalid type"),
            (json!({ "resetTimeout": 1e15 as u64 }), "resetTimeout"),
            (json!({ "errorThresholdPercentage": 101 }), "errorThresholdPercentage"),
            (json!({ "slowCallPercentage": 10 }), "slowCallDuration"),
            (json!([]), "Circuit breaker options"),
            (json!(7), "invalid type"),
        ] {
            let error = BreakerOptions::from_value(value.clone()).expect_err(&value.to_string());
            assert_eq!(error.code(), Code::OptionInvalid);
            assert!(error.message().contains(word), "{value}: {error}");
        }
    }
}
