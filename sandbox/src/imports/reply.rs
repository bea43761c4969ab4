//! `reply`: what the agent says while it works.

use wasmtime::component::Linker;

use super::import;
use crate::calls::define;
use crate::contract::Step;
use crate::state::State;
use crate::told::Told;

impl Told for Step {
    fn tell(&self, text: &mut String) {
        text.push_str(&format!("{{stage: {}, text: {:?}}}", self.stage.name(), self.text));
    }
}

pub(super) fn add(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    let mut to = linker.instance(&import("reply"))?;
    define(&mut to, "june:agent/reply", "say", |store, (text,): (String,)| {
        let authority = &mut store.data_mut().authority;
        authority.tell(text.len())?;
        authority.said.push_str(&text);
        if let Some(person) = &authority.capabilities.reply {
            person.say(&text);
        }
        Ok(())
    })?;
    define(&mut to, "june:agent/reply", "note", |store, (step,): (Step,)| {
        let authority = &mut store.data_mut().authority;
        authority.tell(step.text.len())?;
        if let Some(person) = &authority.capabilities.reply {
            person.note(&step);
        }
        Ok(())
    })
}
