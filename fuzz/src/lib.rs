//! What the targets share.

/// Decoders that have panicked on hostile input. The checkpoint catches that, and a find in one of them is theirs; libFuzzer ends
/// at every panic that its hook sees, so it is not shown these. One that is not caught ends it all the same.
const CAUGHT: [&str; 3] = ["zune-jpeg", "rqrr", "image-"];

/// Lets the checkpoint catch panics of the decoders it uses. To be called once the fuzzer has set its own hook.
pub fn let_decoders_panic() {
    let end = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let theirs = panic.location().is_some_and(|at| CAUGHT.iter().any(|name| at.file().contains(name)));
        if !theirs {
            end(panic);
        }
    }));
}
