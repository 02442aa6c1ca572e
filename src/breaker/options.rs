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
    /// Calls that the window holds, whatever the time, in place of a length. Default: the length decides.
    pub rolling_window_calls: Option<u32>,
    /// What the open time is multiplied by each time that a trial fails. Default 1.
    pub reset_backoff: f64,
    /// The longest open time that comes of it. Default: ten times `resetTimeout`.
    pub reset_timeout_max: Option<u64>,
    /// 0 to 1: the share of the open time that chance may take off, so that many breakers do not try at once.
    /// Default 0.
    pub reset_jitter: f64,
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
            rolling_window_calls: None,
            reset_backoff: 1.0,
            reset_timeout_max: None,
            reset_jitter: 0.0,
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
            (
                "rollingWindowCalls",
                u64::from(self.rolling_window_calls.unwrap_or(1)),
                1,
                10_000,
            ),
            (
                "resetTimeoutMax",
                self.reset_timeout_max.unwrap_or(self.reset_timeout),
                self.reset_timeout,
                LONGEST_MS,
            ),
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
        if !(1.0..=100.0).contains(&self.reset_backoff) {
            return Err(out_of_range(
                "resetBackoff",
                "1 to 100",
                &self.reset_backoff.to_string(),
            ));
        }
        if !(0.0..=1.0).contains(&self.reset_jitter) {
            return Err(out_of_range("resetJitter", "0 to 1", &self.reset_jitter.to_string()));
        }
        if self.slow_call_percentage.is_some() && self.slow_call_duration.is_none() {
            return Err(Error::new(
                Code::OptionInvalid,
                "Circuit breaker option slowCallPercentage needs slowCallDuration: say how long a slow call takes",
            ));
        }
        Ok(())
    }

    /// How long it stays open after trials failed `reopenings` times in a row; `chance` is 0 to 1.
    pub fn open_ms(&self, reopenings: u32, chance: f64) -> u64 {
        let most = self
            .reset_timeout_max
            .unwrap_or(self.reset_timeout.saturating_mul(10).min(LONGEST_MS));
        let grown = self.reset_timeout as f64 * self.reset_backoff.powi(reopenings.min(1_000) as i32);
        let capped = grown.min(most as f64);
        ((capped * (1.0 - self.reset_jitter * chance)) as u64).max(1)
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
    fn the_open_time_grows_to_its_cap_and_chance_only_shortens_it() {
        let options = json!({ "resetTimeout": 100, "resetBackoff": 2, "resetTimeoutMax": 450, "resetJitter": 0.5 });
        let options = BreakerOptions::from_value(options).unwrap();
        let times: Vec<u64> = (0..5).map(|reopenings| options.open_ms(reopenings, 0.0)).collect();
        assert_eq!(times, [100, 200, 400, 450, 450]);
        assert_eq!((options.open_ms(u32::MAX, 1.0), options.open_ms(0, 0.5)), (225, 75));
        assert_eq!(BreakerOptions::default().open_ms(9, 1.0), 60_000);
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
            (json!({ "rollingWindowCalls": 0 }), "rollingWindowCalls"),
            (json!({ "resetBackoff": 0.5 }), "resetBackoff"),
            (json!({ "resetJitter": 2 }), "resetJitter"),
            (json!({ "resetTimeout": 100, "resetTimeoutMax": 99 }), "resetTimeoutMax"),
            (json!([]), "Circuit breaker options"),
            (json!(7), "invalid type"),
        ] {
            let error = BreakerOptions::from_value(value.clone()).expect_err(&value.to_string());
            assert_eq!(error.code(), Code::OptionInvalid);
            assert!(error.message().contains(word), "{value}: {error}");
        }
    }
}
