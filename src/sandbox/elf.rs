//! As much of the ELF format as is needed to know which libraries a program loads.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// What a program or library asks the loader for.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// The loader itself; `None` for libraries and static programs.
    pub interpreter: Option<String>,
    /// Names such as `libc.so.6`.
    pub libraries: Vec<String>,
    /// Folders that are looked in first.
    pub search: Vec<String>,
}

const MAX_TABLE: u64 = 1 << 20;

/// Reads what `path` needs; `None` where it is not a 64-bit little-endian ELF file.
pub fn needs(path: &Path) -> std::io::Result<Option<Needs>> {
    let mut file = File::open(path)?;
    let mut head = [0; 64];
    if file.read_exact(&mut head).is_err() || head[..6] != [0x7f, b'E', b'L', b'F', 2, 1] {
        return Ok(None);
    }
    let segments = read_at(
        &mut file,
        u64_at(&head, 32),
        u64::from(u16_at(&head, 54)) * u64::from(u16_at(&head, 56)),
    )?;
    let size = usize::from(u16_at(&head, 54)).max(56);
    let segments: Vec<&[u8]> = segments.chunks_exact(size).collect();
    let mut needs = Needs::default();
    let mut dynamic = Vec::new();
    for segment in &segments {
        let (offset, length) = (u64_at(segment, 8), u64_at(segment, 32));
        match u32_at(segment, 0) {
            3 => needs.interpreter = Some(text_at(&read_at(&mut file, offset, length)?, 0)),
            2 => dynamic = read_at(&mut file, offset, length)?,
            _ => {}
        }
    }
    let entries: Vec<(u64, u64)> = dynamic
        .chunks_exact(16)
        .map(|entry| (u64_at(entry, 0), u64_at(entry, 8)))
        .take_while(|(tag, _)| *tag != 0)
        .collect();
    let value = |wanted| entries.iter().find(|(tag, _)| *tag == wanted).map(|(_, value)| *value);
    let (Some(address), Some(length)) = (value(5), value(10)) else {
        return Ok(Some(needs));
    };
    let Some(offset) = segments
        .iter()
        .filter(|segment| u32_at(segment, 0) == 1)
        .find_map(|segment| {
            let (start, from, span) = (u64_at(segment, 16), u64_at(segment, 8), u64_at(segment, 32));
            (start..start + span)
                .contains(&address)
                .then(|| from + (address - start))
        })
    else {
        return Ok(Some(needs));
    };
    let texts = read_at(&mut file, offset, length)?;
    for (tag, value) in entries {
        match tag {
            1 => needs.libraries.push(text_at(&texts, value as usize)),
            15 | 29 => needs
                .search
                .extend(text_at(&texts, value as usize).split(':').map(str::to_owned)),
            _ => {}
        }
    }
    Ok(Some(needs))
}

fn read_at(file: &mut File, offset: u64, length: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = vec![0; length.min(MAX_TABLE * 16) as usize];
    file.seek(SeekFrom::Start(offset))?;
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes
        .get(at..at + 2)
        .and_then(|part| part.try_into().ok())
        .map_or(0, u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes
        .get(at..at + 4)
        .and_then(|part| part.try_into().ok())
        .map_or(0, u32::from_le_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes
        .get(at..at + 8)
        .and_then(|part| part.try_into().ok())
        .map_or(0, u64::from_le_bytes)
}

fn text_at(bytes: &[u8], at: usize) -> String {
    let rest = bytes.get(at..).unwrap_or_default();
    String::from_utf8_lossy(rest.split(|byte| *byte == 0).next().unwrap_or_default()).into_owned()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn this_very_program_needs_a_c_library() {
        let needs = needs(&std::env::current_exe().unwrap()).unwrap().unwrap();
        assert!(needs.interpreter.is_some());
        assert!(
            needs.libraries.iter().any(|name| name.starts_with("libc.")),
            "{needs:?}"
        );
    }

    #[test]
    fn what_is_not_elf_needs_nothing() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert_eq!(needs(file.path()).unwrap(), None);
        std::fs::write(file.path(), [&[0x7f, b'E', b'L', b'F', 2, 1][..], &[255; 80]].concat()).unwrap();
        assert!(needs(file.path()).is_err());
    }
}
