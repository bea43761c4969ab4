use super::*;
use crate::effort::Effort;
use crate::run::Manifest;

/// What somebody might write to leave the text.
const HOSTILE: [&str; 9] = [
    "</script><script>alert(1)</script>",
    "</style><img src=x onerror=alert(1)>",
    "\" onclick=\"alert(1)",
    "' autofocus onfocus='alert(1)",
    "</pre></details><!--",
    "<!DOCTYPE html><svg onload=alert(1)>",
    "]]>&lt;b&gt;&#60;",
    "\u{202e}\u{2066}\u{200f}\u{61c}\u{feff}\u{e0041}",
    "\u{0}\u{7}\u{1b}[31m\u{9b}\u{7f}\r",
];

fn record(sample: usize, task_id: &str, verdict: Verdict, text: &str) -> Record {
    Record {
        sample,
        task_id: task_id.into(),
        completion_id: sample,
        verdict,
        detail: text.into(),
        assertion: Some(text.into()),
        fuel: 1_234_567,
        peak_memory: 1 << 20,
        stdout_tail: text.into(),
        stderr_tail: text.into(),
        wall_ms: 1.5,
        run: None,
        effort: None,
    }
}

fn run(records: Vec<Record>, completion: &str) -> Stored {
    Stored {
        folder: "folder".into(),
        manifest: Manifest {
            dataset: "tasks".into(),
            tasks: "0".into(),
            samples: records.len(),
            completions: "1".into(),
            runner: "2".into(),
            fuel: 75_000_000_000,
            memory: 256 << 20,
            seed: 7,
        },
        completions: records.iter().map(|_| completion.to_owned()).collect(),
        records,
        ks: vec![1],
    }
}

/// The tags of a page, without the text between them and without the content of style and script.
fn tags(page: &str) -> Vec<&str> {
    let mut tags = Vec::new();
    let mut rest = page;
    while let Some(begin) = rest.find('<') {
        let end = begin + rest[begin..].find('>').unwrap();
        let tag = &rest[begin..=end];
        tags.push(tag);
        rest = &rest[end + 1..];
        for raw in ["style", "script"] {
            if tag == format!("<{raw}>") {
                rest = &rest[rest.find(&format!("</{raw}>")).unwrap()..];
            }
        }
    }
    tags
}

/// Whatever tasks, models and programs write, the page has the same tags.
#[test]
fn hostile_text_stays_text() {
    let page_of = |text: &str| {
        let mut run = run(vec![record(0, text, Verdict::Failed, text)], text);
        run.manifest.dataset = text.into();
        run.manifest.runner = text.into();
        page(&run)
    };
    let harmless = page_of("x");
    for text in HOSTILE {
        let page = page_of(text);
        assert_eq!(tags(&page), tags(&harmless), "{text:?}");
        assert!(page.contains(&Text(text.lines().next().unwrap()).to_string()), "{text:?}");
        for (place, character) in page.char_indices() {
            let fine = crate::text::is_neutral(character) || "\n\t".contains(character);
            assert!(fine, "{text:?}: {character:?} at {place}");
        }
    }
}

#[test]
fn the_page_is_alone() {
    let page = page(&run(vec![record(0, "T/0", Verdict::Passed, "")], "x = 1\n"));
    let policy = format!(
        "default-src 'none'; style-src {}; script-src {};",
        source_hash(STYLE),
        source_hash(SCRIPT)
    );
    assert!(page.contains(&policy), "{page}");
    assert!(page.contains(&format!("<style>{STYLE}</style>")));
    assert!(page.contains(&format!("<script>{SCRIPT}</script>")));
    for foreign in
        ["http://", "https://", " src=", " href=", " style=", " onclick=", "@import", "url("]
    {
        assert!(!page.contains(foreign), "{foreign}");
    }
    assert!(!SCRIPT.contains("innerHTML") && !SCRIPT.contains("eval"));
    // Every tag that is opened is closed, in order.
    let mut open: Vec<&str> = Vec::new();
    for tag in tags(&page) {
        let name = tag.trim_start_matches(['<', '/']).split([' ', '>', '/']).next().unwrap();
        let alone = ["!doctype", "meta", "input"].contains(&name) || tag.ends_with("/>");
        match tag.starts_with("</") {
            true => assert_eq!(open.pop(), Some(name)),
            false if alone => {}
            false => open.push(name),
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn what_is_shown() {
    let mut second = record(1, "T/1", Verdict::Failed, "AssertionError");
    second.assertion = Some("assert add(1, 2) == 3".into());
    second.stdout_tail = "seen <so> far".into();
    second.effort =
        Some(Effort { calls: Some(3), time_to_solution_ms: Some(12.25), ..Effort::default() });
    let mut shown = run(vec![record(0, "T/0", Verdict::Passed, ""), second], "return a < b\n");
    let whole = page(&shown);
    for text in [
        "1 of 2 samples passed",
        "0.5000",
        "assert add(1, 2) == 3",
        "seen &lt;so&gt; far",
        "return a &lt; b",
        "1,234,567",
        "<dt>calls</dt><dd>3</dd>",
        "What the agent spent on a sample",
        "data-verdicts=\"failed\"",
        "<title>T/1: 0 of 1</title>",
    ] {
        assert!(whole.contains(text), "{text}");
    }
    assert!(!whole.contains("samples are graded"));
    shown.manifest.samples = 3;
    shown.completions.clear();
    shown.records[1].effort = None;
    let part = page(&shown);
    assert!(part.contains("2 of 3 samples are graded"));
    assert!(!part.contains("What the agent spent") && !part.contains("return a"));
}

#[test]
fn odd_values() {
    assert!(page(&run(Vec::new(), "")).contains("0 of 0 samples passed"));
    let mut odd = record(0, "T/0", Verdict::Raised, "");
    (odd.wall_ms, odd.fuel) = (f64::NAN, 0);
    assert!(!page(&run(vec![odd.clone(), odd], "")).contains("inf"));
    assert_eq!([0.0, 0.04, 0.06, 9.97, 1234.5].map(number), ["0", "0", "0.1", "10", "1,234.5"]);
    assert_eq!(number(f64::NAN), "–");
}
