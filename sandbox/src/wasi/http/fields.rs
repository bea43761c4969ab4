//! Header fields.

use wasmtime::component::{LinkerInstance, Resource};

use super::types::HeaderError;
use crate::calls::{define, define_resource};
use crate::state::State;

/// The most bytes of all fields of a message.
const LONGEST: usize = 64 << 10;

/// Fields, in order.
#[derive(Clone, Default)]
pub(super) struct Fields {
    pub(super) entries: Vec<(String, Vec<u8>)>,
    fixed: bool,
}

type This = Resource<Fields>;

impl Fields {
    /// Fields that cannot be changed.
    pub(super) fn fixed(entries: Vec<(String, Vec<u8>)>) -> Self {
        Self { entries, fixed: true }
    }

    fn bytes(&self) -> usize {
        self.entries.iter().map(|(name, value)| name.len() + value.len() + 32).sum()
    }

    fn append(&mut self, name: String, value: Vec<u8>) -> Result<(), HeaderError> {
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        let visible = |byte: u8| byte == b'\t' || byte >= b' ' && byte != 0x7f;
        if name.is_empty() || !name.bytes().all(token) || !value.iter().all(|b| visible(*b)) {
            return Err(HeaderError::InvalidSyntax);
        }
        if self.bytes() + name.len() + value.len() + 32 > LONGEST {
            return Err(HeaderError::Forbidden);
        }
        self.entries.push((name, value));
        Ok(())
    }

    fn remove(&mut self, name: &str) {
        self.entries.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
    }

    fn changeable(&mut self) -> Result<&mut Self, HeaderError> {
        if self.fixed { Err(HeaderError::Immutable) } else { Ok(self) }
    }

    fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Vec<u8>> {
        let entries = self.entries.iter();
        entries.filter(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

pub(super) fn add(to: &mut LinkerInstance<'_, State>, interface: &str) -> wasmtime::Result<()> {
    define_resource::<Fields>(to, interface, "fields")?;
    define(to, interface, "[constructor]fields", |store, ()| {
        Ok((store.data_mut().table.push(Fields::default())?,))
    })?;
    let name = "[static]fields.from-list";
    define(to, interface, name, |store, (entries,): (Vec<(String, Vec<u8>)>,)| {
        let mut fields = Fields::default();
        for (name, value) in entries {
            if let Err(error) = fields.append(name, value) {
                return Ok((Err(error),));
            }
        }
        Ok((Ok(store.data_mut().table.push(fields)?),))
    })?;
    define(to, interface, "[method]fields.get", |store, (this, name): (This, String)| {
        let fields = store.data().table.get(&this)?;
        Ok((fields.values(&name).cloned().collect::<Vec<_>>(),))
    })?;
    define(to, interface, "[method]fields.has", |store, (this, name): (This, String)| {
        Ok((store.data().table.get(&this)?.values(&name).next().is_some(),))
    })?;
    type Set = (This, String, Vec<Vec<u8>>);
    define(to, interface, "[method]fields.set", |store, (this, name, values): Set| {
        let fields = match store.data_mut().table.get_mut(&this)?.changeable() {
            Ok(fields) => fields,
            Err(error) => return Ok((Err(error),)),
        };
        fields.remove(&name);
        let mut values = values.into_iter();
        Ok((values.try_for_each(|value| fields.append(name.clone(), value)),))
    })?;
    define(to, interface, "[method]fields.delete", |store, (this, name): (This, String)| {
        let fields = store.data_mut().table.get_mut(&this)?.changeable();
        Ok((fields.map(|fields| fields.remove(&name)),))
    })?;
    type Append = (This, String, Vec<u8>);
    define(to, interface, "[method]fields.append", |store, (this, name, value): Append| {
        let fields = store.data_mut().table.get_mut(&this)?.changeable();
        Ok((fields.and_then(|fields| fields.append(name, value)),))
    })?;
    define(to, interface, "[method]fields.entries", |store, (this,): (This,)| {
        Ok((store.data().table.get(&this)?.entries.clone(),))
    })?;
    define(to, interface, "[method]fields.clone", |store, (this,): (This,)| {
        let table = &mut store.data_mut().table;
        let copy = Fields { fixed: false, ..table.get(&this)?.clone() };
        Ok((table.push(copy)?,))
    })
}
