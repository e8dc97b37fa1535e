//! One connection to one broker: versions agreed on, logged in, requests pipelined.
//!
//! ```text
//! send ─[mpsc]→ writer task ─→ socket ─→ reader task ─[oneshot, by correlation id]→ Response::wait
//! ```
//!
//! A broker answers the requests of a connection in order, so what may take long (a fetch, a join) has a connection of
//! its own. A request that is not answered in time closes its connection, as nothing behind it would be answered either.
use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::messages::{
    ApiKey, ApiVersionsRequest, ApiVersionsResponse, RequestHeader, ResponseHeader,
    SaslAuthenticateRequest, SaslHandshakeRequest,
};
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion, StrBytes};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;

use super::api::Api;
use super::config::{ClientConfig, Sasl, SaslMechanism};
use super::error::KafkaError;
use super::frames::{Answer, Outgoing, Pending, Unanswered, read_frames, write_frames};
use super::lease::Lease;
use super::sasl;

/// How many requests may wait to be written.
const OUTGOING_MAX: usize = 32;

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A connection to a broker.
#[derive(Debug)]
pub(super) struct Connection {
    broker: String,
    client_id: StrBytes,
    request_timeout: Duration,
    versions: HashMap<i16, (i16, i16)>,
    transaction_version: i16,
    outgoing: mpsc::Sender<Outgoing>,
    pending: Arc<Pending>,
    tasks: [JoinHandle<()>; 2],
}

/// How a request is made.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Terms<'a> {
    /// How much longer than usual it may take.
    pub(super) within: Duration,
    /// What has to be open when it is written.
    pub(super) lease: Option<&'a Lease>,
    /// The version that it is made in, where not the highest that both sides have.
    pub(super) version: Option<i16>,
}

/// How a request is written.
#[derive(Clone, Copy)]
struct How<'a> {
    lease: Option<&'a Lease>,
    is_answered: bool,
}

impl How<'_> {
    const PLAIN: Self = Self { lease: None, is_answered: true };
}

/// A request that was written and whose answer can be waited for.
#[must_use]
pub(super) struct Response<A> {
    broker: String,
    version: i16,
    answer: oneshot::Receiver<Answer>,
    pending: Arc<Pending>,
    request: PhantomData<fn() -> A>,
}

impl Connection {
    /// Connects to `broker`, `host:port`, agrees on versions and logs in.
    pub(super) async fn open(
        broker: &str,
        config: &ClientConfig,
        tls: Option<&TlsConnector>,
    ) -> Result<Self, KafkaError> {
        let opened = tokio::time::timeout(config.connect_timeout, stream(broker, tls)).await;
        let cause = format!("no answer within {:?}", config.connect_timeout);
        let stream = opened.unwrap_or(Err(KafkaError::Connect { broker: broker.into(), cause }))?;
        let (reader, writer) = tokio::io::split(stream);
        let (outgoing, frames) = mpsc::channel(OUTGOING_MAX);
        let pending = Arc::new(Pending::default());
        let tasks = [
            tokio::spawn(write_frames(writer, frames, pending.clone())),
            tokio::spawn(read_frames(reader, pending.clone())),
        ];
        let mut connection = Self {
            broker: broker.into(),
            client_id: StrBytes::from_string(config.client_id.clone()),
            request_timeout: config.request_timeout,
            versions: HashMap::new(),
            transaction_version: 0,
            outgoing,
            pending,
            tasks,
        };
        let offered = connection.agree().await?;
        connection.transaction_version = transaction_version(&offered);
        let versions = offered.api_keys.iter();
        connection.versions =
            versions.map(|api| (api.api_key, (api.min_version, api.max_version))).collect();
        if let Some(sasl) = &config.sasl {
            connection.log_in(sasl).await?;
        }
        Ok(connection)
    }

    /// The address of the broker.
    pub(super) fn broker(&self) -> &str {
        &self.broker
    }

    /// Whether no request can be made any more.
    pub(super) fn is_closed(&self) -> bool {
        self.pending.is_closed()
    }

    /// Makes a request and waits for its answer as long as `request.timeout.ms` says.
    pub(super) async fn request<A: Api>(&self, request: &A) -> Result<A::Response, KafkaError> {
        self.send(request).await?.wait(self.request_timeout).await
    }

    /// The version of transactions that the cluster has.
    pub(super) fn transaction_version(&self) -> i16 {
        self.transaction_version
    }

    /// Makes a request on certain terms.
    pub(super) async fn request_on<A: Api>(
        &self,
        request: &A,
        terms: Terms<'_>,
    ) -> Result<A::Response, KafkaError> {
        let response = self.send_on(request, terms).await?;
        response.wait(self.request_timeout + terms.within).await
    }

    /// The same, in a version that the caller has chosen.
    pub(super) async fn request_as<A: Api>(
        &self,
        request: &A,
        version: i16,
        within: Duration,
    ) -> Result<A::Response, KafkaError> {
        let response = self.send_as(request, version, How::PLAIN).await?;
        response.wait(self.request_timeout + within).await
    }

    /// Writes a request; those of one caller are written in the order of its calls.
    pub(super) async fn send<A: Api>(&self, request: &A) -> Result<Response<A>, KafkaError> {
        self.send_on(request, Terms::default()).await
    }

    /// Writes a request on certain terms, when it is its turn.
    pub(super) async fn send_on<A: Api>(
        &self,
        request: &A,
        terms: Terms<'_>,
    ) -> Result<Response<A>, KafkaError> {
        let version = match terms.version {
            Some(version) => self.exactly::<A>(version)?,
            None => self.version::<A>()?,
        };
        self.send_as(request, version, How { lease: terms.lease, is_answered: true }).await
    }

    async fn send_as<A: Api>(
        &self,
        request: &A,
        version: i16,
        how: How<'_>,
    ) -> Result<Response<A>, KafkaError> {
        let lost = |cause: String| KafkaError::Disconnected {
            broker: self.broker.clone(),
            request: A::NAME,
            cause,
        };
        let (id, answer) = self.pending.register().map_err(lost)?;
        let (broker, pending) = (self.broker.clone(), self.pending.clone());
        let response = Response { broker, version, answer, pending, request: PhantomData };
        let frame = match self.frame(request, version, id) {
            Ok(frame) => frame,
            Err(error) => {
                self.pending.forget(id);
                return Err(error);
            }
        };
        let How { lease, is_answered } = how;
        let outgoing = Outgoing { id, frame, lease: lease.cloned(), is_answered };
        self.outgoing.send(outgoing).await.map_err(|_| lost("it was closed".into()))?;
        Ok(response)
    }

    /// Writes a request that the broker does not answer, and waits until it is written.
    pub(super) async fn send_unanswered<A: Api>(
        &self,
        request: &A,
        lease: Option<&Lease>,
    ) -> Result<(), KafkaError> {
        let version = self.version::<A>()?;
        let response = self.send_as(request, version, How { lease, is_answered: false }).await?;
        response.bytes(self.request_timeout).await.map(drop)
    }

    /// The highest version of a request that both sides have.
    pub(super) fn version<A: Api>(&self) -> Result<i16, KafkaError> {
        let theirs = self.versions.get(&A::KEY).copied();
        let version = theirs.map_or(-1, |(_, max)| max.min(A::MAX));
        if theirs.is_some_and(|(min, _)| version >= min.max(A::MIN)) {
            return Ok(version);
        }
        Err(self.unsupported::<A>(A::MIN, A::MAX))
    }

    /// A version of a request, if the broker has it.
    fn exactly<A: Api>(&self, version: i16) -> Result<i16, KafkaError> {
        let theirs = self.versions.get(&A::KEY);
        let has = theirs.is_some_and(|(min, max)| (*min..=*max).contains(&version));
        has.then_some(version).ok_or_else(|| self.unsupported::<A>(version, version))
    }

    fn unsupported<A: Api>(&self, min: i16, max: i16) -> KafkaError {
        let theirs = self.versions.get(&A::KEY);
        let theirs =
            theirs.map_or_else(|| "none".to_owned(), |(min, max)| format!("{min} to {max}"));
        let (broker, ours) = (self.broker.clone(), format!("{min} to {max}"));
        KafkaError::Unsupported { broker, request: A::NAME, theirs, ours }
    }

    fn frame<A: Api>(
        &self,
        request: &A,
        version: i16,
        correlation_id: i32,
    ) -> Result<Bytes, KafkaError> {
        let header = RequestHeader::default()
            .with_request_api_key(A::KEY)
            .with_request_api_version(version)
            .with_correlation_id(correlation_id)
            .with_client_id(Some(self.client_id.clone()));
        let mut frame = BytesMut::with_capacity(512);
        frame.put_i32(0);
        let encoded = header.encode(&mut frame, A::header_version(version));
        let encoded = encoded.and_then(|()| request.encode(&mut frame, version));
        encoded.map_err(|error| self.protocol::<A>(&error))?;
        let length = i32::try_from(frame.len() - 4).map_err(|error| self.protocol::<A>(&error))?;
        frame[..4].copy_from_slice(&length.to_be_bytes());
        Ok(frame.freeze())
    }

    fn protocol<A: Api>(&self, cause: &impl ToString) -> KafkaError {
        KafkaError::Protocol {
            broker: self.broker.clone(),
            request: A::NAME,
            cause: cause.to_string(),
        }
    }

    /// Asks for the versions that the broker has. One that does not know our version of the question answers in version 0.
    async fn agree(&self) -> Result<ApiVersionsResponse, KafkaError> {
        let request = ApiVersionsRequest::default()
            .with_client_software_name(StrBytes::from_static_str("millstream"))
            .with_client_software_version(StrBytes::from_static_str(env!("CARGO_PKG_VERSION")));
        let response = self.send_as(&request, ApiVersionsRequest::MAX, How::PLAIN).await?;
        let response: ApiVersionsResponse = response.wait(self.request_timeout).await?;
        let response = if response.error_code == 35 {
            let response = self.send_as(&ApiVersionsRequest::default(), 0, How::PLAIN).await?;
            response.wait(self.request_timeout).await?
        } else {
            response
        };
        KafkaError::check(ApiVersionsRequest::NAME, &self.broker, response.error_code)?;
        Ok(response)
    }

    async fn log_in(&self, sasl: &Sasl) -> Result<(), KafkaError> {
        let handshake = SaslHandshakeRequest::default()
            .with_mechanism(StrBytes::from_static_str(sasl.mechanism.name()));
        let response = self.request(&handshake).await?;
        if response.error_code != 0 {
            let offered: Vec<_> = response.mechanisms.iter().map(StrBytes::as_str).collect();
            return Err(self.refused(sasl, format!("it takes {}", offered.join(", "))));
        }
        if sasl.mechanism == SaslMechanism::Plain {
            return self.authenticate(sasl, sasl::plain(sasl)).await.map(drop);
        }
        let nonce = sasl::nonce().map_err(|cause| self.refused(sasl, cause))?;
        let mut scram = sasl::Scram::new(sasl, nonce);
        let challenge = self.authenticate(sasl, scram.first().into_bytes()).await?;
        let answer = scram.answer(&challenge).map_err(|cause| self.refused(sasl, cause))?;
        let last = self.authenticate(sasl, answer.into_bytes()).await?;
        scram.verify(&last).map_err(|cause| self.refused(sasl, cause))
    }

    async fn authenticate(&self, sasl: &Sasl, bytes: Vec<u8>) -> Result<String, KafkaError> {
        let request = SaslAuthenticateRequest::default().with_auth_bytes(bytes.into());
        let response = self.request(&request).await?;
        if response.error_code != 0 {
            let cause = response.error_message.map(|message| message.to_string());
            return Err(self.refused(sasl, cause.unwrap_or_else(|| "no reason given".into())));
        }
        Ok(String::from_utf8_lossy(&response.auth_bytes).into_owned())
    }

    fn refused(&self, sasl: &Sasl, cause: String) -> KafkaError {
        KafkaError::Authentication {
            broker: self.broker.clone(),
            mechanism: sasl.mechanism.name(),
            cause,
        }
    }
}

/// Which transactions a cluster has, as its finalised features say: 2 with those that partitions join by themselves.
fn transaction_version(offered: &ApiVersionsResponse) -> i16 {
    let is_known = offered.finalized_features_epoch >= 0;
    let mut features = offered.finalized_features.iter().filter(|_| is_known);
    let found = features.find(|feature| &*feature.name == "transaction.version");
    found.map_or(0, |feature| feature.max_version_level)
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.pending.close("it was closed");
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl<A: Api> Response<A> {
    /// Waits for the answer, at most for `within`.
    pub(super) async fn wait(self, within: Duration) -> Result<A::Response, KafkaError> {
        let (broker, version) = (self.broker.clone(), self.version);
        let mut bytes = self.bytes(within).await?;
        // A broker that does not know a version of ApiVersions answers in version 0, whose first field is the error.
        let is_refused = A::KEY == ApiKey::ApiVersions as i16 && bytes.get(4..6) == Some(&[0, 35]);
        let version = if is_refused { 0 } else { version };
        let decoded = ResponseHeader::decode(&mut bytes, A::Response::header_version(version))
            .and_then(|_| A::Response::decode(&mut bytes, version));
        decoded.map_err(|error| KafkaError::Protocol {
            broker,
            request: A::NAME,
            cause: error.to_string(),
        })
    }

    async fn bytes(self, within: Duration) -> Result<Bytes, KafkaError> {
        let Self { broker, answer, pending, .. } = self;
        let Ok(answer) = tokio::time::timeout(within, answer).await else {
            pending.close("an earlier request was not answered in time");
            return Err(KafkaError::TimedOut { broker, request: A::NAME, within });
        };
        let gone = Unanswered::Closed("it was closed".into());
        answer.unwrap_or(Err(gone)).map_err(|unanswered| match unanswered {
            Unanswered::Closed(cause) => {
                KafkaError::Disconnected { broker, request: A::NAME, cause }
            }
            Unanswered::Held => KafkaError::LeaseClosed,
            Unanswered::Stale => KafkaError::StaleMember,
        })
    }
}

async fn stream(broker: &str, tls: Option<&TlsConnector>) -> Result<Box<dyn Stream>, KafkaError> {
    let refused = |error: std::io::Error| KafkaError::Connect {
        broker: broker.into(),
        cause: error.to_string(),
    };
    let socket = TcpStream::connect(broker).await.map_err(refused)?;
    socket.set_nodelay(true).map_err(refused)?;
    let Some(tls) = tls else { return Ok(Box::new(socket)) };
    let insecure = |cause: String| KafkaError::Tls { broker: broker.into(), cause };
    let host = broker.rsplit_once(':').map_or(broker, |(host, _)| host).trim_matches(['[', ']']);
    let name = rustls_pki_types::ServerName::try_from(host.to_owned());
    let name = name.map_err(|error| insecure(error.to_string()))?;
    let stream = tls.connect(name, socket).await.map_err(|error| {
        // What TLS itself finds fault with stays; a connection that breaks in between may come back.
        let is_tls =
            error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<rustls::Error>);
        if is_tls { insecure(error.to_string()) } else { refused(error) }
    })?;
    Ok(Box::new(stream))
}
