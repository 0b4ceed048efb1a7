//! Whose code it is beyond doubt: not to let somebody in, but to know who stands there.

use tongguan_pass::{Freshness, Kind, Unverified};

use super::{CodeId, Inputs, Lists};

/// The pseudonym in a code that is genuine, certainly fresh also without a surge, not revoked as far as lists that hold can tell,
/// and was not shown to a gate before. A printed code is nobody's here: it is good for days to whoever has a picture of it.
pub fn holder(text: &str, inputs: &Inputs<'_>) -> Option<u32> {
    let code = Unverified::parse(text).ok()?.verify(inputs.keys).ok()?;
    let body = code.body();
    let kind_counts = match body.kind() {
        // Revoked by not being renewed.
        Kind::Live => true,
        Kind::Carried => !matches!(inputs.ladder.lists, Lists::Never | Lists::Stale { .. } | Lists::Void { .. }),
        Kind::Printed => false,
    };
    let sound = kind_counts
        && !body.flags().specimen
        && inputs.revocations.get(body.handle()).is_none()
        && code.freshness(inputs.now) == Freshness::Fresh
        && inputs.uses.of(&CodeId::of(text)).is_none();
    sound.then(|| body.handle())
}
