//! Asking an agent a benchmark's questions.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::{Result, anyhow};
use futures_util::{StreamExt, stream};
use june_benchmarks::answers::{Answer, Answers, Asked};
use june_benchmarks::dataset::Dataset;
use june_benchmarks::effort::Effort;
use june_benchmarks::prompt::question;
use june_benchmarks::samples::Sample;
use june_sandbox::journal::Digest;
use june_sandbox::{Answered, Authority, Exit, Journal, Origin, Recording, Workspace};
use tokio::runtime::Handle;

use super::{Step, session_of};
use crate::agents::Agent;
use crate::commands::pressed;
use crate::commands::run::{failed, whole};
use crate::exit::{Blame, Failure, Kind};
use crate::notes::Notes;

/// An agent, ready to be asked.
pub(crate) struct Asking {
    pub(crate) agent: Agent,
    /// The digest of all that its answers depend on beside its strategy and its grants.
    pub(crate) settings: Digest,
    /// Answers for each task.
    pub(crate) answers: usize,
    /// Questions at once.
    pub(crate) concurrency: usize,
    /// What waits for the model. It must not be asked from one of the runtime's own threads.
    pub(crate) runtime: Handle,
}

/// What is asked, and where the answers go.
pub(super) struct Questions<'a> {
    pub(super) dataset: &'a Dataset,
    pub(super) folder: &'a Path,
    pub(super) resume: bool,
    pub(super) seed: u64,
    pub(super) journal: Option<&'a Journal>,
}

impl Asking {
    /// Asks for every answer that is not there yet, and returns them all.
    pub(super) fn ask(
        &self,
        questions: &Questions<'_>,
        stop: &Arc<AtomicBool>,
        watch: &mut impl FnMut(Step<'_>),
    ) -> Result<Vec<Sample>, Failure> {
        let Questions { dataset, folder, resume, seed, journal } = *questions;
        let Self { agent, runtime, settings, answers: count, .. } = self;
        let count = *count;
        let asked = Asked {
            dataset: dataset.name.clone(),
            questions: Digest::of_parts(dataset.tasks.iter().map(|task| question(task).user))
                .to_string(),
            agent: agent.name.clone(),
            strategy: agent.strategy.component().digest().to_string(),
            grants: agent.authority.grants.to_texts(),
            settings: settings.to_string(),
            answers: count,
            seed,
        };
        let mut answers = Answers::open(folder, &asked, dataset, resume).input()?;
        let missing = answers.missing(dataset, count);
        watch(Step::Asking { all: dataset.tasks.len() * count, there: answers.len() });
        let session = session_of(folder);
        let mut unanswered: Vec<String> = Vec::new();
        let ended = runtime.block_on(async {
            let asking = stream::iter(missing).map(|(task, id)| {
                let session = &session;
                async move {
                    (task, id, ask_one(agent, dataset, task, id, seed, journal, session).await)
                }
            });
            let mut asking = std::pin::pin!(asking.buffer_unordered(self.concurrency));
            loop {
                let next = tokio::select! {
                    next = asking.next() => next,
                    () = pressed(stop) => {
                        let error = anyhow!(
                            "interrupted with {} answers\nhint: go on with --resume --output {}",
                            answers.len(),
                            folder.display()
                        );
                        return Err(Failure { kind: Kind::Interrupted, error });
                    }
                };
                let Some((task, id, answered)) = next else { return Ok(()) };
                match answered.environment()? {
                    Ok(answer) => answers.add(task, answer).environment()?,
                    Err(why) => {
                        unanswered.push(format!("{} ({id}): {why}", dataset.tasks[task].id));
                    }
                }
                watch(Step::Answered);
            }
        });
        ended?;
        if let Some(first) = unanswered.first() {
            return Err(anyhow!(
                "{} questions have no answer, for the model failed; the first: {first}\nhint: ask again for these with --resume --output {}",
                unanswered.len(),
                folder.display()
            ))
            .environment();
        }
        Ok(answers.samples())
    }
}

/// Asks one question. The inner error is the model's failure, which says nothing of the agent.
async fn ask_one(
    agent: &Agent,
    dataset: &Dataset,
    task: usize,
    id: usize,
    seed: u64,
    journal: Option<&Journal>,
    session: &str,
) -> Result<Result<Answer, String>> {
    let question = question(&dataset.tasks[task]);
    let mut authority = Authority {
        origin: Origin::seeded(seed.wrapping_add(id as u64)),
        ..agent.authority.clone()
    };
    // Each question has files and notes of its own.
    if let Some(memory) = &mut authority.capabilities.memory {
        *memory = Arc::new(Notes::default());
    }
    if let Some(workspace) = &mut authority.capabilities.workspace {
        *workspace = Workspace::new(agent.before.clone());
    }
    let mut turn = agent.turn(Vec::new(), &question.user);
    turn.instructions = match turn.instructions.is_empty() {
        true => question.instructions.into(),
        false => format!("{}\n\n{}", question.instructions, turn.instructions),
    };
    let recording = journal.map(|journal| Recording { journal, session, parent: None });
    let answered = agent.respond(&turn, &authority, recording.as_ref()).await?;
    // What a strategy makes of its limits and of the window is its own doing.
    if let Some(Err(error)) = &answered.answer
        && answered.spent.failures > 0
    {
        return Ok(Err(error.why()));
    }
    if answered.outcome.exit == Exit::TimedOut {
        return Ok(Err("the agent used up its wall-clock time".into()));
    }
    if let (Some(journal), Some((_, last))) = (journal, answered.recorded) {
        let journal = journal.clone();
        tokio::task::spawn_blocking(move || journal.wait(last)).await??;
    }
    // An agent that gives up has answered nothing, or what it had said by then.
    let reply = whole(&answered).unwrap_or_else(|| answered.said.clone());
    let answer = Answer::new(dataset, task, id, reply, effort(&answered));
    Ok(Ok(Answer {
        failure: failed(&answered),
        agent_run: answered.recorded.map(|(run, _last)| run),
        ..answer
    }))
}

fn effort(answered: &Answered) -> Effort {
    let spent = &answered.spent;
    Effort {
        input_tokens: Some(spent.input_tokens),
        output_tokens: Some(spent.output_tokens),
        calls: Some(spent.tools),
        rounds: Some(spent.rounds),
        programs: Some(spent.programs),
        time_to_solution_ms: Some(answered.outcome.wall.as_secs_f64() * 1e3),
        fuel: Some(answered.outcome.fuel),
    }
}
