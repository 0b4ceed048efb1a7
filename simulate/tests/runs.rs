//! The short form of `make simulate`.

use tongguan_simulate::run::run;

#[test]
fn no_gate_says_what_a_perfect_observer_would_not() {
    let seeds: Vec<u64> = (1..=36).collect();
    let half = seeds.len() / 2;
    std::thread::scope(|scope| {
        for seeds in [&seeds[..half], &seeds[half..]] {
            scope.spawn(move || {
                for seed in seeds {
                    let outcome = run(*seed);
                    let steps: Vec<&str> = outcome.trace.lines().collect();
                    let again = format!("again: make simulate SEEDS=1 FROM={seed}");
                    assert_eq!(outcome.failure, None, "{again}\n{}", steps.join("\n"));
                }
            });
        }
    });
}

#[test]
fn a_seed_goes_the_same_way_each_time() {
    for seed in [7, 8] {
        assert_eq!(run(seed).trace.hash(), run(seed).trace.hash(), "seed {seed}");
    }
    assert_ne!(run(7).trace.hash(), run(8).trace.hash());
}
