//! What a fresh instance of the Python runner costs: `cargo bench --profile dev --workspace --bench instance`.
//!
//! | row | what is timed |
//! |---|---|
//! | instance and drop | a run that has no fuel: instantiated, stopped at once, dropped |
//! | empty program | the same, and an empty program run to its end |
//! | compile and print | the same with `print(1)` |
//!
//! Each row is the median of many runs on one thread, with the quickest and the 90th percentile.

use std::path::Path;
use std::time::{Duration, Instant};

use june_sandbox::{Cache, Engine, Limits, Program, Runner};

const RUNS: usize = 500;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::var_os("JUNE_COMPONENTS").unwrap_or("../components/dist".into());
    let path = Path::new(&folder).join("python.wasm");
    let runner = Runner::load(&Engine::new()?, &path, &Cache::none())?;
    let (none, plenty) = (Limits { fuel: 1, ..Limits::default() }, Limits::default());
    println!("{:<20} {:>10} {:>10} {:>10}", "", "quickest", "median", "90 %");
    for (name, source, limits) in [
        ("instance and drop", "", &none),
        ("empty program", "", &plenty),
        ("compile and print", "print(1)", &plenty),
    ] {
        let program = Program::python(source);
        let mut times = Vec::with_capacity(RUNS);
        for _ in 0..RUNS {
            let start = Instant::now();
            drop(runner.run(&program, limits, 0).await?);
            times.push(start.elapsed());
        }
        times.sort();
        let at =
            |share: f64| times.get((RUNS as f64 * share) as usize).copied().unwrap_or_default();
        println!("{name:<20} {} {} {}", show(at(0.0)), show(at(0.5)), show(at(0.9)));
    }
    Ok(())
}

fn show(time: Duration) -> String {
    format!("{:>7.3} ms", time.as_secs_f64() * 1e3)
}
