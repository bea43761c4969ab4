//! A program that is given text and writes sound.

use std::ffi::OsString;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;
use tokio::time::timeout;

use crate::SpeechError;

/// How long a program may take for a text.
const TIME: Duration = Duration::from_secs(60);

/// The most that it may write: ten minutes of sound at 24 kHz.
const OUTPUT: u64 = 10 * 60 * 24_000 * 2;

/// The most that is read of what it says to people.
const MESSAGE: u64 = 2_000;

/// Runs a program with the text as its standard input, and returns what it writes. The program is
/// killed when this future is dropped, or it takes too long or writes too much.
pub(crate) async fn run(
    program: &Path,
    arguments: Vec<OsString>,
    text: &str,
) -> Result<Vec<u8>, SpeechError> {
    let name = program.display();
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| unstartable(program, &error))?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let work = async {
        let write = async {
            if let Some(mut stdin) = stdin {
                // A program that does not want all of it says why in another way.
                let _ = stdin.write_all(text.as_bytes()).await;
            }
        };
        let ((), output, message) =
            tokio::join!(write, read(stdout, OUTPUT), read(stderr, MESSAGE));
        if output.len() as u64 > OUTPUT {
            return Err(SpeechError::Engine(format!("{name} wrote more sound than it may")));
        }
        let status = child.wait().await;
        Ok((status, output, message))
    };
    let done = timeout(TIME, work).await;
    let (status, output, message) = done.map_err(|_| {
        SpeechError::Engine(format!("{name} took longer than {TIME:?} to speak a sentence"))
    })??;
    match status {
        Ok(status) if status.success() => Ok(output),
        Ok(status) => {
            let message = String::from_utf8_lossy(&message);
            let message = message.trim();
            Err(SpeechError::Engine(format!("{name} failed ({status}): {message}")))
        }
        Err(error) => Err(SpeechError::Engine(format!("{name} was lost: {error}"))),
    }
}

/// Reads to the end, or one byte more than the most.
async fn read(source: Option<impl AsyncRead + Unpin>, most: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    let Some(mut source) = source else { return bytes };
    // What was read before an error is judged by how the program ends.
    let _ = (&mut source).take(most + 1).read_to_end(&mut bytes).await;
    bytes
}

/// The error for a program that is not there.
pub(crate) fn unstartable(program: &Path, error: &std::io::Error) -> SpeechError {
    SpeechError::Engine(format!(
        "{} cannot be started: {error}\nhint: install it, or set the path at which it is",
        program.display()
    ))
}
