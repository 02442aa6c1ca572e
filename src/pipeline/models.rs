//! Which model answers for which job.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::generation::Model;

/// The models that this process has: one a job that brought its own, and one for all others.
///
/// A model is never stored; a job that outlives its process waits until there is one again.
#[derive(Default)]
pub struct Models {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    of_job: HashMap<String, Arc<dyn Model>>,
    default: Option<Arc<dyn Model>>,
}

impl Models {
    /// Lets `model` answer for the job.
    pub fn bind(&self, job_id: &str, model: Arc<dyn Model>) {
        self.state.lock().of_job.insert(job_id.to_owned(), model);
    }

    /// Forgets the job's own model, and any key it holds.
    pub fn release(&self, job_id: &str) {
        self.state.lock().of_job.remove(job_id);
    }

    /// Sets the model of all jobs that brought none.
    pub fn set_default(&self, model: Option<Arc<dyn Model>>) {
        self.state.lock().default = model;
    }

    /// Whether jobs that brought none have a model.
    pub fn has_default(&self) -> bool {
        self.state.lock().default.is_some()
    }

    /// The model that answers for the job.
    pub fn of(&self, job_id: &str) -> Option<Arc<dyn Model>> {
        let state = self.state.lock();
        state.of_job.get(job_id).or(state.default.as_ref()).map(Arc::clone)
    }
}
