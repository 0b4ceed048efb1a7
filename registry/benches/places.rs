//! Searching communities: how often what is meant is among the first five, and what a query costs.
//!
//! `cargo bench -p tongguan-registry --bench places`
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark prints its results")]

mod town;

use std::collections::BTreeMap;
use std::fs;
use std::hint::black_box;
use std::time::Instant;

use tongguan_registry::places::{PLACES_SHOWN, Place, Places};

const COMMUNITIES: usize = 10_000;
const QUERIES: usize = 200;
const ROUNDS: usize = 20;

fn main() {
    let of = |(id, name, region, aliases): town::Row| Place { id, name, region, aliases };
    let rows = town::communities(COMMUNITIES);
    let queries = town::queries(QUERIES);
    let before = Instant::now();
    let places = Places::of(rows.into_iter().map(of).collect());
    println!("{COMMUNITIES} communities made searchable in {:?}", before.elapsed());

    // Ten times as many, for a rate that hangs less on chance.
    let many = town::queries(10 * QUERIES);
    let within = |shown: usize| {
        many.iter().filter(|query| places.find(&query.text, shown).iter().any(|found| found.id == query.meant)).count()
    };
    println!("of {}: {} first, {} in the first five", many.len(), within(1), within(5));

    let mut ways: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for query in &queries {
        let hit = places.find(&query.text, 5).iter().any(|found| found.id == query.meant);
        let way = ways.entry(query.how).or_default();
        way.0 += usize::from(hit);
        way.1 += 1;
        if !hit {
            println!("missed: {query:?}");
        }
    }
    for (how, (hit, of)) in &ways {
        println!("{how:<32} {hit:>3} of {of}");
    }
    let hits: usize = ways.values().map(|(hit, _)| hit).sum();
    println!("in the first five: {hits} of {QUERIES}");

    let (mut each, mut slowest) = (0, 0);
    for query in &queries {
        let before = cpu_ns();
        for _ in 0..ROUNDS {
            black_box(places.find(black_box(&query.text), PLACES_SHOWN));
        }
        let cost = (cpu_ns() - before) / ROUNDS as u64;
        each += cost;
        slowest = slowest.max(cost);
    }
    println!("CPU per query: {} us on average, {} us for the slowest", each / QUERIES as u64 / 1000, slowest / 1000);
    for (what, text) in [("10,000 characters", "曲".repeat(10_000)), ("10,000 letters", "zhang".repeat(2_000))] {
        let before = cpu_ns();
        black_box(places.find(&text, PLACES_SHOWN));
        println!("CPU for {what}: {} us", (cpu_ns() - before) / 1000);
    }
}

/// Nanoseconds that this thread has run.
fn cpu_ns() -> u64 {
    let stat = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    stat.split_whitespace().next().unwrap().parse().unwrap()
}
