//! A strategy for work of several steps: it thinks, plans, carries the plan out with tools, and
//! reflects on what came of it, a bounded number of times.
//!
//! Every step but the carrying out is a question beside the conversation, whose answer is read
//! leniently: a model that ignores it ends up in the plain loop of asking and calling tools.

pub mod answers;

#[cfg(target_arch = "wasm32")]
mod strategy {
    use june_sdk::reply::{self, Stage};
    use june_sdk::{Chat, Reply, Strategy, StrategyError, Turn, note, strategy};

    use crate::answers::{Plan, objection, plan, takes_steps};

    /// Rounds of tools in each attempt.
    const ROUNDS: u32 = 12;

    /// How often an answer may be revised.
    const REVISIONS: u32 = 2;

    /// The most tokens for a decision. A model that is still reasoning then needs no plan from
    /// outside.
    const DECISION: u32 = 512;

    struct Deliberate;

    impl Strategy for Deliberate {
        fn respond(turn: Turn) -> Result<String, StrategyError> {
            let mut chat = Chat::new(turn)?.with_granted_tools();
            if !decide(&mut chat) {
                return chat.work(ROUNDS, reply::say)?.conclude();
            }
            let plan = think_and_plan(&mut chat);
            if !plan.steps.is_empty() {
                chat.tell(&format!("{}\n{}", include_str!("prompts/execute.md"), plan.numbered()));
            }
            let mut answer = chat.work(ROUNDS, |_| {})?;
            for _ in 0..REVISIONS {
                let Some(why) = reflect(&mut chat, &answer) else { break };
                chat.tell(&format!("{}\n{why}", include_str!("prompts/revise.md")));
                match chat.work(ROUNDS, |_| {}) {
                    Ok(better) if better.conclude().is_ok() => answer = better,
                    // What there is may be better than nothing.
                    Ok(_) | Err(_) => break,
                }
            }
            let ending = answer.conclude()?;
            Ok(answer.text + &ending)
        }
    }

    strategy!(Deliberate);

    fn decide(chat: &mut Chat) -> bool {
        let most = chat.request.max_tokens.replace(DECISION);
        let decided = chat.ask_aside(include_str!("prompts/decide.md"));
        chat.request.max_tokens = most;
        let steps = decided.is_ok_and(|reply| takes_steps(&reply.text));
        let text =
            if steps { "This takes several steps." } else { "This can be answered directly." };
        note(Stage::Think, text);
        steps
    }

    fn think_and_plan(chat: &mut Chat) -> Plan {
        let mut question = include_str!("prompts/plan.md").to_owned();
        if !chat.request.tools.is_empty() {
            question.push_str("\nThe tools that there are:\n");
        }
        for tool in &chat.request.tools {
            question.push_str(&format!("- {}: {}\n", tool.name, tool.description));
        }
        let plan = chat.ask_aside(&question).map(|reply| plan(&reply.text)).unwrap_or_default();
        if !plan.thoughts.is_empty() {
            note(Stage::Think, plan.thoughts.as_str());
        }
        if !plan.steps.is_empty() {
            note(Stage::Plan, plan.numbered());
        }
        plan
    }

    /// What has to change about the answer, if anything.
    fn reflect(chat: &mut Chat, answer: &Reply) -> Option<String> {
        // What broke off, or is missing, no reflection will mend.
        if answer.cut.is_some() || answer.text.trim().is_empty() {
            return None;
        }
        let judged = chat.ask_aside(include_str!("prompts/reflect.md")).ok()?;
        let why = objection(&judged.text);
        note(Stage::Reflect, why.as_deref().unwrap_or("The answer is good."));
        why
    }
}
