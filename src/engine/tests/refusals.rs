//! What is refused, and what is left open.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_told_before_a_job_is_stored() {
    let home = Home::new();
    let engine = home.open(&json!({ "sandbox": false }), None).await;
    let code = async |creation: Creation| engine.create(creation, None).await.unwrap_err().code();
    let mut wrong = creation(None);
    wrong.wish = Wish::Specification(json!({ "name": "../x" }));
    assert_eq!(code(wrong).await, Code::SpecificationInvalid);
    assert_eq!(code(creation(Some(Generator::Model))).await, Code::ModelNeeded);
    let mut wrong = creation(None);
    wrong.wish = Wish::Description("a plugin that tells the time".to_owned());
    assert_eq!(code(wrong).await, Code::ModelNeeded);
    let mut wrong = creation(None);
    wrong.max_iterations = Some(0);
    assert_eq!(code(wrong).await, Code::OptionInvalid);
    let mut wrong = creation(None);
    wrong.out_dir = Some(Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    assert_eq!(code(wrong).await, Code::OptionInvalid);
    let mut wrong = creation(None);
    let key = ["AKIA", "Z7Q2M4XNRTLW5B3K"].concat();
    wrong.metadata = Some(json!({ "key": key }));
    assert_eq!(code(wrong).await, Code::SecretFound);
    let mut dependent = weather();
    dependent["dependencies"] = json!({ "left-pad": "^1.0.0" });
    let mut wrong = creation(None);
    wrong.wish = Wish::Specification(dependent);
    assert_eq!(code(wrong).await, Code::DependencyUnsupported);
    assert!(engine.jobs(JobFilter::default()).await.unwrap().is_empty());
    engine.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_that_runs_at_installation_fails_even_without_a_sandbox() {
    let home = Home::new();
    let engine = home.open(&json!({ "sandbox": false }), None).await;
    let project = home.folder.path().join("project");
    let specification = specification::parse(&weather()).unwrap();
    let mut files = crate::generation::scaffold::scaffold(&specification, &good());
    files.extend(good());
    for (path, bytes) in &files {
        let place = project.join(path);
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        std::fs::write(place, bytes).unwrap();
    }
    let plain = engine.verify(project.clone(), Some(weather())).await.unwrap();
    assert_eq!(
        (plain.verdict, status(&plain, "manifest"), status(&plain, "dist")),
        (Verdict::Inconclusive, CheckStatus::Passed, CheckStatus::Skipped)
    );
    let mut manifest: Value = serde_json::from_slice(&files["package.json"]).unwrap();
    manifest["scripts"]["postinstall"] = json!("node steal.js");
    manifest["dependencies"] = json!({ "left-pad": "^1.0.0" });
    std::fs::write(project.join("package.json"), manifest.to_string()).unwrap();
    let tampered = engine.verify(project, Some(weather())).await.unwrap();
    assert_eq!(
        (tampered.verdict, status(&tampered, "manifest")),
        (Verdict::Failed, CheckStatus::Failed)
    );
    engine.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_sandbox_nothing_is_claimed() {
    let home = Home::new();
    let engine = home.open(&json!({ "sandbox": false }), None).await;
    let id = engine.create(creation(None), None).await.unwrap();
    let job = ended(&engine, &id).await;
    left_open(&job);
    let report = report_of(&job);
    assert_eq!(
        (report.verdict, report.isolation.as_str()),
        (Verdict::Inconclusive, "refused")
    );
    for stage in ["type-check", "lint", "build", "test", "boot"] {
        assert_eq!(status(&report, stage), CheckStatus::Skipped);
    }
    assert_eq!(engine.health().await.unwrap()["status"], "degraded");
    engine.close().await.unwrap();
}
