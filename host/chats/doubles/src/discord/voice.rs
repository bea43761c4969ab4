//! A voice server: its gateway (version 8, over TLS) and its socket for sound, whose packets are
//! encrypted in the `rtpsize` way. Without end-to-end encryption, as Discord announces it by
//! version 0 of DAVE.

use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aes_gcm::Aes256Gcm;
use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::XChaCha20Poly1305;
use futures_util::{SinkExt as _, StreamExt as _};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::broadcast;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_tungstenite::tungstenite::Message;

use super::DiscordDouble;
use crate::server::{Running, port};

/// The mark of the bot's own sound.
const OWN: u32 = 1000;
/// A packet's header: version 2, Opus, and no extensions.
const HEADER: [u8; 2] = [0x80, 0x78];
const HEADER_LENGTH: usize = 12;
const NONCE_LENGTH: usize = 4;

/// How packets are encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    Aes,
    XChaCha,
}

impl Encryption {
    fn name(self) -> &'static str {
        match self {
            Self::Aes => "aead_aes256_gcm_rtpsize",
            Self::XChaCha => "aead_xchacha20_poly1305_rtpsize",
        }
    }

    /// The packet's body, encrypted and authenticated with its header.
    fn seal(self, nonce: [u8; NONCE_LENGTH], header: &[u8], body: &[u8]) -> Vec<u8> {
        let payload = Payload { msg: body, aad: header };
        match self {
            Self::Aes => {
                let cipher = Aes256Gcm::new(&VoiceDouble::KEY.into());
                cipher.encrypt(&padded::<12>(nonce).into(), payload).unwrap()
            }
            Self::XChaCha => {
                let cipher = XChaCha20Poly1305::new(&VoiceDouble::KEY.into());
                cipher.encrypt(&padded::<24>(nonce).into(), payload).unwrap()
            }
        }
    }

    fn open(self, nonce: [u8; NONCE_LENGTH], header: &[u8], body: &[u8]) -> Option<Vec<u8>> {
        let payload = Payload { msg: body, aad: header };
        match self {
            Self::Aes => {
                let cipher = Aes256Gcm::new(&VoiceDouble::KEY.into());
                cipher.decrypt(&padded::<12>(nonce).into(), payload).ok()
            }
            Self::XChaCha => {
                let cipher = XChaCha20Poly1305::new(&VoiceDouble::KEY.into());
                cipher.decrypt(&padded::<24>(nonce).into(), payload).ok()
            }
        }
    }
}

/// The counter that a packet ends with is the beginning of its nonce.
fn padded<const LENGTH: usize>(nonce: [u8; NONCE_LENGTH]) -> [u8; LENGTH] {
    let mut padded = [0; LENGTH];
    padded[..NONCE_LENGTH].copy_from_slice(&nonce);
    padded
}

/// A server for the bot's voice.
pub struct VoiceDouble {
    shared: Arc<Shared>,
    endpoint: String,
    _running: Running,
}

struct Shared {
    state: Mutex<State>,
    socket: UdpSocket,
    address: SocketAddr,
    /// What is said on the gateway's connections.
    events: broadcast::Sender<Value>,
    encryption: Encryption,
}

#[derive(Default)]
struct State {
    speaking: Vec<u64>,
    heartbeats: usize,
    /// Where the bot receives.
    bot: Option<SocketAddr>,
    connected: bool,
    received: Vec<Vec<u8>>,
    damaged: usize,
    sent: u32,
}

impl VoiceDouble {
    const KEY: [u8; 32] = [7; 32];

    /// Writes a certificate for `localhost` and its key into a folder, and who vouches for it into
    /// `authority.pem`, which a client is to trust.
    pub fn certify(folder: &Path) {
        let mut authority = CertificateParams::new([]).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let own = KeyPair::generate().unwrap();
        let certificate = authority.self_signed(&own).unwrap();
        std::fs::write(folder.join("authority.pem"), certificate.pem()).unwrap();
        let (issuer, key) = (Issuer::new(authority, own), KeyPair::generate().unwrap());
        let server = CertificateParams::new(["localhost".to_owned()]).unwrap();
        let certificate = server.signed_by(&key, &issuer).unwrap();
        std::fs::write(folder.join("certificate.pem"), certificate.pem()).unwrap();
        std::fs::write(folder.join("key.pem"), key.serialize_pem()).unwrap();
    }

    /// A server for `localhost`, with the certificate and the key of this folder.
    pub fn start(folder: &Path, encryption: Encryption) -> VoiceDouble {
        let chain = CertificateDer::from_pem_file(folder.join("certificate.pem")).unwrap();
        let key = PrivateKeyDer::from_pem_file(folder.join("key.pem")).unwrap();
        let tls = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![chain], key)
            .unwrap();
        let (listener, address) = port();
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_nonblocking(true).unwrap();
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            address: socket.local_addr().unwrap(),
            socket: socket.try_clone().unwrap(),
            events: broadcast::channel(64).0,
            encryption,
        });
        let serving = shared.clone();
        let running = Running::start(async move {
            let gateway = gateway(listener, TlsAcceptor::from(Arc::new(tls)), serving.clone());
            tokio::join!(gateway, receive(socket, serving));
        });
        let endpoint = format!("localhost:{}", address.port());
        VoiceDouble { shared, endpoint, _running: running }
    }

    /// What the main gateway tells of it.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// A person speaks: frames of Opus, of 20 ms each, as fast as they would come. Waits until all
    /// are sent.
    pub fn speak(&self, person: u64, mark: u32, frames: &[Vec<u8>]) {
        let speaking = json!({"op": 5, "d": {
            "user_id": person.to_string(), "ssrc": mark, "speaking": 1, "delay": 0,
        }});
        let _ = self.shared.events.send(speaking);
        std::thread::sleep(Duration::from_millis(50));
        for frame in frames {
            self.send(mark, frame);
            std::thread::sleep(Duration::from_millis(20));
        }
        // Who falls silent sends five frames of silence.
        for _ in 0..5 {
            self.send(mark, &[0xf8, 0xff, 0xfe]);
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn send(&self, mark: u32, body: &[u8]) {
        let (count, bot) = {
            let mut state = self.shared.state.lock().unwrap();
            state.sent += 1;
            (state.sent, state.bot.unwrap())
        };
        let sequence = u16::try_from(count).unwrap().to_be_bytes();
        let time = (count * 960).to_be_bytes();
        let header = [&HEADER[..], &sequence, &time, &mark.to_be_bytes()].concat();
        let nonce = count.to_be_bytes();
        let sealed = self.shared.encryption.seal(nonce, &header, body);
        let packet = [&header[..], &sealed, &nonce].concat();
        self.shared.socket.send_to(&packet, bot).unwrap();
    }

    /// The frames of Opus that the bot sent, and how many packets could not be decrypted.
    pub fn received(&self) -> (Vec<Vec<u8>>, usize) {
        let state = self.shared.state.lock().unwrap();
        (state.received.clone(), state.damaged)
    }

    /// What the bot told of its speaking.
    pub fn told(&self) -> Vec<u64> {
        self.shared.state.lock().unwrap().speaking.clone()
    }

    /// Whether the bot is connected, and how often its heart has beaten.
    pub fn connection(&self) -> (bool, usize) {
        let state = self.shared.state.lock().unwrap();
        (state.connected, state.heartbeats)
    }
}

async fn gateway(listener: std::net::TcpListener, tls: TlsAcceptor, shared: Arc<Shared>) {
    let listener = TcpListener::from_std(listener).unwrap();
    loop {
        let Ok((connection, _)) = listener.accept().await else { continue };
        let (tls, shared) = (tls.clone(), shared.clone());
        tokio::spawn(async move {
            let Ok(connection) = tls.accept(connection).await else { return };
            let Ok(mut socket) = tokio_tungstenite::accept_async(connection).await else { return };
            let mut events = shared.events.subscribe();
            let hello = json!({"op": 8, "d": {"heartbeat_interval": 500}});
            if socket.send(Message::text(hello.to_string())).await.is_err() {
                return;
            }
            loop {
                let answer = tokio::select! {
                    event = events.recv() => event.ok(),
                    message = socket.next() => match message {
                        Some(Ok(Message::Text(text))) => {
                            shared.take(&serde_json::from_str(&text).unwrap())
                        }
                        Some(Ok(_)) => None,
                        _ => break,
                    },
                };
                if let Some(answer) = answer
                    && socket.send(Message::text(answer.to_string())).await.is_err()
                {
                    break;
                }
            }
            shared.state.lock().unwrap().connected = false;
        });
    }
}

impl Shared {
    /// The answer to a message of the bot's.
    fn take(&self, message: &Value) -> Option<Value> {
        let mut state = self.state.lock().unwrap();
        let data = &message["d"];
        match message["op"].as_u64() {
            Some(0) => {
                assert_eq!(data["token"], DiscordDouble::VOICE_TOKEN);
                assert_eq!(data["session_id"], DiscordDouble::VOICE_SESSION);
                Some(json!({"op": 2, "d": {
                    "ssrc": OWN, "ip": "127.0.0.1", "port": self.address.port(),
                    "modes": [self.encryption.name()], "heartbeat_interval": 1,
                }}))
            }
            Some(1) => {
                assert_eq!(data["protocol"], "udp");
                assert_eq!(data["data"]["mode"], self.encryption.name());
                // What the bot was told that its address is.
                let bot = state.bot.unwrap();
                assert_eq!(data["data"]["address"], bot.ip().to_string());
                assert_eq!(data["data"]["port"], bot.port());
                state.connected = true;
                Some(json!({"op": 4, "d": {
                    "mode": self.encryption.name(), "secret_key": VoiceDouble::KEY,
                    "dave_protocol_version": 0,
                }}))
            }
            Some(3) => {
                state.heartbeats += 1;
                Some(json!({"op": 6, "d": data}))
            }
            Some(5) => {
                state.speaking.push(data["speaking"].as_u64().unwrap());
                None
            }
            other => panic!("no message of a voice gateway: {other:?}"),
        }
    }
}

async fn receive(socket: UdpSocket, shared: Arc<Shared>) {
    let socket = tokio::net::UdpSocket::from_std(socket).unwrap();
    let mut packet = [0; 2000];
    loop {
        let Ok((length, from)) = socket.recv_from(&mut packet).await else { continue };
        let packet = &packet[..length];
        // A request for the bot's own address: type 1, 70 bytes.
        if packet.starts_with(&[0, 1, 0, 70]) {
            let mut answer = [0; 74];
            answer[..8].copy_from_slice(&packet[..8]);
            answer[1] = 2;
            let address = from.ip().to_string();
            answer[8..8 + address.len()].copy_from_slice(address.as_bytes());
            answer[72..].copy_from_slice(&from.port().to_be_bytes());
            shared.state.lock().unwrap().bot = Some(from);
            socket.send_to(&answer, from).await.unwrap();
            continue;
        }
        if !packet.starts_with(&HEADER) || packet.len() < HEADER_LENGTH + NONCE_LENGTH {
            // A sign of life.
            continue;
        }
        let (header, rest) = packet.split_at(HEADER_LENGTH);
        let (body, nonce) = rest.split_at(rest.len() - NONCE_LENGTH);
        let opened = shared.encryption.open(nonce.try_into().unwrap(), header, body);
        let mut state = shared.state.lock().unwrap();
        match opened.filter(|_| header[8..] == OWN.to_be_bytes()) {
            Some(frame) => state.received.push(frame),
            None => state.damaged += 1,
        }
    }
}
