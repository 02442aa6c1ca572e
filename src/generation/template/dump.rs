//! Makes the example plugins, and one whose every text tries to leave its quotes; writes them where `AUTON8N_TEST_EXAMPLES` points, for checks by the real tools.

use std::path::PathBuf;

use crate::specification::parse_json;

#[test]
fn the_examples_are_complete_packages() {
    let examples = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut seen = 0;
    let nasty = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/generation/template/nasty.json");
    let found = std::fs::read_dir(examples).unwrap().map(|entry| entry.unwrap().path());
    for path in found.chain([nasty]) {
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let specification = parse_json(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let generated = super::generate(&specification);
        assert_eq!(generated, super::generate(&specification));
        for path in generated.keys() {
            crate::files::check_path(path).unwrap();
        }
        let mut all = generated.clone();
        all.extend(crate::generation::scaffold::scaffold(&specification, &generated));
        seen += 1;
        let Some(target) = std::env::var_os("AUTON8N_TEST_EXAMPLES") else {
            continue;
        };
        let folder = PathBuf::from(target).join(path.file_stem().unwrap());
        for (name, bytes) in &all {
            let file = folder.join(name);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, bytes).unwrap();
        }
    }
    assert!(seen >= 4);
}
