//! Who asks for a page: in which language, with which session, from where.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponseParts, ResponseParts};
use axum_extra::extract::cookie::{Cookie, CookieJar};
use data_encoding::HEXLOWER;

use crate::api::{App, Peer};
use crate::domain::person::Token;
use crate::domain::time::DAY;
use crate::lang::Lang;

/// Seconds for which a browser keeps its cookies. What is behind them may end before.
const COOKIE_LIFE: u32 = 180 * DAY;

/// See the module.
#[derive(Debug, Clone)]
pub(super) struct Visitor {
    /// The language they chose, or that their browser asks for.
    pub(super) lang: Lang,
    /// The token of their session, whether or not there still is one.
    pub(super) token: Option<Token>,
    /// A name of their browser that outlives sessions, by which requests are counted.
    pub(super) device: Option<[u8; 16]>,
    /// Where they come from.
    pub(super) address: IpAddr,
}

impl FromRequestParts<App> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let jar = CookieJar::from_headers(&parts.headers);
        let text = |name: &str| jar.get(name).map(Cookie::value);
        let names = Names::of(app.web().secure);
        let accepted = || parts.headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok().and_then(Lang::accepted);
        let peer = parts.extensions.get::<Peer>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0);
        Ok(Self {
            lang: text("lang").and_then(Lang::from_name).or_else(accepted).unwrap_or_default(),
            token: text(names.session).and_then(Token::parse),
            device: text(names.device).and_then(|id| HEXLOWER.decode(id.as_bytes()).ok()?.try_into().ok()),
            address: behind_proxies(&parts.headers, peer, app.web().proxies),
        })
    }
}

/// Each proxy of ours appends whom it was asked by; what stands before that was sent by anybody.
fn behind_proxies(headers: &HeaderMap, peer: IpAddr, proxies: usize) -> IpAddr {
    let Some(back) = proxies.checked_sub(1) else { return peer };
    let values = headers.get_all("X-Forwarded-For").iter().filter_map(|value| value.to_str().ok());
    let hops: Vec<&str> = values.flat_map(|value| value.split(',')).map(str::trim).collect();
    hops.iter().rev().nth(back).and_then(|hop| hop.parse().ok()).unwrap_or(peer)
}

/// The names of the cookies. `__Host-` binds them to this very server, and to TLS.
struct Names {
    session: &'static str,
    device: &'static str,
}

impl Names {
    fn of(secure: bool) -> Self {
        match secure {
            true => Self { session: "__Host-session", device: "__Host-device" },
            false => Self { session: "session", device: "device" },
        }
    }
}

/// Cookies that go out with an answer.
pub(super) struct Cookies {
    secure: bool,
    set: Vec<String>,
}

impl Cookies {
    pub(super) fn of(app: &App) -> Self {
        Self { secure: app.web().secure, set: Vec::new() }
    }

    /// A new session, in the place of any other.
    pub(super) fn session(self, token: &Token) -> Self {
        let name = Names::of(self.secure).session;
        self.with(name, &token.reveal(), COOKIE_LIFE)
    }

    /// No session any more.
    pub(super) fn no_session(self) -> Self {
        let name = Names::of(self.secure).session;
        self.with(name, "", 0)
    }

    pub(super) fn device(self, id: [u8; 16]) -> Self {
        let name = Names::of(self.secure).device;
        self.with(name, &HEXLOWER.encode(&id), COOKIE_LIFE)
    }

    pub(super) fn lang(self, lang: Lang) -> Self {
        self.with("lang", lang.name(), COOKIE_LIFE)
    }

    /// The values are ours, and of letters, digits, - and _ only. Lax, and not strict: a link in a chat leads into the session.
    fn with(mut self, name: &str, value: &str, seconds: u32) -> Self {
        let secure = if self.secure { "; Secure" } else { "" };
        self.set.push(format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}"));
        self
    }
}

impl IntoResponseParts for Cookies {
    type Error = Infallible;

    fn into_response_parts(self, mut parts: ResponseParts) -> Result<ResponseParts, Infallible> {
        for cookie in self.set {
            if let Ok(value) = HeaderValue::try_from(cookie) {
                parts.headers_mut().append(header::SET_COOKIE, value);
            }
        }
        Ok(parts)
    }
}
