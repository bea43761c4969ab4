//! The description of `june serve`'s API, `/api/openapi.json`, against the server: Schemathesis asks
//! for all that it allows, and for much that it does not.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::process::Command;

use june_tests::server::{Server, configure, serve, token};
use june_tests::{cheap_samples, eval, june, python, run, write_samples};

/// What has to hold of every answer, whatever was asked.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_headers_conformance,response_schema_conformance,\
                      negative_data_rejection,missing_required_header,unsupported_method,ignored_auth";

#[test]
fn the_server_does_what_its_description_says() {
    let test = "the_server_does_what_its_description_says";
    let Some(python) = python(test, "JUNE_TEST_SCHEMATHESIS", "schemathesis") else { return };
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let models = "[model.gone]\nbackend = \"openai\"\nurl = \"http://127.0.0.1:1/v1\"\n";
    configure(folder, &format!("rate = 100000\n{models}"));
    // Something to find: runs, and evaluations that can be compared.
    write_samples(folder, "samples.jsonl", cheap_samples(5));
    for output in ["runs/a", "runs/b"] {
        run(eval(folder, "samples.jsonl").args(["--output", output])).with(0);
    }
    run(june(folder).args(["run", "direct", "Hello", "--script", "answers.toml"])).with(0);
    let server = Server::start(serve(folder).args(["--script", "answers.toml"]));
    let token = token(folder, "admin", &["admin"]);
    server.get("/api/openapi.json", "").with(200);

    let mut command = Command::new(python);
    command
        .current_dir(folder)
        .args(["-m", "schemathesis.cli", "--no-color", "run"])
        .arg(format!("http://{}/api/openapi.json", server.address))
        .args(["--header", &format!("Authorization: Bearer {token}")])
        .args(["--checks", CHECKS, "--phases", "examples,coverage,fuzzing"])
        // It never ends, so there is nothing to wait for.
        .args(["--exclude-path", "/api/live"])
        .args([
            "--max-examples",
            "15",
            "--seed",
            "1",
            "--no-shrink",
            "--generation-database",
            "none",
        ]);
    let ended = run(&mut command);
    assert_eq!(ended.code, Some(0), "{ended}\n{}", server.said());
    assert!(!server.said().contains("panicked"), "{}", server.said());
    server.get("/readyz", "").with(200);
    drop(server);
    run(june(folder).args(["journal", "verify"])).with(0);
}
