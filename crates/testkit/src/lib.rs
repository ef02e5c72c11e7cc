//! Given, when, then over a rulebook; generated facts and histories.
