//! The times of a cron expression in a time zone: five fields, or six with seconds in front.
//!
//! Expressions are those of the Open Cron Pattern Specification. Where clocks are set forward, a fixed time in the
//! gap is due at the gap's end and steps are left out; where they are set back, a fixed time is due once and steps
//! are due in both passes.

use croner::Cron as Pattern;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::error::{Code, Error, Result};
use crate::store::{Missed, Schedule};

/// A time that is later than this was missed.
const GRACE: i64 = 60_000;
/// Jobs that one firing adds at most.
const MOST: usize = 1_000;

/// An expression in its time zone.
#[derive(Debug)]
pub struct Cron {
    pattern: Pattern,
    zone: TimeZone,
}

/// What a schedule that is due does.
#[derive(Debug, PartialEq, Eq)]
pub struct Firing {
    /// The times for which it adds a job.
    pub times: Vec<i64>,
    pub next_at: Option<i64>,
}

impl Cron {
    /// Reads them.
    pub fn read(expression: &str, zone: &str) -> Result<Self> {
        if expression.len() > 200 {
            return Err(Error::new(
                Code::OptionInvalid,
                "`cron` must have at most 200 characters",
            ));
        }
        let pattern = expression.parse().map_err(|error: croner::errors::CronError| {
            Error::new(
                Code::OptionInvalid,
                format!("`cron` {expression:?} is not a cron expression: {error}"),
            )
        })?;
        let zone = TimeZone::get(zone).map_err(|_| {
            Error::new(
                Code::OptionInvalid,
                format!("`timeZone` {zone:?} is not known; write a name such as Europe/Berlin or UTC"),
            )
        })?;
        Ok(Self { pattern, zone })
    }

    /// Its first time after `after`; `None` where there is none any more.
    pub fn next(&self, after: i64) -> Option<i64> {
        let after = Timestamp::from_millisecond(after).ok()?.to_zoned(self.zone.clone());
        let next = self.pattern.find_next_occurrence(&after, false).ok()?;
        Some(next.timestamp().as_millisecond())
    }
}

/// What a schedule that is due does at `now`.
pub fn firing(schedule: &Schedule, now: i64) -> Result<Firing> {
    let cron = Cron::read(&schedule.cron, &schedule.time_zone)?;
    let next_at = cron.next(now);
    let mut times: Vec<i64> = Vec::new();
    let mut due = schedule.next_at;
    while let Some(at) = due.filter(|at| *at <= now) {
        times.push(at);
        if times.len() == MOST {
            break;
        }
        due = cron.next(at);
    }
    // The latest that is not after now.
    let last = if times.len() == MOST {
        previous(&cron, now)
    } else {
        times.last().copied()
    };
    match schedule.missed {
        Missed::All => {}
        Missed::Once => times = last.into_iter().collect(),
        Missed::Skip => times = last.into_iter().filter(|at| now - at <= GRACE).collect(),
    }
    Ok(Firing { times, next_at })
}

fn previous(cron: &Cron, now: i64) -> Option<i64> {
    let now = Timestamp::from_millisecond(now).ok()?.to_zoned(cron.zone.clone());
    let last = cron.pattern.find_previous_occurrence(&now, true).ok()?;
    Some(last.timestamp().as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_millisecond()
    }

    fn times(expression: &str, zone: &str, from: &str, count: usize) -> Vec<String> {
        let cron = Cron::read(expression, zone).unwrap();
        let mut now = at(from);
        (0..count)
            .map(|_| {
                now = cron.next(now).unwrap();
                Timestamp::from_millisecond(now).unwrap().to_string()
            })
            .collect()
    }

    #[test]
    fn a_time_is_the_zones() {
        assert_eq!(
            times("0 9 * * MON-FRI", "America/New_York", "2026-07-03T20:00:00Z", 2),
            ["2026-07-06T13:00:00Z", "2026-07-07T13:00:00Z"]
        );
        assert_eq!(
            times("*/10 * * * * *", "UTC", "2026-01-01T00:00:05Z", 2),
            ["2026-01-01T00:00:10Z", "2026-01-01T00:00:20Z"]
        );
        assert_eq!(
            times("0 0 L 2 *", "Asia/Kolkata", "2026-01-01T00:00:00Z", 1),
            ["2026-02-27T18:30:00Z"]
        );
    }

    #[test]
    fn in_the_gap_of_spring_a_fixed_time_is_late_and_steps_are_left_out() {
        // 02:00 becomes 03:00 in Berlin on 29 March 2026.
        assert_eq!(
            times("30 2 * * *", "Europe/Berlin", "2026-03-27T12:00:00Z", 3),
            ["2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"]
        );
        assert_eq!(
            times("*/30 * * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", 3),
            ["2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z"]
        );
    }

    #[test]
    fn in_the_overlap_of_autumn_a_fixed_time_is_due_once_and_steps_twice() {
        // 03:00 becomes 02:00 in Berlin on 25 October 2026.
        assert_eq!(
            times("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 2),
            ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]
        );
        assert_eq!(
            times("*/30 * * * *", "Europe/Berlin", "2026-10-25T00:00:00Z", 4),
            [
                "2026-10-25T00:30:00Z",
                "2026-10-25T01:00:00Z",
                "2026-10-25T01:30:00Z",
                "2026-10-25T02:00:00Z"
            ]
        );
    }

    #[test]
    fn what_is_no_expression_or_zone_is_told() {
        for (expression, zone) in [
            ("", "UTC"),
            ("* * *", "UTC"),
            ("61 * * * *", "UTC"),
            ("x * * * *", "UTC"),
            ("* * * * *", "Mars/Base"),
            ("* * * * *", ""),
            (&"9".repeat(300), "UTC"),
        ] {
            let error = Cron::read(expression, zone).unwrap_err();
            assert_eq!(error.code(), Code::OptionInvalid, "{expression:?} {zone:?}");
        }
        assert_eq!(
            Cron::read("0 0 30 2 *", "UTC").unwrap().next(0),
            None,
            "there is no such day"
        );
    }

    fn schedule(missed: Missed, next_at: &str) -> Schedule {
        Schedule {
            cron: "0 * * * *".into(),
            time_zone: "UTC".into(),
            missed,
            next_at: Some(at(next_at)),
            ..Schedule::default()
        }
    }

    #[test]
    fn missed_times_are_heeded_as_it_is_asked() {
        let now = at("2026-01-01T05:30:00Z");
        let next_at = Some(at("2026-01-01T06:00:00Z"));
        let firing = |missed, due| firing(&schedule(missed, due), now).unwrap();
        let hour = |hour: u32| at(&format!("2026-01-01T0{hour}:00:00Z"));
        let late = "2026-01-01T03:00:00Z";
        assert_eq!(
            firing(Missed::All, late),
            Firing {
                times: vec![hour(3), hour(4), hour(5)],
                next_at
            }
        );
        assert_eq!(
            firing(Missed::Once, late),
            Firing {
                times: vec![hour(5)],
                next_at
            }
        );
        assert_eq!(firing(Missed::Skip, late), Firing { times: vec![], next_at });
        let on_time = super::firing(&schedule(Missed::Skip, "2026-01-01T05:00:00Z"), hour(5) + 900).unwrap();
        assert_eq!(on_time.times, [hour(5)]);
    }

    #[test]
    fn years_of_missed_times_are_bounded() {
        let now = at("2026-01-01T05:30:00Z");
        let long = |missed| firing(&schedule(missed, "2001-01-01T00:00:00Z"), now).unwrap().times;
        assert_eq!(long(Missed::All).len(), MOST);
        assert_eq!(long(Missed::Once), [at("2026-01-01T05:00:00Z")]);
    }
}
