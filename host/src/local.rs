//! Models that June runs in its own process.

use std::path::{Path, PathBuf};

use june_local::{Local, Place, Settings};
use june_models::guard::{self, Limits, Machine, Placement};
use june_models::header::{self, Description, KvType};

use june_trtllm::{self as trtllm, Folder, Trtllm};

use crate::lazy::Lazy;

/// A model of a file, which is loaded when it is first asked, if the machine can run it.
pub(crate) fn lazy(alias: &str, path: PathBuf, settings: Settings) -> Lazy {
    let (file, most) = (path.clone(), settings.context);
    let context = move || {
        let own = header::describe(&file).ok()?.context.unwrap_or(u64::MAX);
        Some(u32::try_from(own).unwrap_or(u32::MAX).min(most))
    };
    Lazy::new(alias, context, move || {
        placed(&path, &settings, &Machine::here())?;
        let model = Local::open(&path, &settings).map_err(|error| error.to_string())?;
        Ok(Box::new(model))
    })
}

/// An engine of TensorRT-LLM, which is loaded when it is first asked.
pub(crate) fn engine(alias: &str, folder: PathBuf, memory_share: Option<f32>) -> Lazy {
    let (of, name) = (folder.clone(), alias.to_owned());
    let context = move || Some(Folder::read(&of).ok()?.max_sequence);
    Lazy::new(alias, context, move || {
        let settings =
            trtllm::Settings { name: name.clone(), folder: folder.clone(), memory_share };
        match Trtllm::open(&settings) {
            Ok(model) => Ok(Box::new(model)),
            Err(error) => Err(error.to_string()),
        }
    })
}

/// What a file is and where it will run; or why it may not, as a text for people. Only the file's
/// header is read.
pub(crate) fn placed(
    path: &Path,
    settings: &Settings,
    machine: &Machine,
) -> Result<(Description, Placement), String> {
    let model = header::describe(path).map_err(|error| error.to_string())?;
    let limits = Limits::default();
    // A context that is not written in june.toml is as long as the model has it.
    let context = u64::from(settings.context).min(model.context.unwrap_or(u64::MAX));
    let Place::Cpu = settings.place else {
        let placement = guard::decide(&model, context, KvType::Bf16, machine, &limits);
        return match placement.map_err(|refused| refused.to_string())? {
            Placement::Cpu { estimate } => Err(format!(
                "{} has no room on its GPU: it takes {estimate}\nhint: leave `gpu` out of its \
                 table, or free the GPU",
                path.display()
            )),
            placement => Ok((model, placement)),
        };
    };
    if model.experts.is_some() {
        return Err(format!(
            "{model} is not run on the processor: it is a mixture of experts\nhint: name a GPU \
             with `gpu` in its table, in a June that was built with `--features cuda`, or use a \
             dense model"
        ));
    }
    // The engine keeps a second copy of the weights, in the order that the processor wants.
    let mut counted = model.clone();
    counted.weight_bytes = model.weight_bytes.saturating_mul(2);
    match guard::decide(&counted, context, KvType::F32, machine, &limits) {
        Err(refused) => Err(refused.to_string()),
        // A GPU has room for it, and june.toml does not name one.
        Ok(Placement::Gpu { index, .. }) if model.parameters > limits.cpu_parameters => {
            Err(format!(
                "{model} may not run on the processor\nhint: write `gpu = {index}` in its table; \
                 June must be built with `--features cuda`"
            ))
        }
        Ok(Placement::Gpu { estimate, .. } | Placement::Cpu { estimate }) => {
            Ok((model, Placement::Cpu { estimate }))
        }
    }
}
