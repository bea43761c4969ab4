//! Finding runs.
//!
//! A choice of one kind is looked up in an index of SQLite's. Words, and several choices at once, are
//! looked up in `found`, which knows for each three letters which runs have them somewhere: what all
//! letters of a choice lead to is then looked at itself. So the time grows with what is rare, and not
//! with the journal.

use std::collections::BTreeSet;

use anyhow::Result;
use rusqlite::types::Value;
use rusqlite::{Transaction, params, params_from_iter};

use super::{Index, Outcome, Run, SPAN, run_of_row, sql};

/// Which runs to list.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    /// Each is in the name, the session, the world, the outcome or its detail, in any case, or is
    /// the beginning of the component's digest, or the number of the run.
    pub(crate) words: Vec<String>,
    /// Milliseconds of Unix time, the first and the last.
    pub(crate) since: Option<u64>,
    pub(crate) until: Option<u64>,
    /// The beginning of the component's digest, or its name.
    pub(crate) component: Option<String>,
    pub(crate) session: Option<String>,
    pub(crate) world: Option<String>,
    pub(crate) outcome: Option<Outcome>,
    /// With calls that were denied (`true`), or allowed (`false`).
    pub(crate) denied: Option<bool>,
    /// Of a smaller number.
    pub(crate) before: Option<u64>,
    pub(crate) limit: Option<u64>,
}

/// How many digits of a component's digest `found` has.
const DIGITS: usize = 8;

/// What `found` has for a run with calls that were denied: no word is like it.
const DENIED: &str = "\u{1}\u{1}\u{1}";

/// What `found` has for no run, or hardly any.
const NOTHING: &str = "\u{2}\u{2}\u{2}";

/// So many threes of letters have a beginning that is everywhere.
const MANY: usize = 256;

/// A question to SQLite.
#[derive(Default)]
struct Question {
    conditions: Vec<String>,
    values: Vec<Value>,
    /// What the run's number is compared with.
    bounds: Vec<(&'static str, Value)>,
    /// What is asked of `found`, and how many choices it narrows.
    terms: Vec<String>,
    choices: usize,
}

impl Question {
    fn and(&mut self, condition: &str, values: impl IntoIterator<Item = Value>) {
        self.conditions.push(condition.into());
        self.values.extend(values);
    }

    /// A choice that `found` can narrow.
    fn narrow(&mut self, term: Option<String>) {
        self.choices += 1;
        self.terms.extend(term);
    }
}

impl Index {
    /// The newest runs that a filter lets through, the newest first.
    pub(crate) fn runs(&self, filter: &Filter) -> Result<Vec<Run>> {
        let mut question = Question::default();
        if let Some(session) = &filter.session {
            question.and("session = ?", [session.clone().into()]);
            question.narrow(trigrams(&folded(session)));
        }
        if let Some(world) = &filter.world {
            question.and("world = ?", [world.clone().into()]);
            question.narrow(trigrams(world));
        }
        if let Some(outcome) = filter.outcome {
            question.and("outcome = ?", [outcome.name().to_owned().into()]);
            question.narrow(trigrams(outcome.name()));
        }
        let hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let mut search = !filter.words.is_empty();
        match &filter.component {
            Some(digest) if digest.len() >= 4 && hex(digest) => {
                let digest = digest.to_lowercase();
                question.and("component GLOB ?", [format!("{digest}*").into()]);
                question.narrow(trigrams(&digest[..digest.len().min(DIGITS)]));
                search = true;
            }
            Some(name) => {
                question.and("name = ?", [name.clone().into()]);
                question.narrow(trigrams(&folded(name)));
            }
            None => {}
        }
        match filter.denied {
            Some(true) => {
                question.and("(denied > 0) = 1", []);
                question.narrow(trigrams(DENIED));
            }
            Some(false) => question.and("allowed > 0", []),
            None => {}
        }
        for word in &filter.words {
            let word = folded(word);
            let found = "(instr(runs.text, ?) OR component GLOB ? OR CAST(run AS TEXT) = ?)";
            let digest = if hex(&word) { format!("{word}*") } else { String::new() };
            question.and(found, [word.clone().into(), digest.into(), word.clone().into()]);
            let begins = (hex(&word) && word.len() > DIGITS).then(|| trigrams(&word[..DIGITS]));
            question.narrow(match (trigrams(&word), begins.flatten()) {
                (Some(term), Some(begins)) => Some(format!("({term} OR {begins})")),
                (None, _) => self.beginning_with(&word)?,
                (term, None) => term,
            });
        }
        if let Some(before) = filter.before {
            question.bounds.push(("<", bound(before)));
        }
        if let Some(since) = filter.since {
            question.and("time >= ?", [bound(since)]);
            let first = "SELECT min(span) FROM spans WHERE latest >= ?";
            question.bounds.push((">=", self.edge(first, since, 0)?));
        }
        if let Some(until) = filter.until {
            question.and("time <= ?", [bound(until)]);
            let last = "SELECT max(span) FROM spans WHERE earliest <= ?";
            question.bounds.push(("<", self.edge(last, until, 1)?));
        }

        let search = (search || question.choices > 1) && !question.terms.is_empty();
        let limit = filter.limit.map_or(Value::Integer(-1), bound);
        let mut runs = self.ask(&question, search, &limit)?;
        // A run's number is no word of it.
        let numbers: Vec<Value> =
            filter.words.iter().filter_map(|word| word.parse().ok()).map(bound).collect();
        if search && !numbers.is_empty() {
            let marks = vec!["?"; numbers.len()].join(", ");
            question.and(&format!("run IN ({marks})"), numbers);
            runs.extend(self.ask(&question, false, &limit)?);
            runs.sort_by_key(|run| std::cmp::Reverse(run.run));
            runs.dedup_by_key(|run| run.run);
            runs.truncate(filter.limit.map_or(usize::MAX, |limit| limit as usize));
        }
        Ok(runs)
    }

    /// What to ask `found` for, to have a word of one letter or two: all threes that begin with it;
    /// nothing where these are so many that the word is everywhere.
    fn beginning_with(&self, word: &str) -> Result<Option<String>> {
        let text = "SELECT term FROM letters WHERE term >= ? AND term < ? LIMIT ?";
        let mut statement = self.database.prepare_cached(text)?;
        let end = format!("{word}{}", char::MAX);
        let threes = statement.query_map(params![word, end, MANY as i64], |row| {
            row.get::<_, String>(0).map(|three| quoted(&three))
        })?;
        let threes = threes.collect::<Result<Vec<_>, _>>()?;
        Ok(match threes.len() {
            0 => Some(quoted(NOTHING)),
            MANY => None,
            _ => Some(format!("({})", threes.join(" OR "))),
        })
    }

    /// The first run of the span that is found, so many spans later. Runs begin one after the other,
    /// so few spans are looked at in vain, and none is missed, even if a clock was set back.
    fn edge(&self, text: &str, time: u64, later: i64) -> Result<Value> {
        let span: Option<i64> =
            self.database.prepare_cached(text)?.query_row([bound(time)], |row| row.get(0))?;
        let first = span.map(|span| span.saturating_add(later).saturating_mul(SPAN as i64));
        Ok(first.map_or(Value::Null, Value::Integer))
    }

    fn ask(&self, question: &Question, search: bool, limit: &Value) -> Result<Vec<Run>> {
        let (mut values, from, number) = match search {
            // In this order.
            true => (
                vec![Value::from(question.terms.join(" AND "))],
                "found CROSS JOIN runs ON run = found.rowid WHERE found MATCH ?",
                "found.rowid",
            ),
            false => (Vec::new(), "runs WHERE TRUE", "run"),
        };
        let mut text = format!("SELECT runs.* FROM {from}");
        for condition in &question.conditions {
            text += &format!(" AND {condition}");
        }
        values.extend_from_slice(&question.values);
        for (compared, with) in &question.bounds {
            text += &format!(" AND {number} {compared} ?");
            values.push(with.clone());
        }
        text += &format!(" ORDER BY {number} DESC LIMIT ?");
        values.push(limit.clone());
        let mut statement = self.database.prepare_cached(&text)?;
        let runs = statement.query_map(params_from_iter(values), run_of_row)?;
        Ok(runs.collect::<Result<_, _>>()?)
    }

    /// A run.
    pub(crate) fn run(&self, run: u64) -> Result<Option<Run>> {
        let mut statement = self.database.prepare_cached("SELECT * FROM runs WHERE run = ?")?;
        let mut runs = statement.query_map([sql(run)], run_of_row)?;
        Ok(runs.next().transpose()?)
    }

    /// The runs that a run made, in their order.
    pub(crate) fn children(&self, run: u64) -> Result<Vec<Run>> {
        let text = "SELECT * FROM runs WHERE parent = ? ORDER BY run";
        let mut statement = self.database.prepare_cached(text)?;
        let runs = statement.query_map([sql(run)], run_of_row)?;
        Ok(runs.collect::<Result<_, _>>()?)
    }

    /// The runs of the tree that a run is of, at most so many, in the order of their numbers; and
    /// whether there are more. The run itself and what is above it are never left out.
    pub(crate) fn tree(&self, run: Run, most: usize) -> Result<(Vec<Run>, bool)> {
        let mut above = vec![run];
        while let Some(run) = above.last()
            && let Some(parent) = run.parent.filter(|parent| *parent < run.run)
            && above.len() < most
            && let Some(parent) = self.run(parent)?
        {
            above.push(parent);
        }
        above.reverse();
        let Some(root) = above.first() else { return Ok((above, false)) };
        // The smallest number comes next, so all above it were there before.
        let text = "
            WITH RECURSIVE below (run) AS (
                SELECT ? UNION
                SELECT runs.run FROM below CROSS JOIN runs ON runs.parent = below.run ORDER BY 1
            )
            SELECT runs.* FROM below CROSS JOIN runs ON runs.run = below.run LIMIT ?";
        let mut statement = self.database.prepare_cached(text)?;
        let tree = statement.query_map([sql(root.run), most as i64 + 1], run_of_row)?;
        let mut tree = tree.collect::<Result<Vec<_>, _>>()?;
        let more = tree.len() > most;
        if more {
            let needed: BTreeSet<u64> = above.iter().map(|run| run.run).collect();
            tree.retain(|run| !needed.contains(&run.run));
            tree.truncate(most - above.len());
            tree.append(&mut above);
        }
        tree.sort_by_key(|run| run.run);
        Ok((tree, more))
    }

    /// The newest run's number.
    pub(crate) fn newest(&self) -> Result<Option<u64>> {
        let newest = self
            .database
            .query_row("SELECT max(run) FROM runs", [], |row| row.get::<_, Option<i64>>(0));
        Ok(newest?.map(|run| run as u64))
    }

    /// The runs after this one, in their order.
    pub(crate) fn after(&self, run: Option<u64>) -> Result<Vec<Run>> {
        let mut statement =
            self.database.prepare_cached("SELECT * FROM runs WHERE run > ? ORDER BY run")?;
        let runs = statement.query_map([run.map_or(-1, sql)], run_of_row)?;
        Ok(runs.collect::<Result<_, _>>()?)
    }
}

/// Writes down the words of these runs.
pub(super) fn words(to: &Transaction<'_>, runs: &BTreeSet<u64>) -> Result<()> {
    let mut read = to.prepare_cached(
        "SELECT name, session, detail, world, outcome, component, denied FROM runs WHERE run = ?",
    )?;
    let mut keep = to.prepare_cached("UPDATE runs SET text = ? WHERE run = ?")?;
    let mut find = to.prepare_cached("INSERT OR REPLACE INTO found (rowid, text) VALUES (?, ?)")?;
    for run in runs {
        let found = read.query_map([sql(*run)], |row| {
            let mut text = String::new();
            for column in 0..5 {
                text += &row.get::<_, String>(column)?;
                text.push('\n');
            }
            Ok((text, row.get::<_, String>(5)?, row.get::<_, i64>(6)? > 0))
        })?;
        for found in found {
            let (text, component, denied) = found?;
            let text = folded(&text);
            keep.execute(params![text, sql(*run)])?;
            let marks = if denied { DENIED } else { "" };
            let digits = component.get(..DIGITS).unwrap_or_default();
            find.execute(params![sql(*run), format!("{text}{digits}\n{marks}")])?;
        }
    }
    Ok(())
}

/// A text in the form in which texts are compared. SQLite's functions end at a NUL.
fn folded(text: &str) -> String {
    text.to_lowercase().replace('\0', "\u{fffd}")
}

/// What to ask `found` for: all threes of letters of a text, if it has any.
fn trigrams(text: &str) -> Option<String> {
    let letters: Vec<char> = text.chars().collect();
    let three = |three: &[char]| quoted(&three.iter().collect::<String>());
    let threes: BTreeSet<String> = letters.windows(3).map(three).collect();
    let threes: Vec<String> = threes.into_iter().collect();
    (!threes.is_empty()).then(|| threes.join(" AND "))
}

fn quoted(three: &str) -> String {
    format!("\"{}\"", three.replace('"', "\"\""))
}

/// A number that is compared with those of SQLite, which are smaller than ours may be.
fn bound(number: u64) -> Value {
    Value::Integer(i64::try_from(number).unwrap_or(i64::MAX))
}
