//! Signatures and keys that lax Ed25519 verifiers disagree about (PF 3.2, 3.3).

use curve25519_dalek::constants::EIGHT_TORSION;
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use ed25519_dalek::SigningKey;
use sha2::{Digest as _, Sha512};

/// A point of order 8.
pub(crate) fn order_eight() -> EdwardsPoint {
    EIGHT_TORSION[1]
}

/// The eight points of small order, in their canonical encoding.
pub(crate) fn small_order() -> Vec<[u8; 32]> {
    EIGHT_TORSION.iter().map(|p| p.compress().to_bytes()).collect()
}

/// Bytes whose value is `y + p` for a small `y`: another encoding of the point with that `y`.
pub(crate) fn plus_p(y: u8) -> [u8; 32] {
    assert!(y < 19, "else it does not fit 255 bits");
    let mut bytes = [0xff; 32];
    bytes[0] = 0xed + y;
    bytes[31] = 0x7f;
    bytes
}

/// The smallest `y` above 1 for which there is a point; it is of large order.
pub(crate) fn small_y() -> u8 {
    (2..19).find(|y| decompress(*y).is_some_and(|p| !p.is_small_order())).expect("there is one")
}

/// The smallest `y` for which there is no point.
pub(crate) fn no_point() -> [u8; 32] {
    let y = (2..=255).find(|y| decompress(*y).is_none()).expect("there is one");
    canonical(y)
}

fn decompress(y: u8) -> Option<EdwardsPoint> {
    CompressedEdwardsY(canonical(y)).decompress()
}

fn canonical(y: u8) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[0] = y;
    bytes
}

/// A holder key with a component of order 8: `aB + T`.
pub(crate) fn mixed_order(key: &SigningKey) -> [u8; 32] {
    (EdwardsPoint::mul_base(&scalar(key)) + order_eight()).compress().to_bytes()
}

/// `k = SHA-512(R || A || message)`, reduced modulo the group order.
fn challenge(r: &[u8; 32], public: &[u8; 32], message: &[u8]) -> Scalar {
    let hash = Sha512::new().chain_update(r).chain_update(public).chain_update(message).finalize();
    Scalar::from_bytes_mod_order_wide(&hash.into())
}

fn scalar(key: &SigningKey) -> Scalar {
    let hash: [u8; 64] = Sha512::digest(key.to_bytes()).into();
    let mut low = [0; 32];
    low.copy_from_slice(&hash[..32]);
    Scalar::from_bytes_mod_order(curve25519_dalek::scalar::clamp_integer(low))
}

/// A signature made with the private key, with these bytes as R and `r` as their scalar: `S = r + k a`.
pub(crate) fn with_r(key: &SigningKey, public: &[u8; 32], r_bytes: [u8; 32], r: Scalar, message: &[u8]) -> [u8; 64] {
    let s = r + challenge(&r_bytes, public, message) * scalar(key);
    [r_bytes, s.to_bytes()].concat().try_into().expect("64 bytes")
}

/// R with a component of order 8: `[8][S]B = [8]R + [8][k]A` holds, and without the cofactor it does not.
pub(crate) fn mixed_r(key: &SigningKey, message: &[u8]) -> [u8; 64] {
    let r = Scalar::from(7_u64);
    let r_bytes = (EdwardsPoint::mul_base(&r) + order_eight()).compress().to_bytes();
    with_r(key, &key.verifying_key().to_bytes(), r_bytes, r, message)
}

/// A signature under [`mixed_order`]'s key that holds without the cofactor (`exact`), or only with it.
pub(crate) fn under_mixed_key(key: &SigningKey, message: &[u8], exact: bool) -> [u8; 64] {
    let public = mixed_order(key);
    for r in 1_u64.. {
        let r = Scalar::from(r);
        let r_bytes = EdwardsPoint::mul_base(&r).compress().to_bytes();
        let divisible = challenge(&r_bytes, &public, message).as_bytes()[0].is_multiple_of(8);
        if divisible == exact {
            return with_r(key, &public, r_bytes, r, message);
        }
    }
    unreachable!("one in eight serves")
}

/// The same signature with `S + L`, which an unreduced verifier takes for another good one.
pub(crate) fn s_plus_l(mut signature: [u8; 64]) -> [u8; 64] {
    // L = 2^252 + 27742317777372353535851937790883648493, little-endian.
    const L: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut carry = 0;
    for (s, l) in signature[32..].iter_mut().zip(L) {
        let sum = u16::from(*s) + u16::from(l) + carry;
        let [high, low] = sum.to_be_bytes();
        *s = low;
        carry = u16::from(high);
    }
    assert_eq!(carry, 0, "S + L is below 2^253");
    signature
}
