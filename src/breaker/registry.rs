//! Many breakers by name.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

use super::machine::Breaker;
use super::metrics::BreakerMetrics;
use super::options::BreakerOptions;
use crate::error::Result;

/// Breakers by name, made at their first use.
#[derive(Debug)]
pub struct Registry {
    defaults: BreakerOptions,
    breakers: Mutex<BTreeMap<String, Arc<Breaker>>>,
}

impl Registry {
    /// A registry whose breakers have these options where none are given.
    pub fn new(defaults: BreakerOptions) -> Result<Self> {
        defaults.check()?;
        Ok(Self {
            defaults,
            breakers: Mutex::default(),
        })
    }

    /// The breaker of that name; `options` count only when it is made.
    pub fn breaker(&self, name: &str, options: Option<BreakerOptions>) -> Result<Arc<Breaker>> {
        let mut breakers = self.breakers.lock();
        if let Some(breaker) = breakers.get(name) {
            return Ok(Arc::clone(breaker));
        }
        let breaker = Arc::new(Breaker::new(name, options.unwrap_or_else(|| self.defaults.clone()))?);
        breakers.insert(name.to_owned(), Arc::clone(&breaker));
        Ok(breaker)
    }

    /// All of them, by name.
    pub fn all(&self) -> Vec<Arc<Breaker>> {
        self.breakers.lock().values().cloned().collect()
    }

    /// What each counted, by name.
    pub fn metrics(&self, now: u64) -> Vec<(String, BreakerMetrics)> {
        self.all()
            .iter()
            .map(|breaker| (breaker.name().to_owned(), breaker.metrics(now)))
            .collect()
    }

    /// Resets all of them.
    pub fn reset_all(&self) {
        for breaker in self.all() {
            breaker.reset();
        }
    }

    /// Forgets one; whoever holds it keeps it.
    pub fn remove(&self, name: &str) -> bool {
        self.breakers.lock().remove(name).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_breaker_until_it_is_removed() {
        let registry = Registry::new(BreakerOptions::default()).unwrap();
        let first = registry.breaker("a", None).unwrap();
        let own = BreakerOptions {
            failure_threshold: 1,
            ..BreakerOptions::default()
        };
        assert!(Arc::ptr_eq(&first, &registry.breaker("a", Some(own.clone())).unwrap()));
        assert_eq!(registry.breaker("b", Some(own)).unwrap().options().failure_threshold, 1);
        first.force_open(0);
        registry.reset_all();
        assert_eq!(first.state().as_str(), "closed");
        assert_eq!(registry.metrics(0).len(), 2);
        assert!(registry.remove("a"));
        assert!(!registry.remove("a"));
        assert!(!Arc::ptr_eq(&first, &registry.breaker("a", None).unwrap()));
    }
}
