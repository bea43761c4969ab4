//! The answers of an agent to a benchmark's questions, kept as they come.
//!
//! A folder holds `asked.json` (who was asked what) and `answers.jsonl`, one answer a line in the
//! order in which they came. However the asking ends, an answer that is there is not asked for
//! again. When all are there they are samples like any others, in the order of the tasks.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::dataset::Dataset;
use crate::effort::Effort;
use crate::extraction::extract;
use crate::run::{RunError, claim};
use crate::samples::Sample;

/// Who was asked what. Answers are only added to those of an equal one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The data set's name.
    pub dataset: String,
    /// SHA-256 over the questions, in hex.
    pub questions: String,
    /// The agent's name.
    pub agent: String,
    /// SHA-256 of its strategy, in hex.
    pub strategy: String,
    /// What it may do, one grant a text: its models and tools among them.
    pub grants: Vec<String>,
    /// SHA-256 over its instructions, limits, tools and models' settings, in hex.
    pub settings: String,
    /// How many answers each question is to have.
    pub answers: usize,
    /// The seed of its first answer to each question.
    pub seed: u64,
}

/// One answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The task.
    pub task_id: String,
    /// The place among the task's answers, from 0.
    pub completion_id: usize,
    /// What is graded: the code in the reply.
    pub completion: String,
    /// All that the agent said.
    pub reply: String,
    /// Why there is no answer, where there is none: the strategy gave up, or used up a limit.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub failure: Option<String>,
    /// What it took.
    pub effort: Effort,
    /// The run in the journal.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub agent_run: Option<u64>,
}

/// A folder of answers, open for more.
#[derive(Debug)]
pub struct Answers {
    file: File,
    path: PathBuf,
    known: BTreeMap<(usize, usize), Answer>,
}

impl Answers {
    /// Opens a folder: a new one, or with `resume` one that has answers of the same.
    ///
    /// # Errors
    ///
    /// The folder cannot be used: see [`RunError`].
    pub fn open(
        folder: &Path,
        asked: &Asked,
        dataset: &Dataset,
        resume: bool,
    ) -> Result<Answers, RunError> {
        let path = folder.join("asked.json");
        let io = |path: &Path| {
            let path = path.to_owned();
            move |source| RunError::Io { path, source }
        };
        match (fs::read(&path), resume) {
            (Ok(_), false) => return Err(RunError::Exists { path: folder.into() }),
            (Ok(text), true) => {
                let found: Asked =
                    serde_json::from_slice(&text).map_err(|error| RunError::Damaged {
                        path: path.clone(),
                        line: error.line(),
                        reason: error.to_string(),
                    })?;
                if let Some(what) = found.differs(asked) {
                    return Err(RunError::Different { path: folder.into(), what });
                }
            }
            (Err(error), true) if error.kind() == io::ErrorKind::NotFound => {
                return Err(RunError::Missing { path: folder.into() });
            }
            (Err(error), false) if error.kind() == io::ErrorKind::NotFound => {
                fs::create_dir_all(folder).map_err(io(folder))?;
                let text = serde_json::to_vec_pretty(asked).unwrap_or_default();
                fs::write(&path, text).map_err(io(&path))?;
            }
            (Err(source), _) => return Err(RunError::Io { path, source }),
        }
        let path = folder.join("answers.jsonl");
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let mut file = options.open(&path).map_err(io(&path))?;
        claim(&file, folder)?;
        let mut text = Vec::new();
        file.read_to_end(&mut text).map_err(io(&path))?;
        // What follows the last line feed was being written when somebody died.
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        file.set_len(whole as u64).map_err(io(&path))?;
        file.seek(SeekFrom::Start(whole as u64)).map_err(io(&path))?;
        let mut known = BTreeMap::new();
        for (index, line) in text[..whole].split(|byte| *byte == b'\n').enumerate() {
            if line.is_empty() {
                continue;
            }
            let damaged =
                |reason: String| RunError::Damaged { path: path.clone(), line: index + 1, reason };
            let answer: Answer =
                serde_json::from_slice(line).map_err(|error| damaged(error.to_string()))?;
            let task = dataset.position(&answer.task_id);
            let task = task.ok_or_else(|| damaged(format!("no task is {:?}", answer.task_id)))?;
            known.insert((task, answer.completion_id), answer);
        }
        Ok(Answers { file, path, known })
    }

    /// How many answers are there.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether none is there.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// The questions (places of tasks) and answers (places among a task's) that are missing.
    pub fn missing(&self, dataset: &Dataset, answers: usize) -> Vec<(usize, usize)> {
        let all = (0..dataset.tasks.len()).flat_map(|task| (0..answers).map(move |id| (task, id)));
        all.filter(|place| !self.known.contains_key(place)).collect()
    }

    /// Keeps an answer.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn add(&mut self, task: usize, answer: Answer) -> Result<(), RunError> {
        let io = |source| RunError::Io { path: self.path.clone(), source };
        let mut line = serde_json::to_vec(&answer).map_err(|error| io(error.into()))?;
        line.push(b'\n');
        self.file.write_all(&line).map_err(io)?;
        self.known.insert((task, answer.completion_id), answer);
        Ok(())
    }

    /// The answers as samples, in the order of the tasks.
    pub fn samples(&self) -> Vec<Sample> {
        let answers = self.known.iter().enumerate();
        let samples = answers.map(|(line, (&(task, completion_id), answer))| Sample {
            line,
            task,
            completion: answer.completion.clone(),
            completion_id,
            record: serde_json::value::to_raw_value(answer).unwrap_or_default(),
            effort: Some(answer.effort),
        });
        samples.collect()
    }
}

impl Asked {
    /// What is another's.
    fn differs(&self, other: &Asked) -> Option<&'static str> {
        let Asked { dataset: _, questions, agent, strategy, grants, settings, answers, seed } =
            self;
        let what = [
            ("data set", *questions != other.questions),
            ("agent", *agent != other.agent || *strategy != other.strategy),
            ("set of grants", *grants != other.grants),
            ("configuration", *settings != other.settings),
            ("number of answers", *answers != other.answers),
            ("seed", *seed != other.seed),
        ];
        what.into_iter().find(|(_, differs)| *differs).map(|(what, _)| what)
    }
}

impl Answer {
    /// The answer to a task, of which the code is cut out.
    pub fn new(
        dataset: &Dataset,
        task: usize,
        completion_id: usize,
        reply: String,
        effort: Effort,
    ) -> Answer {
        let task = &dataset.tasks[task];
        Answer {
            task_id: task.id.to_string(),
            completion_id,
            completion: extract(task, &reply).completion,
            reply,
            failure: None,
            effort,
            agent_run: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::is_at_work;

    const TASK: &str = r#"[{"task_id": 1, "text": "Add.", "code": "", "test_setup_code": "",
        "test_list": ["assert add(1, 2) == 3"]}]"#;

    fn asked(answers: usize) -> Asked {
        Asked {
            dataset: "sums".into(),
            questions: "q".into(),
            agent: "a".into(),
            strategy: "s".into(),
            grants: Vec::new(),
            settings: "c".into(),
            answers,
            seed: 0,
        }
    }

    #[test]
    fn answers_outlive_whoever_asked() {
        let folder = tempfile::tempdir().unwrap();
        let dataset = Dataset::parse("sums", TASK.as_bytes()).unwrap();
        let open = |resume| Answers::open(folder.path(), &asked(2), &dataset, resume);
        assert!(matches!(open(true), Err(RunError::Missing { .. })));
        let mut answers = open(false).unwrap();
        assert_eq!(answers.missing(&dataset, 2), [(0, 0), (0, 1)]);
        let reply = "Here:\n```python\ndef add(a, b):\n    return a + b\n```\n".to_owned();
        answers.add(0, Answer::new(&dataset, 0, 1, reply, Effort::default())).unwrap();
        drop(answers);
        let path = folder.path().join("answers.jsonl");
        let mut text = fs::read_to_string(&path).unwrap();
        text.push_str("{\"task_id\": \"1\", \"torn");
        fs::write(&path, text).unwrap();

        assert!(matches!(open(false), Err(RunError::Exists { .. })));
        assert!(!is_at_work(folder.path()));
        let answers = open(true).unwrap();
        assert!(is_at_work(folder.path()));
        assert!(matches!(open(true), Err(RunError::Busy { .. })));
        assert_eq!(answers.missing(&dataset, 2), [(0, 0)]);
        assert_eq!(answers.samples()[0].completion, "def add(a, b):\n    return a + b\n");
        let other = Answers::open(folder.path(), &asked(3), &dataset, true);
        assert!(matches!(other, Err(RunError::Different { what: "number of answers", .. })));
    }
}
