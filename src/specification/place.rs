//! Where in a JSON answer the result lies.

use super::types::Http;

/// One step into a JSON value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Key(String),
    Index(u32),
}

impl Http {
    /// The steps of `result`; none: the whole answer.
    pub fn place(&self) -> Vec<Step> {
        steps(&self.result).unwrap_or_default()
    }
}

/// Values that a list in lists may need to have a value at that place.
const MAX_VALUES: u64 = 1000;

/// The steps of a dotted path such as `items[0].name`, or what is wrong with it.
pub(super) fn steps(path: &str) -> Result<Vec<Step>, &'static str> {
    let mut steps = Vec::new();
    if path.is_empty() {
        return Ok(steps);
    }
    for (position, part) in path.split('.').enumerate() {
        let (key, mut rest) = part.find('[').map_or((part, ""), |at| part.split_at(at));
        if key.is_empty() {
            if position > 0 || rest.is_empty() {
                return Err("a part of it is empty");
            }
        } else if key.chars().all(|c| c.is_ascii_alphanumeric() || "_-$@:".contains(c)) {
            steps.push(Step::Key(key.to_owned()));
        } else {
            return Err("a part of it holds characters other than letters, digits and _ - $ @ :");
        }
        while !rest.is_empty() {
            let Some((digits, after)) = rest.strip_prefix('[').and_then(|inner| inner.split_once(']')) else {
                return Err("a bracket does not close");
            };
            if digits.len() > 3 || digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err("what stands in brackets is not a number below 1000");
            }
            steps.push(Step::Index(digits.parse().map_err(|_| "an index is not a number")?));
            rest = after;
        }
    }
    // A sample answer of that shape has as many values: tests are made of one.
    let values = steps.iter().fold(1_u64, |product, step| match step {
        Step::Key(_) => product,
        Step::Index(index) => product.saturating_mul(u64::from(*index) + 1),
    });
    if steps.len() > 20 {
        Err("it has more than 20 steps")
    } else if values > MAX_VALUES {
        Err("its numbers in brackets, each plus one, multiply to more than 1000")
    } else {
        Ok(steps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_becomes_steps() {
        let key = |text: &str| Step::Key(text.to_owned());
        assert_eq!(steps("").unwrap(), []);
        assert_eq!(steps("current.temp").unwrap(), [key("current"), key("temp")]);
        assert_eq!(
            steps("items[0][12].name").unwrap(),
            [key("items"), Step::Index(0), Step::Index(12), key("name")]
        );
        assert_eq!(steps("[3].x").unwrap(), [Step::Index(3), key("x")]);
    }

    #[test]
    fn lists_in_lists_stay_small() {
        for path in ["a[999]", "a[9][9].b[9]", "[0][0][0][999]"] {
            assert!(steps(path).is_ok(), "{path}");
        }
        for path in ["a[999][1]", "a[9][9].b[10]", "[99][99][99][99][99][99][99][99][99][99]"] {
            assert!(steps(path).unwrap_err().contains("more than 1000"), "{path}");
        }
    }

    #[test]
    fn a_broken_path_is_refused() {
        for path in [
            ".", "a..b", "a[", "a[x]", "a[]", "a[1000]", "a b", "a.", ".a", "a[0]b", "a.[0]", "a[-1]", "a'b",
        ] {
            assert!(steps(path).is_err(), "{path}");
        }
    }
}
