//! peek
fn main() {
    for name in thirdring_manuals::NAMES {
        let b = thirdring_manuals::shipped(name).unwrap();
        let cases: usize = b.rules.iter().map(|r| r.cases.len()).sum();
        println!("{name}: {} rules, {} clauses, {cases} cases, {} warnings, {}", b.rules.len(), b.rules.iter().map(|r| r.clauses.len()).sum::<usize>(), b.warnings.len(), b.digest);
        for w in &b.warnings { println!("  {w}"); }
    }
    let b = thirdring_manuals::shipped("unis").unwrap();
    for r in &b.rules { for c in &r.clauses { println!("{}.{} [{}] {}", r.id, c.number, c.form.kind(), c.describe()); } }
}
