//! What operators are told.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn operators_get_metrics_a_trace_and_what_is_missing() {
    let home = Home::new();
    let engine = home.open(&json!({}), None).await;
    let id = engine.create(creation(None), None).await.unwrap();
    let job = ended(&engine, &id).await;
    let prometheus = engine.metrics_text(Format::Prometheus, Near::default()).await.unwrap();
    let open_metrics = engine.metrics_text(Format::OpenMetrics, Near::default()).await.unwrap();
    assert!(prometheus.contains("# TYPE auton8n_") && open_metrics.ends_with("# EOF\n"));
    let trace = engine.trace(&id).await.unwrap();
    let spans = trace["spans"].as_array().unwrap();
    assert!(
        spans
            .iter()
            .any(|span| span["name"].as_str().is_some_and(|name| name.contains("create"))),
        "{trace}"
    );
    assert_eq!(engine.trace("nobody").await.unwrap_err().code(), Code::JobNotFound);
    let doctor = engine.doctor().await.unwrap();
    assert!(doctor["sandboxes"].is_array() && doctor["version"].is_string());
    assert_eq!(engine.jobs(JobFilter::default()).await.unwrap().len(), 1);
    assert!(!engine.retry("nobody").await.unwrap_or(false));
    assert_eq!(engine.retry(&id).await.unwrap(), job.status == JobStatus::Failed);
    assert!(!engine.cancel("nobody").await.unwrap_or(false));
    engine.close().await.unwrap();
    assert_eq!(
        engine.jobs(JobFilter::default()).await.unwrap_err().code(),
        Code::Closed
    );
}
