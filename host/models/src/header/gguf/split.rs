//! Models in several GGUF files, `NAME-00001-of-00003.gguf` and so on.

use std::path::{Path, PathBuf};

use crate::header::fault::{Fault, HeaderError};
use crate::header::gguf::{Gguf, Metadata};
use crate::header::tensor::Tensor;

/// The most files of one model.
const MOST: u64 = 1024;

/// The most tensors of one model.
const TENSORS: usize = 1 << 20;

/// Adds what the other files of a model hold, if there are any.
pub(crate) fn add_rest(
    path: &Path,
    metadata: &Metadata,
    tensors: &mut Vec<Tensor>,
    read: &mut u64,
) -> Result<(), HeaderError> {
    let count = metadata.unsigned("split.count").unwrap_or(1);
    if count <= 1 {
        return Ok(());
    }
    let hint = "name the first of the model's files, and keep the names that they came with";
    let first = metadata.unsigned("split.no") == Some(0);
    let stem = stem(path, count).filter(|_| first && count <= MOST);
    let Some(stem) = stem else {
        let what = format!("it is one of {count} files, and not the first by its header and name");
        return Err(Fault::unsupported(what, hint).at(path));
    };
    for number in 2..=count {
        let mut name = stem.clone().into_os_string();
        name.push(format!("-{number:05}-of-{count:05}.gguf"));
        let part = Gguf::open(Path::new(&name))?;
        tensors.extend(part.tensors);
        *read = read.saturating_add(part.read);
        if tensors.len() > TENSORS {
            return Err(Fault::wrong(format!("it has more than {TENSORS} tensors")).at(path));
        }
    }
    let claimed = metadata.unsigned("split.tensors.count");
    if claimed.is_some_and(|claimed| claimed != tensors.len() as u64) {
        let what = format!(
            "it says {} tensors in {count} files, which have {}",
            claimed.unwrap_or_default(),
            tensors.len()
        );
        return Err(Fault::Wrong(what).at(path));
    }
    Ok(())
}

/// The path without what tells the files of a model apart.
fn stem(path: &Path, count: u64) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?;
    let stem = name.strip_suffix(&format!("-00001-of-{count:05}.gguf"))?;
    Some(path.with_file_name(stem))
}
