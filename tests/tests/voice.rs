//! Voice messages, end to end: the built `june`, doubles of Telegram and Discord, espeak-ng, and
//! ears that are a double of a speech server, for there are no trained weights of Whisper here.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use june_chat_doubles::{DiscordDouble, TelegramDouble};
use june_tests::server::{LISTEN, Server, serve};
use june_tests::{PythonServer, ears, fixture, has, json_lines, june, python, run};
use serde_json::{Value, json};
use tempfile::TempDir;

const QUESTION: &str = "What is six times seven?";

const ANSWERS: &str = r#"
    [[answer]]
    when = { text = "six times seven" }
    text = ["It is forty-two. ", "Ask me **anything** else."]

    [[answer]]
    text = ["I heard nothing of numbers."]
"#;

/// A folder with a configuration for a bot on Telegram.
fn folder(telegram: &TelegramDouble) -> TempDir {
    with_bot(&format!("[telegram]\nserver = \"{}\"\npeople = [\"7\"]\n", telegram.url()))
}

/// A folder with a configuration for a bot.
fn with_bot(bot: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("answers.toml"), ANSWERS).unwrap();
    let config = format!(
        "[chats]\nstore = \"chats.db\"\n{bot}\
         [stt]\nbackend = \"openai\"\nurl = \"{}\"\nmodel = \"whisper-1\"\n",
        ears(QUESTION)
    );
    fs::write(folder.path().join("june.toml"), config).unwrap();
    folder
}

/// The bot, running.
struct Bot(Child);

impl Bot {
    fn telegram(folder: &Path) -> Bot {
        Bot::start(folder, "telegram", "TELEGRAM_TOKEN", TelegramDouble::TOKEN)
    }

    fn start(folder: &Path, platform: &str, variable: &str, token: &str) -> Bot {
        let mut command = june(folder);
        command.args([platform, "--script", "answers.toml"]).env(variable, token);
        Bot(command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap())
    }

    /// Kills it, and returns what it said on standard error.
    fn kill(mut self) -> String {
        self.0.kill().unwrap();
        let mut text = String::new();
        self.0.stderr.take().unwrap().read_to_string(&mut text).unwrap();
        self.0.wait().unwrap();
        text
    }
}

impl Drop for Bot {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Waits for something that must happen; the machine may be busy.
#[track_caller]
fn wait_for(what: &str, mut happened: impl FnMut() -> bool) {
    let start = Instant::now();
    while !happened() {
        assert!(start.elapsed() < Duration::from_secs(60), "{what} did not happen");
        thread::sleep(Duration::from_millis(20));
    }
}

/// A spoken question, as Telegram sends it.
fn question(test: &str, folder: &Path) -> Option<Vec<u8>> {
    let wav = fixture(test, "models/weather_question.wav")?;
    if !has(test, "ffmpeg") {
        return None;
    }
    let ogg = folder.join("question.ogg");
    let mut command = Command::new("ffmpeg");
    command.args(["-loglevel", "error", "-i"]).arg(wav);
    run(command.args(["-c:a", "libopus", "-b:a", "24k"]).arg(&ogg)).with(0);
    Some(fs::read(ogg).unwrap())
}

/// How long a sound file plays, as ffprobe says.
fn seconds(file: &Path) -> f64 {
    let mut command = Command::new("ffprobe");
    command.args(["-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0"]).arg(file);
    run(&mut command).with(0).stdout.trim().parse().unwrap()
}

#[test]
fn a_spoken_question_is_answered_aloud() {
    let test = "a_spoken_question_is_answered_aloud";
    if !has(test, "espeak-ng") {
        return;
    }
    let telegram = TelegramDouble::start();
    let folder = folder(&telegram);
    let Some(ogg) = question(test, folder.path()) else { return };
    let bot = Bot::telegram(folder.path());
    telegram.push_voice(7, ogg, 2);
    wait_for("a voice message", || telegram.sent().iter().any(|sent| sent.voice.is_some()));

    let sent = telegram.sent();
    let texts: Vec<&str> =
        sent.iter().filter(|sent| sent.voice.is_none()).map(|s| &*s.text).collect();
    assert!(texts.iter().any(|text| text.contains("It is forty-two.")), "{texts:?}");
    assert!(texts.iter().any(|text| text.contains(QUESTION)), "what was heard is shown: {texts:?}");
    let voice = sent.iter().find_map(|sent| sent.voice.as_ref()).unwrap();
    let spoken = folder.path().join("spoken.ogg");
    fs::write(&spoken, &voice.0).unwrap();
    let plays = seconds(&spoken);
    assert!((1.0..20.0).contains(&plays), "{plays} s");
    assert!((plays - voice.1 as f64).abs() <= 1.0, "{plays} s, said to be {}", voice.1);
    wait_for("the end of the turn", || {
        run(june(folder.path()).args(["history", "--json"])).stdout.contains("\"state\":\"done\"")
    });
    let told = bot.kill();
    assert!(!told.contains(TelegramDouble::TOKEN), "{told}");

    // The history says what was heard and what was sent.
    let history = run(june(folder.path()).args(["history", "--json"])).with(0);
    let row: Value = serde_json::from_str(history.stdout.trim()).unwrap();
    assert_eq!(row["heard"], QUESTION);
    assert!(row["sent"].to_string().contains("It is forty-two."), "{row}");
    let history = run(june(folder.path()).arg("history")).with(0);
    assert!(history.stdout.contains(&format!("> [voice] {QUESTION}")), "{history}");

    // So does the journal: the turn, with its stages, and the agent's run within it.
    let listed = run(june(folder.path()).args(["journal", "list", "--json"])).with(0);
    assert!(listed.stdout.contains("\"world\":\"chat\""), "{listed}");
    assert!(listed.stdout.contains("\"world\":\"strategy\""), "{listed}");
    run(june(folder.path()).args(["journal", "verify"])).with(0);
    let replayed = run(june(folder.path()).args(["journal", "replay", "--all"])).with(0);
    assert!(replayed.stdout.contains("identical"), "{replayed}");
    let all = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    for path in all.filter(|path| path.is_file()) {
        let bytes = fs::read(&path).unwrap();
        let token = TelegramDouble::TOKEN.as_bytes();
        assert!(!bytes.windows(token.len()).any(|part| part == token), "{}", path.display());
    }
}

#[test]
fn discord_hears_and_speaks_too() {
    let test = "discord_hears_and_speaks_too";
    if !has(test, "espeak-ng") {
        return;
    }
    let discord = DiscordDouble::start();
    let server = discord.url();
    let folder = with_bot(&format!("[discord]\nserver = \"{server}\"\npeople = \"everyone\"\n"));
    let Some(ogg) = question(test, folder.path()) else { return };
    let bot = Bot::start(folder.path(), "discord", "DISCORD_TOKEN", DiscordDouble::TOKEN);
    wait_for("a connection", || !discord.connections().0.is_empty());
    discord.push_voice(70, ogg, 2.0);
    wait_for("a voice message", || discord.sent().iter().any(|sent| sent.voice.is_some()));
    let sent = discord.sent();
    assert!(sent.iter().any(|sent| sent.text.contains("It is forty-two.")), "{sent:?}");
    let (spoken, said, waveform) = sent.iter().find_map(|sent| sent.voice.clone()).unwrap();
    let file = folder.path().join("spoken.ogg");
    fs::write(&file, &spoken).unwrap();
    assert!((seconds(&file) - said).abs() < 0.2 && !waveform.is_empty());
    let told = bot.kill();
    assert!(!told.contains(DiscordDouble::TOKEN), "{told}");
    let history = run(june(folder.path()).args(["history", "--platform", "discord"])).with(0);
    assert!(history.stdout.contains(&format!("> [voice] {QUESTION}")), "{history}");
}

#[test]
fn whoever_has_the_code_may_speak_and_nobody_else() {
    let telegram = TelegramDouble::start();
    let folder = folder(&telegram);
    let code = run(june(folder.path()).args(["telegram", "pair"])).with(0).stdout;
    let bot = Bot::telegram(folder.path());
    telegram.push_text(8, "What is six times seven?");
    wait_for("a refusal", || telegram.sent().len() == 1);
    assert!(!telegram.sent()[0].text.contains("forty-two"));
    telegram.push_text(8, code.trim());
    wait_for("a welcome", || telegram.sent().len() == 2);
    telegram.push_text(8, "What is six times seven?");
    wait_for("an answer", || telegram.sent().iter().any(|sent| sent.text.contains("forty-two")));
    drop(bot);
    let people = run(june(folder.path()).args(["telegram", "people"])).with(0);
    assert!(people.stdout.starts_with("8 "), "{people}");
    run(june(folder.path()).args(["telegram", "forget", "8"])).with(0);
    run(june(folder.path()).args(["telegram", "forget", "8"])).with(1);
}

#[test]
fn a_bot_without_a_token_or_with_a_wrong_one_says_so() {
    let telegram = TelegramDouble::start();
    let folder = folder(&telegram);
    let mut command = june(folder.path());
    command.arg("telegram").env_remove("TELEGRAM_TOKEN");
    run(&mut command).with(2).says("TELEGRAM_TOKEN is not set").says("hint: @BotFather");
    let mut command = june(folder.path());
    command.args(["telegram", "--script", "answers.toml"]).env("TELEGRAM_TOKEN", "1:wrong");
    let ended = run(&mut command).with(3);
    assert!(!ended.stderr.contains("1:wrong"), "{ended}");
}

#[test]
fn the_whole_way_can_be_tried_without_a_bot() {
    let test = "the_whole_way_can_be_tried_without_a_bot";
    if !has(test, "espeak-ng") {
        return;
    }
    let telegram = TelegramDouble::start();
    let folder = folder(&telegram);
    let Some(_) = question(test, folder.path()) else { return };
    let mut command = june(folder.path());
    command.args(["voice", "try", "question.ogg", "--script", "answers.toml", "--json"]);
    let tried = run(&mut command).with(0).json();
    assert_eq!(tried["heard"], QUESTION);
    assert!(tried["answer"].as_str().unwrap().contains("It is forty-two."), "{tried}");
    assert!(tried["milliseconds"]["hear"].as_f64().unwrap() > 0.0, "{tried}");
    let plays = seconds(&folder.path().join("answer.ogg"));
    assert!((1.0..20.0).contains(&plays), "{plays} s");
}

/// Whisper's real code with weights that were not trained: nothing sensible is heard, and the way
/// goes on to an answer in words.
#[test]
fn whisper_listens_in_this_process() {
    let test = "whisper_listens_in_this_process";
    let files: Option<Vec<PathBuf>> =
        ["for-tests-ggml-tiny.bin", "for-tests-silero-v6.2.0-ggml.bin", "weather_question.wav"]
            .iter()
            .map(|name| fixture(test, &format!("models/{name}")))
            .collect();
    let Some(files) = files else { return };
    let [model, vad, wav] = &files[..] else { unreachable!() };
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("answers.toml"), ANSWERS).unwrap();
    let config = format!(
        "[stt]\nbackend = \"whisper\"\nmodel = \"{}\"\nvad = \"{}\"\n[tts]\nbackend = \"none\"\n",
        fs::canonicalize(model).unwrap().display(),
        fs::canonicalize(vad).unwrap().display()
    );
    fs::write(folder.path().join("june.toml"), config).unwrap();
    let mut command = june(folder.path());
    command.args(["voice", "try", "--script", "answers.toml", "--json"]).arg(wav);
    // There is nothing to answer.
    let tried = run(&mut command).with(1).json();
    assert!(!tried["answer"].as_str().unwrap().is_empty(), "{tried}");
    assert!(tried["milliseconds"]["hear"].as_f64().unwrap() > 0.0, "{tried}");
}

/// A span that a collector was sent.
#[track_caller]
fn span<'a>(spans: &'a [Value], name: &str) -> &'a Value {
    let found: Vec<&Value> = spans.iter().filter(|span| span["name"] == name).collect();
    assert_eq!(found.len(), 1, "`{name}` among {spans:#?}");
    found[0]
}

/// One trace leads from a voice message to the answer that was spoken, and it does not say what
/// was said.
#[test]
fn a_voice_message_is_one_trace() {
    let test = "a_voice_message_is_one_trace";
    let python = python(test, "JUNE_TEST_PYTHON", "opentelemetry-proto");
    let (Some(python), true) = (python, has(test, "espeak-ng")) else { return };
    let telegram = TelegramDouble::start();
    let folder = folder(&telegram);
    let Some(ogg) = question(test, folder.path()) else { return };
    let file = folder.path().join("spans.jsonl");
    let collector = PythonServer::start(python, "tests/otlp/receive.py", [&file]);
    fs::write(
        folder.path().join("answers.toml"),
        r#"
        [[answer]]
        when = { text = "six times seven" }
        calls = [{ name = "calculator", arguments = { expression = "6 * 7" } }]

        [[answer]]
        when = { result = "42" }
        text = ["It is forty-two. ", "Ask me **anything** else."]
        "#,
    )
    .unwrap();
    let config = fs::read_to_string(folder.path().join("june.toml")).unwrap();
    let config = config.replace("[chats]\n", "[chats]\nagents = [\"helper\"]\n");
    let config = format!(
        "[serve]\n{LISTEN}\nbots = [\"telegram\"]\n[serve.traces]\nurl = \"http://127.0.0.1:{}\"\n\
         headers = {{ authorization = \"COLLECTOR\" }}\n{config}\
         [agent.helper]\nstrategy = \"deliberate\"\ntools = [\"calculator\"]\n",
        collector.port
    );
    fs::write(folder.path().join("june.toml"), config).unwrap();
    let mut command = serve(folder.path());
    command.args(["--script", "answers.toml"]).env("TELEGRAM_TOKEN", TelegramDouble::TOKEN);
    let mut server = Server::start(command.env("COLLECTOR", "Bearer collector-secret"));
    telegram.push_voice(7, ogg, 2);
    wait_for("a voice message", || telegram.sent().iter().any(|sent| sent.voice.is_some()));
    // What it has not sent yet, it sends before it ends.
    server.signal("TERM");
    assert_eq!(server.wait(), Some(0), "{}", server.said());

    let spans = json_lines(&file);
    let turn = span(&spans, "turn telegram");
    assert_eq!((&turn["parent"], &turn["service"]), (&json!(""), &json!("june")));
    assert_eq!(turn["attributes"]["gen_ai.conversation.id"], "telegram/7");
    assert!(spans.iter().all(|span| span["trace"] == turn["trace"]), "{spans:#?}");
    let below = |parent: &Value, name: &str| {
        let span = span(&spans, name);
        assert_eq!(span["parent"], parent["id"], "{name}");
        assert!(span["start"].as_u64() >= parent["start"].as_u64(), "{name}");
        assert!(span["end"].as_u64() <= parent["end"].as_u64(), "{name}");
        span
    };
    for stage in ["wait", "download", "hear", "agent", "encode", "upload", "delivery"] {
        below(turn, stage);
    }
    let spoken = spans.iter().filter(|span| span["name"] == "speak");
    assert!(spoken.clone().count() >= 1 && spoken.clone().all(|s| s["parent"] == turn["id"]));
    let invoked = below(span(&spans, "agent"), "invoke_agent helper");
    let attributes = &invoked["attributes"];
    assert_eq!(attributes["gen_ai.operation.name"], "invoke_agent");
    assert_eq!(attributes["gen_ai.agent.name"], "helper");
    assert!(attributes["june.fuel"].as_u64().unwrap() > 0);
    let tool = &below(invoked, "execute_tool calculator")["attributes"];
    assert_eq!(tool["gen_ai.operation.name"], "execute_tool");
    assert_eq!(tool["gen_ai.tool.name"], "calculator");
    let asked: Vec<&Value> = spans.iter().filter(|span| span["name"] == "chat scripted").collect();
    // It plans, calls the tool, and answers.
    assert_eq!(asked.len(), 3, "{spans:#?}");
    for asked in &asked {
        assert_eq!((&asked["parent"], asked["kind"].as_u64()), (&invoked["id"], Some(3)));
        let attributes = &asked["attributes"];
        assert_eq!(attributes["gen_ai.operation.name"], "chat");
        assert_eq!(attributes["gen_ai.provider.name"], "scripted");
        assert_eq!(attributes["gen_ai.request.model"], "scripted");
        assert!(attributes["gen_ai.usage.input_tokens"].is_u64(), "{attributes}");
        assert!(attributes["gen_ai.usage.output_tokens"].is_u64(), "{attributes}");
        assert!(attributes["gen_ai.response.finish_reasons"].is_array(), "{attributes}");
    }
    assert!(spans.iter().all(|span| span["status"] != 2), "{spans:#?}");
    // The journal's runs are found by the trace.
    let number = attributes["june.run"].as_u64().unwrap().to_string();
    let mut command = june(folder.path());
    let shown = run(command.args(["journal", "show", &number])).with(0);
    assert!(shown.stdout.contains("deliberate"), "{shown}");
    let text = fs::read_to_string(&file).unwrap();
    for said in ["six times", "forty-two", "6 * 7", TelegramDouble::TOKEN] {
        assert!(!text.contains(said), "{said}: {text}");
    }
    assert!(!server.said().contains("collector-secret"), "{}", server.said());
}
