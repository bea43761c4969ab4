//! Runs a Python program in the sandbox and says how it ended:
//! `cargo run -p june-sandbox --example run -- components/dist/python.wasm PROGRAM.py [CHECKS.py]`

use std::io::Write;

use june_sandbox::{Cache, Engine, Limits, Program, Runner};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let runner = arguments.next().ok_or("name the runner component")?;
    let source = std::fs::read_to_string(arguments.next().ok_or("name a program")?)?;
    let checks = arguments.next().map(std::fs::read_to_string).transpose()?;
    let program = Program { source, checks, ..Program::default() };

    let cache = Cache::new(std::env::temp_dir().join("june-example"));
    let runner = Runner::load(&Engine::new()?, runner.as_ref(), &cache)?;
    let outcome = runner.run(&program, &Limits::default(), 0).await?;

    std::io::stdout().write_all(&outcome.stdout.bytes)?;
    std::io::stderr().write_all(&outcome.stderr.bytes)?;
    eprintln!("{:?}, {} fuel, {:?}", outcome.exit, outcome.fuel, outcome.wall);
    Ok(())
}
