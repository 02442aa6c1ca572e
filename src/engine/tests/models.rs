//! Jobs and the models that answer for them.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_job_whose_model_is_gone_waits_and_goes_on_with_another() {
    let home = Home::new();
    let refusing = Scripted::new(vec![Err(Error::new(Code::ModelNeeded, "gone"))]);
    let engine = home.open(&json!({ "sandbox": false }), None).await;
    let id = engine.create(creation(None), Some(refusing as _)).await.unwrap();
    until(&engine, &id, |job| job.status == JobStatus::Retrying).await;
    engine.close().await.unwrap();
    let engine = home.open(&json!({ "sandbox": false }), None).await;
    let waiting = engine.job(&id).await.unwrap().unwrap();
    assert_eq!(
        waiting.error.map(|error| error.code).as_deref(),
        Some("AUTON8N_MODEL_NEEDED")
    );
    engine.set_model(Some(Scripted::new(vec![Ok(reply::format(&good()))]) as _));
    engine.wake().await.unwrap();
    left_open(&ended(&engine, &id).await);
    engine.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_ends_the_job_and_an_overloaded_model_is_asked_again() {
    let home = Home::new();
    let engine = home.open(&json!({ "sandbox": false }), None).await;
    let wrong_key = Scripted::new(vec![Err(Error::new(Code::ModelUnauthorized, "the key was refused"))]);
    let id = engine
        .create(creation(None), Some(Arc::clone(&wrong_key) as _))
        .await
        .unwrap();
    let job = ended(&engine, &id).await;
    assert_eq!(
        job.error.map(|error| error.code).as_deref(),
        Some("AUTON8N_MODEL_UNAUTHORIZED")
    );
    assert_eq!(wrong_key.prompts().len(), 1);
    let busy = Error::new(Code::ModelRateLimited, "429").with_details(json!({ "retryAfterMs": 10 }));
    let busy = Scripted::new(vec![Err(busy), Ok(reply::format(&good()))]);
    let id = engine
        .create(creation(None), Some(Arc::clone(&busy) as _))
        .await
        .unwrap();
    let job = ended(&engine, &id).await;
    left_open(&job);
    assert_eq!((job.attempts, busy.prompts().len()), (2, 2));
    assert!(!engine.cancel(&id).await.unwrap());
    engine.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn words_become_a_specification_that_is_repaired_once() {
    let home = Home::new();
    let engine = home.open(&json!({ "sandbox": false }), None).await;
    let model = Scripted::new(vec![
        Ok(json!({ "name": "NOT A NAME", "actions": [] }).to_string()),
        Ok(weather().to_string()),
        Ok(reply::format(&good())),
    ]);
    let mut asked = creation(None);
    asked.wish = Wish::Description("tell me the weather of a city".to_owned());
    let id = engine.create(asked, Some(Arc::clone(&model) as _)).await.unwrap();
    let job = ended(&engine, &id).await;
    left_open(&job);
    assert!(model.prompts()[1].contains("$.name"));
    assert!(
        report_of(&job)
            .files
            .iter()
            .any(|file| file.path == "src/actions/get-weather.ts")
    );
    engine.close().await.unwrap();
}
