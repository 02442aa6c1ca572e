//! Days and moments as registries and advisories write them.

const DAY_MS: i64 = 86_400_000;

/// Milliseconds since 1970 of a moment such as `2024-01-02T03:04:05.678Z` or `2024-01-02`; an offset is left out of
/// account, since a day is as exact as the rules are.
pub fn millis_of(text: &str) -> Option<i64> {
    let number = |range: std::ops::Range<usize>| text.get(range)?.parse::<i64>().ok().filter(|value| *value >= 0);
    let separated = text.get(4..5)? == "-" && text.get(7..8)? == "-";
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    if !separated || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let seconds = match text.get(10..11) {
        None => 0,
        Some("T" | " ") => number(11..13)? * 3600 + number(14..16)? * 60 + number(17..19)?,
        Some(_) => return None,
    };
    Some(days_since_1970(year, month, day) * DAY_MS + seconds * 1000)
}

/// The day of a moment, such as `2024-01-02`, in UTC.
pub fn day_of(millis: i64) -> String {
    let (year, month, day) = civil(millis.div_euclid(DAY_MS));
    format!("{year:04}-{month:02}-{day:02}")
}

/// The moment in seconds, as ISO 8601 writes it.
pub fn moment_of(millis: i64) -> String {
    let seconds = millis.rem_euclid(DAY_MS) / 1000;
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    format!("{}T{hours:02}:{minutes:02}:{:02}Z", day_of(millis), seconds % 60)
}

/// Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms": `days_from_civil`.
const fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let shifted = (month + 9) % 12;
    let of_year = (153 * shifted + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The same source: `civil_from_days`.
const fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_read_and_written() {
        assert_eq!(millis_of("1970-01-01"), Some(0));
        assert_eq!(millis_of("2024-02-29T12:30:15.5Z"), Some(1_709_209_815_000));
        assert_eq!(day_of(1_709_209_815_000), "2024-02-29");
        assert_eq!(moment_of(1_709_209_815_000), "2024-02-29T12:30:15Z");
        assert_eq!(day_of(-1), "1969-12-31");
    }

    #[test]
    fn every_day_of_a_century_comes_back() {
        for day in -20_000..20_000 {
            let text = day_of(day * DAY_MS);
            assert_eq!(millis_of(&text), Some(day * DAY_MS), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "now",
            "2024",
            "2024-13-01",
            "2024-01-32",
            "2024/01/01",
            "2024-01-01X",
            "2024-01-01T1",
            "é024-01-01",
            "-024-01-01",
        ] {
            assert_eq!(millis_of(text), None, "{text}");
        }
    }
}
