//! What is checked of a plugin that is made.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_template_creation_passes_every_check_and_can_be_verified_again() {
    let home = Home::new();
    let engine = home.open(&json!({}), None).await;
    let id = engine.create(creation(None), None).await.unwrap();
    let job = ended(&engine, &id).await;
    if !left_out(&job) {
        assert_eq!(job.status, JobStatus::Completed, "{:?}", job.error);
        let created: CreatedPlugin = serde_json::from_value(job.result.clone().unwrap()).unwrap();
        assert_eq!(created.report.verdict, Verdict::Passed);
        assert!(created.tarball.is_file() && created.directory.join("dist/index.js").is_file());
        let again = engine.verify(created.directory.clone(), Some(weather())).await.unwrap();
        assert_eq!(again.verdict, Verdict::Passed, "{:#?}", again.checks);
        let open = engine.verify(created.directory.clone(), None).await.unwrap();
        assert_eq!(
            (open.verdict, status(&open, "boot")),
            (Verdict::Inconclusive, CheckStatus::Inconclusive)
        );
        assert_eq!(
            (status(&again, "manifest"), status(&again, "dist")),
            (CheckStatus::Passed, CheckStatus::Passed)
        );
        let built = created.directory.join("dist/index.js");
        let kept = std::fs::read(&built).unwrap();
        std::fs::write(&built, "export default { name: 'evil' }\n").unwrap();
        let tampered = engine.verify(created.directory.clone(), Some(weather())).await.unwrap();
        assert_eq!(
            (tampered.verdict, status(&tampered, "boot"), status(&tampered, "dist")),
            (Verdict::Failed, CheckStatus::Passed, CheckStatus::Failed)
        );
        let digest = |report: &CreationReport| {
            let found = report.files.iter().find(|file| file.path == "dist/index.js");
            found.map(|file| file.sha256.clone())
        };
        assert!(digest(&tampered).is_some() && digest(&tampered) != digest(&again));
        std::fs::write(&built, kept).unwrap();
        let entry = created.directory.join("src/index.ts");
        std::fs::write(&entry, "export default 1\n").unwrap();
        let broken = engine.verify(created.directory, Some(weather())).await.unwrap();
        assert_eq!(
            (broken.verdict, status(&broken, "type-check")),
            (Verdict::Failed, CheckStatus::Failed)
        );
        assert_eq!(status(&broken, "boot"), CheckStatus::Skipped);
        assert_eq!(engine.health().await.unwrap()["status"], "ok");
        assert_eq!(engine.metrics().await.unwrap()["queue"]["completed"], 1);
        assert!(
            home.heard
                .0
                .lock()
                .iter()
                .any(|event| event.kind.is_final() && event.job_id == id)
        );
    }
    engine.close().await.unwrap();
    engine.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_type_error_goes_back_to_the_model_with_the_file_and_the_diagnostic() {
    let home = Home::new();
    let broken = with(good(), "src/index.ts", |text| {
        format!("export const wrong: number = 'text'\n{text}")
    });
    let model = Scripted::new(vec![Ok(reply::format(&broken)), Ok(reply::format(&good()))]);
    let engine = home.open(&json!({}), None).await;
    let id = engine
        .create(creation(None), Some(Arc::clone(&model) as _))
        .await
        .unwrap();
    let job = ended(&engine, &id).await;
    if !left_out(&job) {
        assert_eq!(job.status, JobStatus::Completed, "{:?}", job.error);
        let report = report_of(&job);
        assert_eq!((report.verdict, report.iterations), (Verdict::Passed, 2));
        assert_eq!(
            report.tokens.map(|tokens| (tokens.input, tokens.output)),
            Some((200, 20))
        );
        let prompts = model.prompts();
        assert!(prompts[1].contains("TS2322") && prompts[1].contains("export const wrong: number = 'text'"));
    }
    engine.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn replies_that_cannot_be_used_end_the_job_with_a_report_of_every_stage() {
    let home = Home::new();
    let whole = reply::format(&good());
    let cut = whole[..whole.len() / 2].to_owned();
    let model = Scripted::new(vec![Ok(cut), Ok("=== MANIFEST\nnothing".to_owned())]);
    let engine = home.open(&json!({}), None).await;
    let mut asked = creation(None);
    asked.max_iterations = Some(2);
    let id = engine.create(asked, Some(Arc::clone(&model) as _)).await.unwrap();
    let job = ended(&engine, &id).await;
    assert_eq!(
        job.error.as_ref().map(|error| error.code.as_str()),
        Some("AUTON8N_CHECKS_FAILED")
    );
    let report = report_of(&job);
    assert_eq!(
        (report.verdict, status(&report, "generate")),
        (Verdict::Failed, CheckStatus::Failed)
    );
    assert_eq!(status(&report, "boot"), CheckStatus::Skipped);
    assert!(model.prompts()[1].contains("could not be used"));
    engine.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_in_a_reply_is_refused_and_kept_nowhere() {
    let home = Home::new();
    let secret = ["ghp_", "16C7e42F292c6912E7", "710c838347Ae178B4a"].concat();
    let key = ["AKIA", "Z7Q2M4XNRTLW5B3K"].concat();
    let leaking = with(good(), "src/index.ts", |text| {
        format!("export const token = '{secret}'\nexport const id = '{key}'\n{text}")
    });
    let model = Scripted::new(vec![Ok(reply::format(&leaking)), Ok(String::new())]);
    let engine = home.open(&json!({}), None).await;
    let mut asked = creation(None);
    asked.max_iterations = Some(2);
    let id = engine.create(asked, Some(Arc::clone(&model) as _)).await.unwrap();
    let job = ended(&engine, &id).await;
    assert_eq!(job.status, JobStatus::Failed);
    let second = &model.prompts()[1];
    assert!(second.contains("secret/") && !second.contains(&key));
    engine.close().await.unwrap();
    for entry in std::fs::read_dir(home.data()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            assert!(
                memchr::memmem::find(&bytes, key.as_bytes()).is_none(),
                "{} holds it",
                path.display()
            );
        }
    }
}
