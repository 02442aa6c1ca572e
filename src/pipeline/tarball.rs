//! The tarball of a package, as `npm install` takes it: reproducible, and only what `files` names.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

use crate::error::{Code, Error, Result};
use crate::files::FileSet;

/// npm puts this date on every entry, so that a tarball depends on its content alone.
const MTIME: u64 = 499_162_500;

/// Packs `files` below `package/`.
pub fn pack(files: &FileSet) -> Result<Vec<u8>> {
    let failed =
        |error: std::io::Error| Error::new(Code::Internal, "the plugin's tarball could not be written").because(error);
    let manifest: Value = files
        .get("package.json")
        .and_then(|bytes| serde_json::from_slice(bytes).ok())
        .ok_or_else(|| Error::new(Code::Internal, "the plugin has no readable package.json"))?;
    let wanted: Vec<&str> = manifest["files"]
        .as_array()
        .map(|list| list.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
    archive.mode(tar::HeaderMode::Deterministic);
    for (path, bytes) in files.iter().filter(|(path, _)| belongs(path, &wanted)) {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(MTIME);
        header.set_entry_type(tar::EntryType::Regular);
        archive
            .append_data(&mut header, format!("package/{path}"), bytes.as_slice())
            .map_err(failed)?;
    }
    let mut gzip = archive.into_inner().map_err(failed)?;
    gzip.flush().map_err(failed)?;
    gzip.finish().map_err(failed)
}

/// npm's rule: the manifest, README and licence always, the rest where `files` names it.
fn belongs(path: &str, wanted: &[&str]) -> bool {
    let lower = path.to_ascii_lowercase();
    lower == "package.json"
        || (!lower.contains('/') && (lower.starts_with("readme") || lower.starts_with("license")))
        || wanted.iter().any(|entry| {
            let entry = entry.trim_start_matches("./").trim_end_matches('/');
            path == entry || path.strip_prefix(entry).is_some_and(|rest| rest.starts_with('/'))
        })
}

/// The file name that `npm pack` gives.
pub fn file_name(name: &str, version: &str) -> String {
    format!("{}-{version}.tgz", name.trim_start_matches('@').replace('/', "-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package() -> FileSet {
        [
            ("package.json", r#"{"files":["dist/"]}"#),
            ("README.md", "hi"),
            ("dist/index.js", "export default {}"),
            ("src/index.ts", "secret plans"),
            ("distant.js", "no"),
        ]
        .into_iter()
        .map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()))
        .collect()
    }

    #[test]
    fn only_what_the_manifest_names_is_packed() {
        let bytes = pack(&package()).unwrap();
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(bytes.as_slice()));
        let names: Vec<String> = archive
            .entries()
            .unwrap()
            .map(|entry| entry.unwrap().path().unwrap().to_string_lossy().into_owned())
            .collect();
        assert_eq!(
            names,
            ["package/README.md", "package/dist/index.js", "package/package.json"]
        );
    }

    #[test]
    fn the_same_files_give_the_same_bytes() {
        assert_eq!(pack(&package()).unwrap(), pack(&package()).unwrap());
        assert_eq!(file_name("@acme/plugin-x", "1.0.0"), "acme-plugin-x-1.0.0.tgz");
    }
}
