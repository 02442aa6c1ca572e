//! Jobs that are a name and data and nothing else: many in one text, which goes from the caller to the store without a
//! copy of any of them.

use std::ops::Range;

use serde_json::value::RawValue;
use uuid::Uuid;

use super::job::{JobOptions, NewJob};
use super::job_data::JobData;
use super::rules::closed;
use crate::error::Result;

/// Jobs without options, each of which stands alone.
#[derive(Debug)]
pub struct PlainJobs {
    text: String,
    /// Each name, and the place of the first job that has another one.
    names: Vec<(String, usize)>,
    /// Where the data of each lie in the text.
    data: Vec<Range<usize>>,
}

/// Plain jobs that are stored.
#[derive(Debug)]
pub struct PlainAdded {
    pub jobs: PlainJobs,
    /// In the order of the jobs.
    pub ids: Vec<Uuid>,
    pub at: i64,
}

/// Who waits for plain jobs; told in any case, also where nobody does it.
pub struct PlainCaller(Option<Box<dyn FnOnce(Result<PlainAdded>) + Send>>);

/// A store that takes plain jobs from any thread and without a task that waits.
pub trait PlainAdds {
    /// Stores them all or none, behind what was asked for before. The caller is told when they are on the disk, by a
    /// thread that is not to be held up.
    fn add_plain(&self, queue: &str, jobs: PlainJobs, now: i64, caller: PlainCaller);
}

impl PlainJobs {
    /// Reads a JSON array in which names and data take turns; `None` where it is none.
    pub fn read(text: String) -> Option<Self> {
        let all: Vec<&RawValue> = serde_json::from_str(&text).ok()?;
        let (mut names, mut last): (Vec<(String, usize)>, &str) = (Vec::new(), "");
        let mut data = Vec::with_capacity(all.len() / 2);
        for pair in all.chunks(2) {
            let [name, value] = pair else { return None };
            if name.get() != last {
                last = name.get();
                names.push((serde_json::from_str(last).ok()?, 0));
            }
            let begin = value.get().as_ptr().addr() - text.as_ptr().addr();
            data.push(begin..begin + value.get().len());
            names.last_mut()?.1 = data.len();
        }
        Some(Self { text, names, data })
    }

    /// How many they are.
    pub const fn count(&self) -> usize {
        self.data.len()
    }

    /// The names, those that follow one another once.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|(name, _)| name.as_str())
    }

    /// The data of each, as JSON.
    pub fn data(&self) -> impl Iterator<Item = &str> {
        self.data.iter().map(|data| &self.text[data.clone()])
    }

    /// Name and data of each.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut names = self.names.iter();
        let (mut name, mut until) = ("", 0);
        self.data().enumerate().map(move |(place, data)| {
            if place == until
                && let Some((next, end)) = names.next()
            {
                (name, until) = (next, *end);
            }
            (name, data)
        })
    }

    /// The same as jobs with options.
    pub fn to_new(&self) -> Vec<NewJob> {
        self.iter()
            .map(|(name, data)| NewJob {
                name: name.to_owned(),
                data: JobData::from_text(data.to_owned()).unwrap_or_default(),
                options: JobOptions::default(),
                reference: None,
            })
            .collect()
    }
}

impl PlainCaller {
    /// Who is told so.
    pub fn new(told: impl FnOnce(Result<PlainAdded>) + Send + 'static) -> Self {
        Self(Some(Box::new(told)))
    }

    /// Tells what became of them.
    pub fn tell(mut self, answer: Result<PlainAdded>) {
        if let Some(told) = self.0.take() {
            told(answer);
        }
    }
}

impl Drop for PlainCaller {
    fn drop(&mut self) {
        if let Some(told) = self.0.take() {
            told(Err(closed()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_data_are_read_as_they_were_written() {
        let text = r#"["a",{"n":1.50},"a", [ "\"x" ] ,"é\n",null,"a",2]"#;
        let jobs = PlainJobs::read(text.to_owned()).unwrap();
        let each = [
            ("a", r#"{"n":1.50}"#),
            ("a", r#"[ "\"x" ]"#),
            ("é\n", "null"),
            ("a", "2"),
        ];
        assert_eq!((jobs.count(), jobs.iter().collect::<Vec<_>>()), (4, each.to_vec()));
        assert_eq!(jobs.names().collect::<Vec<_>>(), ["a", "é\n", "a"]);
        let new = jobs.to_new();
        assert_eq!((new[2].name.as_str(), new[1].data.text()), ("é\n", r#"[ "\"x" ]"#));
        assert_eq!(PlainJobs::read("[]".to_owned()).unwrap().iter().count(), 0);
    }

    #[test]
    fn anything_else_is_none() {
        for text in [
            "",
            "{}",
            r#"["a"]"#,
            r#"["a",1,"b"]"#,
            "[1,2]",
            r#"["a",{]"#,
            r#"["a",1]x"#,
        ] {
            assert!(PlainJobs::read(text.to_owned()).is_none(), "{text}");
        }
    }

    #[test]
    fn a_caller_is_told_once_in_any_case() {
        let (send, heard) = std::sync::mpsc::channel();
        let jobs = PlainJobs::read("[]".to_owned()).unwrap();
        let caller = || {
            let send = send.clone();
            PlainCaller::new(move |answer| send.send(answer.is_ok()).unwrap())
        };
        caller().tell(Ok(PlainAdded {
            jobs,
            ids: Vec::new(),
            at: 0,
        }));
        drop(caller());
        assert_eq!(heard.try_iter().collect::<Vec<_>>(), [true, false]);
    }
}
