//! The pure core of Thirdring: facts, rules, clocks and verdicts; no I/O, clock, randomness or async.
