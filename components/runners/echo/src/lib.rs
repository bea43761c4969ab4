//! The smallest runner component, and what a runner in Rust looks like.
//!
//! A program is a list of commands, one a line, each of which reaches for something that the host
//! bounds:
//!
//! | command | what it does |
//! |---|---|
//! | `print TEXT` | writes a line to standard output |
//! | `read` | copies standard input to standard output |
//! | `clock` | prints the seconds since the Unix epoch |
//! | `sleep SECONDS` | sleeps |
//! | `random N` | draws N random bytes and prints their sum |
//! | `environment` | prints the number of environment variables and of arguments |
//! | `open PATH` | opens a file |
//! | `write N` | hands N bytes to the host in one call |
//! | `allocate N` | allocates and touches N bytes |
//! | `handles N` | holds N handles at once |
//! | `recurse` | calls itself without end |
//! | `loop` | loops without end |
//! | `exit N`, `raise KIND` | ends the program |

#![cfg(target_arch = "wasm32")]

use std::hint::black_box;
use std::io::{self, Write as _};
use std::time::{Duration, SystemTime};

wit_bindgen::generate!({ path: "../../../wit", world: "runner" });

use exports::june::agent::program_handler::Guest;
use june::agent::program_types::{Completion, Exception, Phase, Program};
use wasip2::clocks::monotonic_clock;

struct Echo;

export!(Echo);

impl Guest for Echo {
    fn run(program: Program) -> Completion {
        let lines =
            program.source.lines().chain(program.checks.iter().flat_map(|text| text.lines()));
        for (index, line) in lines.enumerate() {
            let (command, argument) = line.split_once(' ').unwrap_or((line, ""));
            match run(command, argument) {
                Ok(None) => {}
                Ok(Some(completion)) => return completion,
                Err(error) => return raised("Error", &error.to_string(), index),
            }
        }
        Completion::Returned
    }
}

fn run(command: &str, argument: &str) -> io::Result<Option<Completion>> {
    let number = || argument.parse::<u64>().map_err(io::Error::other);
    match command {
        "print" => println!("{argument}"),
        "read" => {
            io::copy(&mut io::stdin(), &mut io::stdout())?;
        }
        "clock" => {
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
            println!("{}", now.map_err(io::Error::other)?.as_secs());
        }
        "sleep" => std::thread::sleep(Duration::from_secs(number()?)),
        "random" => {
            let bytes = wasip2::random::random::get_random_bytes(number()?);
            println!("{}", bytes.iter().map(|byte| u64::from(*byte)).sum::<u64>());
        }
        "environment" => println!("{} {}", std::env::vars().count(), std::env::args().count()),
        "open" => drop(std::fs::File::open(argument)?),
        "write" => {
            let stream = wasip2::cli::stdout::get_stdout();
            stream.write(&vec![b'x'; number()? as usize]).map_err(io::Error::other)?;
        }
        "allocate" => drop(black_box(vec![1u8; number()? as usize])),
        "handles" => {
            let held: Vec<_> = (0..number()?).map(monotonic_clock::subscribe_duration).collect();
            println!("{}", held.len());
        }
        "recurse" => println!("{}", recurse(0)),
        "loop" => loop {
            black_box(0);
        },
        "exit" => return Ok(Some(Completion::Exited(number()? as i32))),
        "raise" => return Ok(Some(raised(argument, "as asked", 0))),
        other => return Err(io::Error::other(format!("no command is named {other}"))),
    }
    io::stdout().flush()?;
    Ok(None)
}

#[expect(unconditional_recursion, reason = "that is its purpose")]
fn recurse(depth: u64) -> u64 {
    let frame = black_box([depth; 64]);
    recurse(frame[0] + 1) + frame[1]
}

fn raised(kind: &str, message: &str, line: usize) -> Completion {
    Completion::Raised(Exception {
        kind: kind.into(),
        message: message.into(),
        phase: Phase::Source,
        line: line as u32 + 1,
        statement: None,
    })
}
