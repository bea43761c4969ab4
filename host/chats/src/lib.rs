//! Conversations in chat platforms: nothing lost, nothing said twice.
//!
//! A [`Platform`] records what arrives in a [`Store`]; the [`Engine`] lets an agent of [`Agents`]
//! answer it, and sends the answer. Every step is on disk before its effect.

mod agent;
mod calls;
mod engine;
mod incoming;
mod observer;
mod platform;
mod rate;
mod receive;
mod settings;
mod split;
mod store;
mod table;
mod token;

pub use agent::{AgentError, AgentEvent, Agents, Author, Events, File, Message, Request};
pub use calls::{Calls, Line};
pub use engine::{Engine, EngineError, call_commands, commands};
pub use incoming::{Attachment, Chat, Incoming, Person};
pub use june_speech::Voice;
pub use observer::{Observer, Passed, Stage};
pub use platform::{Inbox, Indicator, Limits, Platform, PlatformError, Post, Units};
pub use rate::Rate;
pub use receive::{Event, MenuCommand};
pub use settings::{Access, Settings};
pub use split::split;
pub use store::{
    CODE_LIFE, Claim, Delivery, DeliveryState, Filter, Kind, Known, LONGEST_NOTE, MOST_NOTES,
    Notes, NotesError, Pairing, Row, State, Store, StoreError,
};
pub use table::even_columns;
pub use token::Token;
