//! What a gate's lists cost in a day: a city of 13 million in which 13,000 handles are dropped and as many expire each day.
//!
//! The real registry on a clock of our own, served over HTTP as it is; the real gate syncs each minute through a proxy that
//! counts what goes over the wire, without the headers of TCP and IP. `make bench` runs it.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark prints its results")]

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tongguan::clock::{Settings, TrustedClock};
use tongguan::store::{DataDir, DeviceKey, Journal, TrustStore};
use tongguan::sync;
use tongguan_pass::SigningKey;
use tongguan_registry::domain::audit::Actor;
use tongguan_registry::domain::handle::DropReason;
use tongguan_registry::domain::issue::Order;
use tongguan_registry::domain::person::{Name, PersonId};
use tongguan_registry::edge::{Edge, SystemEntropy};
use tongguan_registry::registry::Particulars;
use tongguan_registry::{Registry, api};
use tongguan_simulate::power_cut::scratch;
use tongguan_simulate::world::{FakeMachine, MachineState, Ntp, SECOND, World};

/// Handles dropped in a day.
const DROPPED: u32 = 13_000;
/// `serve --publish-every`, seconds, and the default of `sync.every_s`.
const PUBLISH_EVERY: u32 = 300;
const SYNC_EVERY: u32 = 60;
const DAY: u32 = 86_400;
const START: i128 = 1_830_297_600 * SECOND;
const UNCHANGED_BYTES: u64 = 2_000;
const DAY_BYTES: u64 = 1_000_000;

fn main() {
    let folder = scratch().unwrap();
    let ntp = Ntp::Good { off: 0, error: Duration::from_millis(10) };
    let world = World::new(START, vec![MachineState { elapsed: 0, boot: 1, wall: START, ntp, off_ppb: 0, rtc: None }]);
    let edge = Edge { clock: Arc::new(world.clone()), entropy: Arc::new(SystemEntropy) };
    let at = folder.path().join("registry");
    let root = std::fs::read(Registry::init_at(&at, edge.clone()).unwrap().root).unwrap();
    let city = City::new(Registry::open_at(&at, edge).unwrap());
    // As many as a day drops were dropped yesterday and the day before; what was dropped then expires now.
    for _ in 0..3 {
        city.drop_handles(DROPPED);
        world.pass(i128::from(DAY) * SECOND);
        city.registry.publish(Actor::Registry).unwrap();
    }
    let server = city.serve();
    let wire = Wire::before(server);

    let dir = DataDir::init(&folder.path().join("gate"), &root).unwrap();
    let mut store = TrustStore::open(&dir).unwrap();
    let (journal, device) = (Journal::open(&dir).unwrap(), DeviceKey::open(&dir).unwrap());
    let settings = Settings { drift_ppm: 100, rtc_drift_ppm: 100, unsynced_error: Duration::ZERO };
    let clock = TrustedClock::new(FakeMachine { world: world.clone(), number: 0 }, settings, None);
    let transport = sync::open(&format!("http://{}", wire.address), dir.partial_file());
    let mut sync = || sync::sync(transport.as_ref(), &mut store, &journal, &device, &clock).unwrap();
    let first = sync();
    assert!(first.changed);
    let (_, to_begin) = wire.take();

    let (mut requests, mut bytes, mut changed, mut unchanged) = (0, 0, Vec::new(), Vec::new());
    let mut dropped = 0;
    for second in (0..DAY).step_by(SYNC_EVERY as usize) {
        let due = DROPPED * ((second + SYNC_EVERY) / SYNC_EVERY) / (DAY / SYNC_EVERY);
        city.drop_handles(due - dropped);
        dropped = due;
        city.registry.publish_if_due(PUBLISH_EVERY).unwrap();
        let started = Instant::now();
        let report = sync();
        let took = started.elapsed();
        let (asked, sent) = wire.take();
        (requests, bytes) = (requests + asked, bytes + sent);
        // Once a day the time is asked for as well.
        match (report.changed, asked) {
            (true, _) => changed.push((took, sent)),
            (false, 1) => unchanged.push((took, sent)),
            (false, _) => {}
        }
        world.pass(i128::from(SYNC_EVERY) * SECOND);
    }
    let revoked = store.load().unwrap().revocations.entries().len();

    let bound = entropy_bytes(f64::from(DROPPED));
    let most = unchanged.iter().map(|(_, sent)| *sent).max().unwrap();
    let mean = |all: &[(Duration, u64)]| all.iter().map(|(t, _)| t.as_secs_f64() * 1e3).sum::<f64>() / all.len() as f64;
    println!("\na day of one gate: {DROPPED} handles dropped and as many expired, {revoked} in the set at the end");
    println!("  a new gate's first sync           {to_begin:>9} bytes");
    println!("  an unchanged sync                 {most:>9} bytes, 1 request; {:.2} ms", mean(&unchanged));
    let heads = changed.iter().map(|(_, sent)| *sent).sum::<u64>() / changed.len() as u64;
    println!("  a changed one                     {heads:>9} bytes; {:.2} ms with its transaction", mean(&changed));
    println!("  syncs                             {:>9}, of them {} changed", DAY / SYNC_EVERY, changed.len());
    println!("  the day's traffic                 {bytes:>9} bytes, {requests} requests");
    println!("  entropy bound of the day's drops  {bound:>9.0} bytes: the traffic is {:.1} x", bytes as f64 / bound);
    assert!(most <= UNCHANGED_BYTES, "an unchanged sync may cost {UNCHANGED_BYTES} bytes");
    assert!(bytes <= DAY_BYTES, "a day may cost {DAY_BYTES} bytes");
}

/// log2 C(2^32, n) bits in bytes, by Stirling.
fn entropy_bytes(n: f64) -> f64 {
    let all = 2_f64.powi(32);
    let ln = n * (all / n).ln() + n - 0.5 * (2.0 * std::f64::consts::PI * n).ln() - n * n / (2.0 * all);
    ln / std::f64::consts::LN_2 / 8.0
}

/// The registry, and a person who gets a certificate and loses it over and over: each time it is another handle.
struct City {
    registry: Arc<Registry>,
    person: PersonId,
    order: Order,
}

impl City {
    fn new(registry: Registry) -> Self {
        let (person, _) = registry.add_person(Particulars::new(Name::parse("bench").unwrap(), 1, 0)).unwrap();
        let holder = SigningKey::from_bytes(&[7; 32]).verifying_key();
        Self { registry: Arc::new(registry), person, order: Order::Certificate { holder, hours: 24 } }
    }

    fn drop_handles(&self, count: u32) {
        for _ in 0..count {
            self.registry.issue(&self.person, self.order, None, Actor::Operator).unwrap();
            assert_eq!(self.registry.revoke(&self.person, DropReason::Lost).unwrap(), 1);
        }
    }

    fn serve(&self) -> SocketAddr {
        let app = api::app(Arc::clone(&self.registry), Arc::new(api::Web::new(false, 0, None)));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                axum::serve(tokio::net::TcpListener::from_std(listener).unwrap(), app).await.unwrap();
            });
        });
        address
    }
}

/// A proxy that counts.
struct Wire {
    address: SocketAddr,
    counts: Arc<(AtomicU64, AtomicU64)>,
}

impl Wire {
    fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, counts) = (listener.local_addr().unwrap(), Arc::new((AtomicU64::new(0), AtomicU64::new(0))));
        let counted = Arc::clone(&counts);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let server = TcpStream::connect(server).unwrap();
                for stream in [&client, &server] {
                    stream.set_nodelay(true).unwrap();
                }
                let (up, down) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                let (there, back) = (Arc::clone(&counted), Arc::clone(&counted));
                std::thread::spawn(move || carry(up, server, &there));
                std::thread::spawn(move || carry(down, client, &back));
            }
        });
        Self { address, counts }
    }

    /// Requests and bytes since the last call.
    fn take(&self) -> (u64, u64) {
        (self.counts.0.swap(0, Ordering::SeqCst), self.counts.1.swap(0, Ordering::SeqCst))
    }
}

/// Counts before it hands on, so that whoever has an answer can read its cost.
fn carry(mut from: TcpStream, mut to: TcpStream, counts: &(AtomicU64, AtomicU64)) {
    let mut buffer = vec![0; 65_536];
    while let Ok(read) = from.read(&mut buffer)
        && read > 0
    {
        let bytes = &buffer[..read];
        let begins = [b"GET ".as_slice(), b"POST "].iter().any(|verb| bytes.starts_with(verb));
        counts.0.fetch_add(u64::from(begins), Ordering::SeqCst);
        counts.1.fetch_add(read as u64, Ordering::SeqCst);
        if to.write_all(bytes).is_err() {
            return;
        }
    }
    to.shutdown(std::net::Shutdown::Write).ok();
}
