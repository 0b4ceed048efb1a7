//! The pages' files must be there, and browsers must see when they change.

use std::collections::hash_map::DefaultHasher;
use std::hash::Hasher as _;
use std::path::Path;

fn main() {
    let dist = Path::new("web/dist");
    let mut hasher = DefaultHasher::new();
    for name in ["style.css", "app.js", "code.js", "sw.js", "icon.svg", "licenses.txt"] {
        let file = dist.join(name);
        println!("cargo::rerun-if-changed={}", file.display());
        match std::fs::read(&file) {
            Ok(bytes) => hasher.write(&bytes),
            Err(_) => {
                println!(
                    "cargo::error=registry/{} is missing: run `make setup` first (it needs Node.js)",
                    file.display()
                );
                return;
            }
        }
    }
    println!("cargo::rustc-env=TONGGUAN_WEB_HASH={:016x}", hasher.finish());
}
