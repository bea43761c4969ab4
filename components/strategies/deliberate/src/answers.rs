//! Reading what a model answers to questions about its own work, however it puts it.

/// More steps than this are left out.
const MOST_STEPS: usize = 8;

/// What a model thinks of a request, and what it means to do.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// What was said before the first step.
    pub thoughts: String,
    /// What to do, in order.
    pub steps: Vec<String>,
}

impl Plan {
    /// The steps, one numbered line each.
    #[must_use]
    pub fn numbered(&self) -> String {
        let lines = self.steps.iter().enumerate();
        let lines: Vec<_> = lines.map(|(index, step)| format!("{}. {step}", index + 1)).collect();
        lines.join("\n")
    }
}

/// Whether the model decided for several steps. The last word counts: some reason aloud first.
#[must_use]
pub fn takes_steps(text: &str) -> bool {
    words(spoken(text)).rfind(|word| matches!(word.as_str(), "STEPS" | "ANSWER"))
        == Some("STEPS".into())
}

/// The plan in a text: its numbered lines, or its list where there are none.
#[must_use]
pub fn plan(text: &str) -> Plan {
    let text = spoken(text);
    let read = |item: fn(&str) -> Option<&str>| -> Option<Plan> {
        let first = text.lines().position(|line| item(line).is_some())?;
        let thoughts = text.lines().take(first).map(plain).filter(|line| !is_heading(line));
        let steps = text.lines().filter_map(item).map(plain).filter(|step| !step.is_empty());
        Some(Plan {
            thoughts: thoughts.collect::<Vec<_>>().join(" ").trim().into(),
            steps: steps.take(MOST_STEPS).collect(),
        })
    };
    read(numbered)
        .or_else(|| read(listed))
        .unwrap_or_else(|| Plan { thoughts: text.trim().into(), steps: Vec::new() })
}

/// What the model wants changed about its answer; nothing when it is content or says neither.
#[must_use]
pub fn objection(text: &str) -> Option<String> {
    let text = spoken(text);
    let verdict = words(text).find(|word| matches!(word.as_str(), "DONE" | "REVISE"))?;
    if verdict == "DONE" {
        return None;
    }
    // ASCII letters keep their places.
    let at = text.to_ascii_uppercase().find("REVISE")? + "REVISE".len();
    let why = text[at..].trim_matches(|letter: char| !letter.is_alphanumeric() && letter != '.');
    (!why.is_empty()).then(|| why.into())
}

/// The text without reasoning that was written into it.
fn spoken(text: &str) -> &str {
    text.rsplit_once("</think>").map_or(text, |(_, rest)| rest)
}

fn words(text: &str) -> impl DoubleEndedIterator<Item = String> {
    let words = text.split(|letter: char| !letter.is_alphanumeric());
    words.filter(|word| !word.is_empty()).map(str::to_uppercase)
}

/// What follows `1.`, `2)` or `Step 3:`.
fn numbered(line: &str) -> Option<&str> {
    let line = line.trim_start_matches([' ', '\t', '*', '#', '-']);
    let line = line.strip_prefix("Step ").or(line.strip_prefix("step ")).unwrap_or(line);
    let rest = line.trim_start_matches(|digit: char| digit.is_ascii_digit());
    let digits = line.len() - rest.len();
    let rest = rest.trim_start_matches('*');
    ((1..=2).contains(&digits) && rest.starts_with(['.', ')', ':'])).then(|| &rest[1..])
}

/// What follows `-`, `*` or `•`.
fn listed(line: &str) -> Option<&str> {
    let line = line.trim_start();
    line.strip_prefix("- ").or(line.strip_prefix("* ")).or(line.strip_prefix("• "))
}

fn plain(text: &str) -> String {
    text.trim_matches(|letter: char| letter.is_whitespace() || matches!(letter, '*' | '#')).into()
}

fn is_heading(line: &str) -> bool {
    let line = line.trim_end_matches(':').to_lowercase();
    line.is_empty()
        || matches!(line.as_str(), "plan" | "the plan" | "steps" | "here is the plan" | "thoughts")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decisions_are_read_leniently() {
        for yes in [
            "STEPS",
            "steps.",
            "**STEPS**",
            "I could ANSWER, but: STEPS",
            "<think>ANSWER?</think>\nSteps",
        ] {
            assert!(takes_steps(yes), "{yes}");
        }
        for no in [
            "ANSWER",
            "",
            "No steps needed: ANSWER",
            "Hello!",
            "footsteps",
            "<think>STEPS</think>ANSWER",
        ] {
            assert!(!takes_steps(no), "{no}");
        }
    }

    #[test]
    fn plans_are_read_leniently() {
        let expected = Plan {
            thoughts: "The person wants X.".into(),
            steps: vec!["Look it up".into(), "Answer".into()],
        };
        for text in [
            "The person wants X.\n1. Look it up\n2. Answer",
            "The person wants X.\n\n**Plan:**\n\n1) Look it up\n2) **Answer**\n",
            "<think>1. no</think>The person wants X.\n## Plan\nStep 1: Look it up\nStep 2: Answer",
            "The person wants X.\n- Look it up\n- Answer",
            "The person wants X.\n**1.** Look it up\n   - a detail\n**2.** Answer",
        ] {
            assert_eq!(plan(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_plan_is_a_thought() {
        let read = plan("It is 1998. In 2.5 hours all is over.");
        assert_eq!(
            read,
            Plan { thoughts: "It is 1998. In 2.5 hours all is over.".into(), steps: vec![] }
        );
        assert_eq!(plan(""), Plan::default());
        assert_eq!(plan(&"1. again\n".repeat(50)).steps.len(), MOST_STEPS);
    }

    #[test]
    fn verdicts_are_read_leniently() {
        assert_eq!(objection("DONE"), None);
        assert_eq!(objection("Done. Nothing to revise."), None);
        assert_eq!(objection(""), None);
        assert_eq!(objection("Looks fine to me"), None);
        assert_eq!(objection("REVISE"), None);
        assert_eq!(objection("REVISE: name the city.").as_deref(), Some("name the city."));
        assert_eq!(objection("**Revise**: name it").as_deref(), Some("name it"));
        assert_eq!(objection("Müßig. REVISE — the sum is 5").as_deref(), Some("the sum is 5"));
    }
}
