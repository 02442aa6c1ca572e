//! What the name of a file says about guesses in it.

use super::pieces::Joining;

/// Languages in which a value without quotes is an expression.
const SOURCE: &[&str] = &[
    "js", "mjs", "cjs", "jsx", "ts", "mts", "cts", "tsx", "py", "go", "rs", "java", "kt", "c", "h", "cc", "cpp", "hpp",
    "cs", "rb", "php", "swift", "scala", "dart", "lua", "vue", "svelte", "html", "css", "scss", "md", "mdx", "map",
];

/// Languages in which literals that stand beside each other are one.
const ADJACENT: &[&str] = &[
    "py", "pyi", "c", "h", "cc", "cpp", "cxx", "hpp", "m", "mm", "rb", "dart", "d", "nim",
];

/// Files whose long strings are hashes.
const LOCKS: &[&str] = &[
    "package-lock.json",
    "npm-shrinkwrap.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "bun.lock",
    "bun.lockb",
    "Cargo.lock",
    "go.sum",
    "poetry.lock",
    "uv.lock",
    "Pipfile.lock",
    "composer.lock",
    "Gemfile.lock",
    "flake.lock",
    "deno.lock",
];

/// What the file's name says about guesses in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "six answers that do not exclude each other"
)]
pub struct Place {
    pub source: bool,
    pub lock: bool,
    /// A table, whose rows are names and values.
    pub table: bool,
    /// A text that people write.
    pub prose: bool,
    /// A text in which characters may stand as escapes: everything but programs.
    pub escapes: bool,
    /// A language in which literals that stand beside each other are one.
    pub adjacent: bool,
}

impl Place {
    /// A text that is no file.
    const TEXT: Self = Self {
        source: false,
        lock: false,
        table: false,
        prose: true,
        escapes: true,
        adjacent: false,
    };

    /// What joins literals here.
    pub const fn joining(self) -> Joining {
        Joining {
            adjacent: self.adjacent,
            inserted: false,
        }
    }

    pub fn of(file: Option<&str>) -> Self {
        let Some(file) = file else {
            return Self::TEXT;
        };
        let name = file.rsplit(['/', '\\']).next().unwrap_or("");
        let extension = name
            .rsplit_once('.')
            .map_or("", |(_, extension)| extension)
            .to_ascii_lowercase();
        let lock = LOCKS.contains(&name);
        let source = SOURCE.contains(&extension.as_str());
        Self {
            source,
            escapes: !source || matches!(extension.as_str(), "html" | "md" | "mdx" | "vue" | "svelte"),
            adjacent: ADJACENT.contains(&extension.as_str()),
            lock: lock || extension == "map",
            table: matches!(extension.as_str(), "csv" | "tsv"),
            prose: matches!(
                extension.as_str(),
                "" | "txt" | "md" | "mdx" | "log" | "eml" | "mbox" | "mht"
            ),
        }
    }
}
