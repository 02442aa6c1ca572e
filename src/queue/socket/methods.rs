//! What an owner answers: each part of the engine adds the methods of its own prefix.

use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::RwLock;
use serde_json::Value;

use super::peer::{Peer, RpcHandler};
use crate::error::{Code, Error, Result};

/// Handlers by the prefix of their methods, such as `queue.`.
#[derive(Default)]
pub struct Methods {
    all: RwLock<Vec<(String, Arc<dyn RpcHandler>)>>,
}

impl Methods {
    /// Methods that begin with `prefix` are answered by `handler`, instead of an earlier one.
    pub fn add(&self, prefix: &str, handler: Arc<dyn RpcHandler>) {
        let mut all = self.all.write();
        all.retain(|(known, _)| known != prefix);
        all.push((prefix.to_owned(), handler));
    }

    /// They are not answered any more.
    pub fn remove(&self, prefix: &str) {
        self.all.write().retain(|(known, _)| known != prefix);
    }

    /// Nothing is answered any more.
    pub fn clear(&self) {
        self.all.write().clear();
    }

    fn find(&self, method: &str) -> Option<Arc<dyn RpcHandler>> {
        let all = self.all.read();
        all.iter()
            .find(|(prefix, _)| method.starts_with(prefix))
            .map(|(_, handler)| handler.clone())
    }
}

#[async_trait]
impl RpcHandler for Methods {
    async fn call(&self, method: &str, params: Value, peer: &Peer) -> Result<Value> {
        if method == "hello" {
            let parts: Vec<_> = self.all.read().iter().map(|(prefix, _)| prefix.clone()).collect();
            let (version, pid) = (env!("CARGO_PKG_VERSION"), std::process::id());
            return Ok(serde_json::json!({ "version": version, "pid": pid, "parts": parts }));
        }
        let Some(handler) = self.find(method) else {
            return Err(Error::new(
                Code::StoreUnavailable,
                format!(
                    "the owner of the data directory does not answer {method:?}; is it of another version, or closing?"
                ),
            ));
        };
        handler.call(method, params, peer).await
    }

    fn notified(&self, method: &str, params: Value) {
        if let Some(handler) = self.find(method) {
            handler.notified(method, params);
        }
    }
}
