//! `june eval compare`: which of two runs is better.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use june_benchmarks::comparison::{self, Change, Comparison, Side, Test};
use june_benchmarks::run::Stored;

use crate::exit::{Blame, Failure, print};
use crate::words::{neutral, one_line};

/// How many tasks are listed for each side.
const LISTED: usize = 20;

/// Compare two runs over the same tasks: which is better, where, and may it be chance?
///
/// The difference in pass@1 has a 95 % interval, a paired bootstrap over tasks. The p-value says
/// how often chance alone would make so large a difference: with one sample for each task by the
/// exact McNemar test, with several by a permutation test over tasks.
#[derive(Args)]
pub(super) struct Compare {
    /// The first run's folder.
    #[arg(value_name = "A")]
    first: PathBuf,
    /// The second run's folder.
    #[arg(value_name = "B")]
    second: PathBuf,
    /// Compare the tasks that both runs have, matched by name, whatever else they have.
    #[arg(long)]
    common: bool,
    /// Print the comparison as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(command: &Compare) -> Result<ExitCode, Failure> {
    let Compare { first, second, common, json } = command;
    let (a, b) = (Stored::read(first).input()?, Stored::read(second).input()?);
    let comparison = comparison::compare(&a, &b, *common).input()?;
    if *json {
        let text = serde_json::to_string_pretty(&comparison).environment()?;
        print(&format!("{text}\n"))?;
    } else {
        print(&table(&comparison, first, second))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The comparison, for people.
fn table(comparison: &Comparison, first: &Path, second: &Path) -> String {
    let Comparison { a, b, tasks, difference, p_value, gained, lost, .. } = comparison;
    let mut text = String::new();
    for (name, side, folder) in [("A", a, first), ("B", b, second)] {
        let Side { dataset, samples, passed, pass_at_1 } = side;
        let _ = writeln!(
            text,
            "{name}  pass@1 {pass_at_1:.4}  {passed} of {samples} samples passed  {}  {}",
            one_line(dataset, 40),
            neutral(&folder.display().to_string(), false),
        );
    }
    let _ = writeln!(
        text,
        "\nB less A    {:+.4}  (95 % interval {:+.4} to {:+.4}, over {tasks} tasks)",
        difference.value, difference.low, difference.high
    );
    let test = match comparison.test {
        Test::Mcnemar => "exact McNemar test",
        Test::Permutation => "permutation test over tasks",
    };
    let p_value = match *p_value {
        tiny if tiny < 1e-4 => format!("{tiny:.1e}"),
        other => format!("{other:.4}"),
    };
    let _ = writeln!(text, "p-value     {p_value}  ({test})");
    if comparison.left_out > 0 {
        let _ =
            writeln!(text, "left out    {} tasks that only one of them has", comparison.left_out);
    }
    if !comparison.same_tasks {
        text += "note        the data sets differ: tasks are matched by their names alone\n";
    }
    list(&mut text, "B passes more of", gained);
    list(&mut text, "A passes more of", lost);
    text
}

fn list(text: &mut String, what: &str, changes: &[Change]) {
    if changes.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n{what} {} tasks:", changes.len());
    for Change { task_id, a, b } in changes.iter().take(LISTED) {
        let _ = writeln!(text, "  {:<24} A {a:.2}  B {b:.2}", one_line(task_id, 60));
    }
    if changes.len() > LISTED {
        let _ = writeln!(text, "  … and {} more: see --json", changes.len() - LISTED);
    }
}
