//! What holds jobs of a queue back, and what adds them again and again.

use napi::Env;
use napi::bindgen_prelude::PromiseRaw;
use napi_derive::napi;

use super::super::error::promise;
use super::{NativeQueue, written};
use crate::queue::{ScheduleOptions, read};

#[napi]
impl NativeQueue {
    /// Sets the limits of the queue; JSON.
    #[napi]
    pub fn set_limits<'env>(&self, env: &'env Env, limits: String) -> napi::Result<PromiseRaw<'env, ()>> {
        let inner = self.inner.clone();
        promise(env, async move {
            inner.member.api().await?.set_limits(read("the limits", &limits)?).await
        })
    }

    /// The limits of the queue as JSON.
    #[napi]
    pub fn limits<'env>(&self, env: &'env Env) -> napi::Result<PromiseRaw<'env, String>> {
        let inner = self.inner.clone();
        promise(env, async move { written(&inner.member.api().await?.limits().await?) })
    }

    /// Stores a schedule; JSON in and out.
    #[napi]
    pub fn schedule<'env>(
        &self,
        env: &'env Env,
        id: String,
        options: String,
    ) -> napi::Result<PromiseRaw<'env, String>> {
        let inner = self.inner.clone();
        promise(env, async move {
            let options: ScheduleOptions = read("the schedule", &options)?;
            written(&inner.member.api().await?.schedule(&id, options).await?)
        })
    }

    /// Ends a schedule.
    #[napi]
    pub fn unschedule<'env>(&self, env: &'env Env, id: String) -> napi::Result<PromiseRaw<'env, bool>> {
        let inner = self.inner.clone();
        promise(env, async move { inner.member.api().await?.unschedule(&id).await })
    }

    /// The schedules as JSON.
    #[napi]
    pub fn schedules<'env>(&self, env: &'env Env) -> napi::Result<PromiseRaw<'env, String>> {
        let inner = self.inner.clone();
        promise(
            env,
            async move { written(&inner.member.api().await?.schedules().await?) },
        )
    }
}
