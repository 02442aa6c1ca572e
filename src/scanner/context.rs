//! Words that name what stands behind them: of most tokens without a prefix nothing else tells the provider.

use super::boundary::{contains_ignoring_case, left_of};
use super::rule::Rule;
use super::words::Words;

/// How far a word may stand before the value that it names.
const NEAR: usize = 80;

/// The words of all rules, looked for at once.
pub struct Context {
    words: Words,
    /// For each word one of 64 bits.
    bits: Vec<u64>,
    /// For each rule the bits of its words.
    rules: Vec<u64>,
}

impl Context {
    pub fn new(rules: &[Rule]) -> Self {
        let mut words: Vec<&str> = rules
            .iter()
            .flat_map(|rule| &rule.context)
            .filter_map(|word| std::str::from_utf8(word).ok())
            .collect();
        words.sort_unstable();
        words.dedup();
        let bits: Vec<u64> = (0..words.len()).map(|place| 1 << (place % 64)).collect();
        let of = |word: &Vec<u8>| {
            let place = words.iter().position(|known| known.as_bytes() == word);
            place.map_or(u64::MAX, |place| bits[place])
        };
        Self {
            rules: rules
                .iter()
                .map(|rule| rule.context.iter().map(of).fold(0, |all, bit| all | bit))
                .collect(),
            words: Words::new(words.iter().copied()),
            bits,
        }
    }

    /// The bits of the words that may name what stands at `at`.
    pub fn before(&self, text: &[u8], at: usize) -> u64 {
        let of = |left: &[u8]| self.words.each(left).fold(0, |all, (word, _)| all | self.bits[word]);
        let left = left_of(text, at, NEAR);
        of(left) | line_before(text, at, left).map_or(0, of)
    }

    /// Whether one of a rule's words may be among them.
    pub fn may_name(&self, rule: usize, before: u64) -> bool {
        self.rules[rule] & before != 0
    }
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context")
            .field("words", &self.bits.len())
            .finish_non_exhaustive()
    }
}

/// Whether one of the rule's words stands before `at` on its line, or beside a name that its `value` has.
pub fn near(rule: &Rule, text: &[u8], at: usize) -> bool {
    let left = left_of(text, at, NEAR);
    let named = |left: &[u8]| rule.context.iter().any(|word| contains_ignoring_case(left, word));
    named(left) || line_before(text, at, left).is_some_and(named)
}

/// The line before the one with `at`, of which `left` stands before it, in `- name: HEROKU_API_KEY⏎  value: …`.
fn line_before<'a>(text: &'a [u8], at: usize, left: &[u8]) -> Option<&'a [u8]> {
    let label = left.trim_ascii_start();
    let label = label.strip_prefix(b"\"").unwrap_or(label);
    let start = at - left.len();
    (label.get(..5)?.eq_ignore_ascii_case(b"value") && start > 0).then(|| left_of(text, start - 1, NEAR))
}

#[cfg(test)]
mod tests {
    use super::super::catalogue::Catalogue;
    use super::*;

    #[test]
    fn all_words_at_once_name_what_each_rule_alone_says() {
        let catalogue = Catalogue::built_in().unwrap();
        let context = Context::new(&catalogue.rules);
        for text in [
            "",
            "x = ",
            "AWS_SECRET_ACCESS_KEY = ",
            "private Key: ",
            "- name: HEROKU_API_KEY\n  value: ",
            "- name: HEROKU_API_KEY\n  \"Value\": ",
            "heroku\nvalu",
            "heroku\nx: ",
            "dd_apimistral",
        ] {
            let before = context.before(text.as_bytes(), text.len());
            for (index, rule) in catalogue.rules.iter().enumerate() {
                if near(rule, text.as_bytes(), text.len()) {
                    assert!(context.may_name(index, before), "{text} {}", rule.info.id);
                }
            }
        }
        assert!(catalogue.rules.iter().any(|rule| near(rule, b"heroku ", 7)));
        assert_eq!(context.before(b"nothing", 7), 0);
    }
}
