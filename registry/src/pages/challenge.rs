//! The work that is asked of a browser before a message is sent: ALTCHA, protocol 2. Ten thousand
//! messages cost a bot ten thousand times as much. The time and the randomness in it are the library's own.

use altcha::{Challenge, CreateChallengeOptions, Payload, VerifySolutionOptions, create_challenge, verify_solution};
use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use data_encoding::{BASE64, HEXLOWER};
use sha2::{Digest as _, Sha256};

use crate::api::{ApiError, App};
use crate::registry::{Error, Registry};

/// Iterations of PBKDF2 for each try; of 256 tries one is right.
const COST: u32 = 2_000;
const PREFIX: &str = "00";
/// Seconds for which a challenge is good.
const LIFE: u32 = 600;
/// Bytes of a solution: the challenge again, and the answer.
const PAYLOAD_BYTES: usize = 4096;

pub(super) async fn challenge(State(app): State<App>) -> Result<Response, ApiError> {
    let challenge = app.ask(new).await?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(challenge)).into_response())
}

fn new(registry: &Registry) -> Result<Challenge, Error> {
    let options = CreateChallengeOptions {
        algorithm: "PBKDF2/SHA-256".to_owned(),
        cost: COST,
        key_prefix: PREFIX.to_owned(),
        expires_at: Some(i64::from(registry.now().saturating_add(LIFE))),
        hmac_signature_secret: Some(secret(registry)?),
        ..Default::default()
    };
    create_challenge(options)
        .map_err(|_| Error::Invalid("the challenge could not be made; this is a fault of the program"))
}

/// What names a challenge that was solved, so that its solution is good once. `None` if it is not solved.
pub(super) fn solved(registry: &Registry, work: &str) -> Result<Option<([u8; 32], u32)>, Error> {
    if work.is_empty() || work.len() > PAYLOAD_BYTES {
        return Ok(None);
    }
    let payload = BASE64.decode(work.trim().as_bytes()).ok();
    let payload = payload.and_then(|bytes| serde_json::from_slice::<Payload>(&bytes).ok());
    let Some(Payload { challenge, solution }) = payload else { return Ok(None) };
    // Before anything is computed: whoever sends it must not choose how dear that is.
    if challenge.parameters.cost != COST || challenge.parameters.key_prefix != PREFIX {
        return Ok(None);
    }
    let secret = secret(registry)?;
    let options = VerifySolutionOptions::new(&challenge, &solution, &secret);
    let verified = verify_solution(options).is_ok_and(|result| result.verified);
    let nonce = challenge.parameters.nonce.as_bytes();
    let name: [u8; 32] = Sha256::new_with_prefix(b"tongguan/1/work\0").chain_update(nonce).finalize().into();
    Ok(verified.then(|| (name, registry.now().saturating_add(LIFE))))
}

fn secret(registry: &Registry) -> Result<String, Error> {
    Ok(HEXLOWER.encode(&registry.data_key()?.keyed_hash(b"tongguan/1/data/work\0", b"")))
}
