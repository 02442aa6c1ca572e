//! npm's own rules for ranges: a table that npm's `semver` made, compared with ours.

use nodejs_semver::Version;
use serde::Deserialize;

use crate::dependencies::npm_range::parse_range;

#[derive(Deserialize)]
struct Table {
    versions: Vec<String>,
    /// Of each range the places of the versions that satisfy it; `None` where npm refuses the range.
    ranges: Vec<(String, Option<Vec<usize>>)>,
}

#[test]
fn ranges_mean_what_they_mean_to_npm() {
    let table: Table = serde_json::from_str(include_str!("ranges.json")).unwrap();
    assert!(table.ranges.len() > 200 && table.versions.len() > 60);
    let versions: Vec<Version> = table
        .versions
        .iter()
        .map(|text| Version::parse(text).unwrap())
        .collect();
    let mut wrong = Vec::new();
    for (text, expected) in &table.ranges {
        let found = parse_range(text).map(|range| {
            let fits = versions
                .iter()
                .enumerate()
                .filter(|(_, version)| range.satisfies(version));
            fits.map(|(index, _)| index).collect::<Vec<_>>()
        });
        if found != *expected {
            wrong.push(format!("{text:?}: {found:?}, npm {expected:?}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}: {wrong:#?}",
        wrong.len(),
        table.ranges.len()
    );
}
