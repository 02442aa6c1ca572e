//! Values that processes share.

use redis::Value;
use serde_json::Value as Json;

use super::redis_store::RedisStore;
use super::rows::{items, number, parts, string};
use super::scripts::{self, STATE_LIST, STATE_SET};
use crate::error::Result;
use crate::store::rules::value as read;
use crate::store::shared_state::{SharedState, checked};

/// As `JobStore` says.
pub async fn list(store: &RedisStore, prefix: &str, now: i64) -> Result<Vec<SharedState>> {
    let mut call = scripts::call(&STATE_LIST);
    call.arg(prefix);
    let mut states = items(store.call(&call, &STATE_LIST, true).await?)?
        .into_iter()
        .map(|row| {
            let [key, version, value, at] = parts(row)?;
            Ok(SharedState {
                key: string(&key)?,
                version: number(&version).unwrap_or(0),
                value: read(&string(&value)?)?,
                age: now.saturating_sub(number(&at).unwrap_or(now)),
            })
        })
        .collect::<Result<Vec<_>>>()?;
    states.sort_unstable_by(|one, other| one.key.cmp(&other.key));
    Ok(states)
}

/// As `JobStore` says.
pub async fn set(store: &RedisStore, key: &str, version: i64, value: &Json, now: i64) -> Result<bool> {
    let text = checked(key, value)?;
    let mut call = scripts::call(&STATE_SET);
    call.arg(key).arg(version).arg(text).arg(now);
    Ok(store.call(&call, &STATE_SET, false).await? == Value::Int(1))
}
