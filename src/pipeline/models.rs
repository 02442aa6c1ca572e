//! Which model answers for which job.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::generation::Model;

/// The models that this process has: one a job that brought its own, and one for all others.
///
/// A model is never stored, only its key is; a job that outlives the process waits for another model.
#[derive(Default)]
pub struct Models {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    by_key: HashMap<String, Bound>,
    default: Option<Arc<dyn Model>>,
}

struct Bound {
    model: Arc<dyn Model>,
    job_id: Option<String>,
}

impl Models {
    /// Keeps a model under a key that the job's request will name.
    pub fn bind(&self, key: &str, model: Arc<dyn Model>) {
        self.state
            .lock()
            .by_key
            .insert(key.to_owned(), Bound { model, job_id: None });
    }

    /// Says which job the key belongs to.
    pub fn assign(&self, key: &str, job_id: &str) {
        if let Some(bound) = self.state.lock().by_key.get_mut(key) {
            bound.job_id = Some(job_id.to_owned());
        }
    }

    /// Forgets a model by its key.
    pub fn release(&self, key: &str) {
        self.state.lock().by_key.remove(key);
    }

    /// Forgets the model of a job that ended, and any key it holds.
    pub fn release_job(&self, job_id: &str) {
        self.state
            .lock()
            .by_key
            .retain(|_, bound| bound.job_id.as_deref() != Some(job_id));
    }

    /// Sets the model of all jobs that have none.
    pub fn set_default(&self, model: Option<Arc<dyn Model>>) {
        self.state.lock().default = model;
    }

    /// Whether jobs that have none get one.
    pub fn has_default(&self) -> bool {
        self.state.lock().default.is_some()
    }

    /// The model that answers for a job's key.
    pub fn of(&self, key: Option<&str>) -> Option<Arc<dyn Model>> {
        let state = self.state.lock();
        let own = key.and_then(|key| state.by_key.get(key)).map(|bound| &bound.model);
        own.or(state.default.as_ref()).map(Arc::clone)
    }
}
