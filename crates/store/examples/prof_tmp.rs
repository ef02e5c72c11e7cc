#[path = "../benches/load/mod.rs"]
mod load;
use load::*;
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let sync = if a[1] == "full" {
        Sync::Full
    } else {
        Sync::Normal
    };
    let w: usize = a[2].parse().unwrap();
    let n: u64 = a[3].parse().unwrap();
    let e = match w {
        0 => Engine::RawBare,
        1000 => Engine::RawUnique,
        w => Engine::Log(w),
    };
    let dir = tempfile::tempdir().unwrap();
    let t = run(e, sync, dir.path(), n);
    println!("{} {:.0}/s", e.name(), n as f64 / t.as_secs_f64());
}
