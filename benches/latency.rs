//! From a decoded text to the relay: 200 frames, each with another code, through the real program; the distribution of
//! its events' latency fields.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark prints its results")]

use std::path::Path;
use std::process::Command;

use serde_json::Value;

const FRAMES: usize = 200;

fn run(program: &Path, args: &[&str]) -> Vec<Value> {
    let output = Command::new(program).args(args).env("TONGGUAN_LOG", "warn").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

fn main() {
    let checkpoint = Path::new(env!("CARGO_BIN_EXE_tongguan"));
    let registry = checkpoint.with_file_name("tongguan-registry");
    assert!(registry.exists(), "run `cargo build --release -p tongguan-registry` first (make bench does)");
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    let (city, gate, stick, frames) = (path("registry"), path("checkpoint"), path("stick"), path("frames"));

    run(&registry, &["init", "--data", &city, "--json"]);
    std::fs::create_dir(&frames).unwrap();
    for i in 0..FRAMES {
        let person = &run(&registry, &["person", "add", "--name", "bench", "--data", &city, "--json"])[0];
        let id = person["person"].as_str().unwrap();
        let code = &run(&registry, &["code", "live", "--person", id, "--data", &city, "--json"])[0];
        let qr =
            qrcode::QrCode::with_error_correction_level(code["code"].as_str().unwrap(), qrcode::EcLevel::M).unwrap();
        let picture: image::GrayImage = qr.render::<image::Luma<u8>>().module_dimensions(8, 8).build();
        let mut frame = image::GrayImage::from_pixel(1280, 720, image::Luma([90]));
        image::imageops::replace(&mut frame, &picture, 400, 150);
        frame.save(format!("{frames}/{i:04}.png")).unwrap();
    }
    run(&registry, &["bundle", &stick, "--data", &city, "--json"]);
    run(checkpoint, &["init", "--data", &gate, "--registry", "", "--root", &format!("{city}/root.pub"), "--json"]);
    run(checkpoint, &["sync", "--data", &gate, "--from", &stick, "--json"]);
    let camera = format!("replay:{frames}?fps=15&loop=0");
    let events = run(
        checkpoint,
        &["run", "--data", &gate, "--camera", &camera, "--gate", "sim", "--screen", "none", "--events", "-"],
    );
    assert_eq!(events.len(), FRAMES, "every frame is judged");
    assert!(events.iter().all(|e| e["gate"] == "opened"), "every code opens the gate");

    println!("\n{FRAMES} frames 1280x720 at 15 fps, microseconds  {:>8} {:>8} {:>8} {:>8}", "p50", "p90", "p99", "max");
    let row = |name: &str, of: &dyn Fn(&Value) -> u64| {
        let mut all: Vec<u64> = events.iter().map(of).collect();
        all.sort_unstable();
        let at = |percent: usize| all[(all.len() - 1) * percent / 100];
        println!("{name:<42} {:>8} {:>8} {:>8} {:>8}", at(50), at(90), at(99), at(100));
    };
    let field = |e: &Value, name: &str| e["latency_us"][name].as_u64().unwrap();
    row("capture: frame to decoder", &|e| field(e, "capture"));
    row("decode: frame to text", &|e| field(e, "decode"));
    row("decide: text to verdict", &|e| field(e, "decide"));
    row("relay: verdict to relay", &|e| field(e, "relay"));
    row("text to relay", &|e| field(e, "decide") + field(e, "relay"));
}
