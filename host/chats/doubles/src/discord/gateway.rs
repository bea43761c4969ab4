//! The gateway: version 10, JSON, without compression.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use super::{DiscordDouble, Order, Shared, own};

/// The bot may read what people write.
const MESSAGE_CONTENT: u64 = 1 << 15;

pub(super) async fn serve(listener: std::net::TcpListener, shared: Arc<Shared>) {
    let listener = TcpListener::from_std(listener).unwrap();
    loop {
        let Ok((connection, _)) = listener.accept().await else { continue };
        let shared = shared.clone();
        tokio::spawn(async move {
            if let Ok(socket) = tokio_tungstenite::accept_async(connection).await {
                let orders = shared.orders.subscribe();
                let _ = Connection { shared, socket, at: None }.run(orders).await;
            }
        });
    }
}

struct Connection {
    shared: Arc<Shared>,
    socket: WebSocketStream<TcpStream>,
    /// How many events of the session were sent here; none before it is known which one.
    at: Option<usize>,
}

type Ended = Option<()>;

impl Connection {
    async fn run(mut self, mut orders: broadcast::Receiver<Order>) -> Ended {
        self.send(&json!({"op": 10, "d": {"heartbeat_interval": 5_000}, "s": null, "t": null}))
            .await?;
        loop {
            tokio::select! {
                message = self.socket.next() => match message?.ok()? {
                    Message::Text(text) => {
                        let Ok(payload) = serde_json::from_str(text.as_str()) else {
                            return self.close(4002, "Decode error").await;
                        };
                        self.take(&payload).await?;
                    }
                    Message::Close(_) => return None,
                    _ => {}
                },
                order = orders.recv() => match order {
                    Ok(Order::Close(Some(code))) => return self.close(code, "on request").await,
                    Ok(Order::Close(None)) => return None,
                    _ => self.catch_up().await?,
                },
            }
        }
    }

    async fn take(&mut self, payload: &Value) -> Ended {
        match payload["op"].as_u64() {
            Some(1) => {
                self.shared.state.lock().unwrap().heartbeats += 1;
                self.send(&json!({"op": 11, "d": null, "s": null, "t": null})).await
            }
            Some(2) => self.identify(&payload["d"]).await,
            Some(4) => self.voice(&payload["d"]).await,
            Some(6) => self.resume(&payload["d"]).await,
            _ => self.close(4001, "Unknown opcode").await,
        }
    }

    async fn identify(&mut self, identity: &Value) -> Ended {
        if self.at.is_some() {
            return self.close(4005, "Already authenticated").await;
        }
        if !accepted(identity) {
            return self.close(4004, "Authentication failed").await;
        }
        let Some(intents) = identity["intents"].as_u64() else {
            return self.close(4013, "Invalid intents").await;
        };
        let refused = self.shared.state.lock().unwrap().refuse_content;
        if refused && intents & MESSAGE_CONTENT != 0 {
            return self.close(4014, "Disallowed intents").await;
        }
        let session = {
            let mut state = self.shared.state.lock().unwrap();
            state.identified.push(identity.clone());
            state.session += 1;
            // Of what happened before, a new session does not tell.
            state.events.clear();
            state.session
        };
        self.at = Some(0);
        let guilds: Vec<Value> = Vec::new();
        self.send(&json!({"op": 0, "s": 1, "t": "READY", "d": {
            "v": 10, "user": own(), "guilds": guilds, "session_id": session.to_string(),
            "resume_gateway_url": self.shared.gateway, "shard": [0, 1],
            "application": {"id": DiscordDouble::APPLICATION.to_string(), "flags": 0},
        }}))
        .await?;
        self.catch_up().await
    }

    async fn resume(&mut self, resumption: &Value) -> Ended {
        if !accepted(resumption) {
            return self.close(4004, "Authentication failed").await;
        }
        let known = {
            let mut state = self.shared.state.lock().unwrap();
            let known = resumption["session_id"] == json!(state.session.to_string());
            state.resumed += usize::from(known);
            known
        };
        if !known {
            return self.send(&json!({"op": 9, "d": false, "s": null, "t": null})).await;
        }
        // READY was the first, so so many events less one arrived.
        let seen = resumption["seq"].as_u64().unwrap_or(1).saturating_sub(1) as usize;
        self.at = Some(seen);
        self.catch_up().await?;
        let last = self.at.unwrap_or(0) + 1;
        self.send(&json!({"op": 0, "s": last, "t": "RESUMED", "d": {"_trace": []}})).await
    }

    /// The bot enters a voice channel, or leaves.
    async fn voice(&mut self, wanted: &Value) -> Ended {
        {
            let mut state = self.shared.state.lock().unwrap();
            let Some(endpoint) = state.voice.clone() else { return Some(()) };
            // Discord takes numbers and strings.
            let text = |value: &Value| match value {
                Value::Number(number) => json!(number.to_string()),
                other => other.clone(),
            };
            let (guild, channel) = (text(&wanted["guild_id"]), text(&wanted["channel_id"]));
            let gone = channel.is_null();
            let session = DiscordDouble::VOICE_SESSION;
            let mut own = super::voice_state(own(), session, &guild, &channel);
            own["self_deaf"] = wanted["self_deaf"].clone();
            own["self_mute"] = wanted["self_mute"].clone();
            state.events.push(("VOICE_STATE_UPDATE", own));
            if !gone {
                state.events.push(("VOICE_SERVER_UPDATE", json!({
                    "token": DiscordDouble::VOICE_TOKEN, "guild_id": guild, "endpoint": endpoint,
                })));
            }
        }
        self.catch_up().await
    }

    /// Sends what of the session's events was not sent yet.
    async fn catch_up(&mut self) -> Ended {
        while let Some(at) = self.at {
            let event = self.shared.state.lock().unwrap().events.get(at).cloned();
            let Some((name, data)) = event else { break };
            self.send(&json!({"op": 0, "s": at + 2, "t": name, "d": data})).await?;
            self.at = Some(at + 1);
        }
        Some(())
    }

    async fn send(&mut self, payload: &Value) -> Ended {
        self.socket.send(Message::text(payload.to_string())).await.ok()
    }

    async fn close(&mut self, code: u16, reason: &'static str) -> Ended {
        let frame = CloseFrame { code: code.into(), reason: reason.into() };
        let _ = self.socket.close(Some(frame)).await;
        // Until the other side has read it.
        let read = async { while let Some(Ok(_)) = self.socket.next().await {} };
        let _ = tokio::time::timeout(Duration::from_secs(2), read).await;
        None
    }
}

fn accepted(identity: &Value) -> bool {
    let token = identity["token"].as_str().unwrap_or_default();
    token.trim_start_matches("Bot ") == DiscordDouble::TOKEN
}
