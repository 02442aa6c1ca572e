//! Label values, bounded in length and number: a hostile or endless one must not fill memory.

use std::collections::BTreeMap;

/// Different sets of label values a family keeps.
const MOST_SERIES: usize = 100;

/// Bytes of one value.
const MOST_BYTES: usize = 64;

/// The value that stands for all for which there was no room.
const OTHER: &str = "other";

/// Series by the values of their labels.
#[derive(Debug)]
pub struct Series<T> {
    width: usize,
    by_values: BTreeMap<Vec<String>, T>,
}

impl<T> Series<T> {
    /// No series of `width` labels.
    pub const fn new(width: usize) -> Self {
        Self {
            width,
            by_values: BTreeMap::new(),
        }
    }

    /// The series of these values, made where there is none; one too many falls to `other`.
    pub fn of(&mut self, values: &[&str], make: impl FnOnce() -> T) -> &mut T {
        let mut key: Vec<String> = values.iter().map(|value| cut(value)).collect();
        key.resize(self.width, String::new());
        if self.by_values.len() >= MOST_SERIES && !self.by_values.contains_key(&key) {
            key = vec![OTHER.to_owned(); self.width];
        }
        self.by_values.entry(key).or_insert_with(make)
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&[String], &T)> {
        self.by_values
            .iter()
            .map(|(values, series)| (values.as_slice(), series))
    }
}

fn cut(value: &str) -> String {
    let mut end = value.len().min(MOST_BYTES);
    while !value.is_char_boundary(end) {
        end -= 1;
    }
    value[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endless_values_fall_together_and_known_ones_stay() {
        let mut series = Series::new(1);
        for index in 0..10_000 {
            *series.of(&[&format!("v{index}")], || 0) += 1;
        }
        *series.of(&["v3"], || 0) += 1;
        assert_eq!(series.iter().count(), MOST_SERIES + 1);
        assert_eq!(*series.of(&["v3"], || 0), 2);
        assert_eq!(series.iter().map(|(_, count)| count).sum::<i32>(), 10_001);
    }

    #[test]
    fn a_long_value_is_cut_between_characters() {
        let mut series = Series::new(1);
        series.of(&[&"ä".repeat(1_000)], || 0);
        let (values, _) = series.iter().next().unwrap();
        assert_eq!(values[0], "ä".repeat(32));
    }
}
