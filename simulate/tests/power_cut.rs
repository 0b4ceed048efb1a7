//! The short form of `make power-cut`.

use tongguan_simulate::disk::Syncs;
use tongguan_simulate::power_cut::{Thoroughness, cut_set_up, rehearse};

#[test]
fn whenever_the_power_goes_the_lists_are_the_old_or_the_new_ones_and_no_journaled_event_is_lost() {
    let outcome = rehearse(Syncs::Honest, false).unwrap().cut_everywhere(Thoroughness { every: 3, draws: 1 }).unwrap();
    assert!(outcome.failures.is_empty(), "{:#?}", outcome.failures);
    assert!(outcome.folders > 100, "{}", outcome.folders);
}

#[test]
fn a_set_up_that_the_power_cut_short_is_done_again() {
    assert!(cut_set_up(Thoroughness { every: 2, draws: 1 }).unwrap() > 20);
}

#[test]
fn a_card_that_only_says_that_it_has_written_is_found_out() {
    let outcome = rehearse(Syncs::Ignored, false).unwrap().cut_everywhere(Thoroughness { every: 9, draws: 1 }).unwrap();
    for loss in ["events are left", "neither the old nor the new"] {
        assert!(outcome.failures.iter().any(|f| f.contains(loss)), "{:#?}", outcome.failures);
    }
}
