//! Who is in which voice channel.

use std::collections::HashMap;

use june_chats::Person;
use serenity::model::channel::GuildChannel;
use serenity::model::guild::Guild;
use serenity::model::voice::VoiceState;

/// Where a person is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) guild: u64,
    pub(crate) channel: u64,
    /// The name that people see.
    name: String,
    bot: bool,
}

/// The people in voice channels: each is in one at most.
#[derive(Debug, Default)]
pub(crate) struct Places {
    people: HashMap<u64, Place>,
    /// The channels' names.
    channels: HashMap<u64, String>,
}

impl Places {
    /// A guild, when the gateway was connected.
    pub(crate) fn guild(&mut self, guild: &Guild) {
        let id = guild.id.get();
        self.people.retain(|_, place| place.guild != id);
        for channel in guild.channels.values() {
            self.channel(channel);
        }
        for state in guild.voice_states.values() {
            let member = guild.members.get(&state.user_id).or(state.member.as_ref());
            let name = member.map(|member| member.display_name().to_owned());
            let bot = member.is_some_and(|member| member.user.bot);
            self.put(id, state, name, bot);
        }
    }

    /// A channel, and how it is called.
    pub(crate) fn channel(&mut self, channel: &GuildChannel) {
        self.channels.insert(channel.id.get(), channel.name.clone());
    }

    /// Somebody came, or went.
    pub(crate) fn changed(&mut self, state: &VoiceState) {
        let Some(guild) = state.guild_id else { return };
        let name = state.member.as_ref().map(|member| member.display_name().to_owned());
        let bot = state.member.as_ref().is_some_and(|member| member.user.bot);
        self.put(guild.get(), state, name, bot);
    }

    fn put(&mut self, guild: u64, state: &VoiceState, name: Option<String>, bot: bool) {
        let user = state.user_id.get();
        match state.channel_id {
            Some(channel) => {
                let name = name.unwrap_or_else(|| user.to_string());
                self.people.insert(user, Place { guild, channel: channel.get(), name, bot });
            }
            None => {
                // From another guild, it may be late.
                if self.people.get(&user).is_some_and(|place| place.guild == guild) {
                    self.people.remove(&user);
                }
            }
        }
    }

    /// Where somebody is.
    pub(crate) fn of(&self, user: u64) -> Option<&Place> {
        self.people.get(&user)
    }

    /// A person in a channel; none for bots, and who is not there.
    pub(crate) fn person(&self, user: u64, channel: u64) -> Option<Person> {
        let place = self.of(user).filter(|place| place.channel == channel && !place.bot)?;
        Some(Person { id: user.to_string(), name: place.name.clone() })
    }

    /// Whether there is a person in a channel.
    pub(crate) fn has_people(&self, channel: u64) -> bool {
        self.people.values().any(|place| place.channel == channel && !place.bot)
    }

    /// A channel's name.
    pub(crate) fn name(&self, channel: u64) -> String {
        self.channels.get(&channel).cloned().unwrap_or_else(|| channel.to_string())
    }
}
