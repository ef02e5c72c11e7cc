//! Which of the changes that wait survive: the power cuts that are tried at one
//! moment.

use crate::disk::{Change, Disk, Fate};

/// What a medium writes at once.
const SECTOR: usize = 512;
/// With so few open changes every subset is tried.
const SUBSETS_ALL: usize = 8;
/// With more, so many subsets drawn by a fixed rule.
const SUBSETS_DRAWN: u64 = 256;

/// A power cut: what becomes of each change that waits, by its index.
pub(crate) type Cut = Vec<Fate>;

/// All power cuts at this moment. The first is always the one that loses
/// nothing, then come the prefixes.
pub(crate) fn cuts(disk: &Disk) -> Vec<Cut> {
    let waiting = disk.waiting();
    let open: Vec<usize> = (0..waiting.len())
        .filter(|&index| waiting.get(index).is_some_and(|waiting| waiting.is_open()))
        .collect();
    let length = waiting.len();
    let cut = |fate: &dyn Fn(usize) -> Fate| -> Cut { (0..length).map(fate).collect() };
    let kept_if = |kept: bool| if kept { Fate::Kept } else { Fate::Lost };
    let mut cuts = vec![cut(&|_| Fate::Kept)];
    // Every prefix; every one alone lost; every one alone kept; every suffix.
    for &at in &open {
        cuts.push(cut(&|index| kept_if(index < at)));
    }
    for &at in &open {
        cuts.push(cut(&|index| kept_if(index != at)));
        cuts.push(cut(&|index| kept_if(index == at)));
        cuts.push(cut(&|index| kept_if(index > at)));
    }
    // Reordered between files: one file keeps its writes up to here, another up
    // to there, a third has all or none.
    let object = |index: usize| waiting.get(index).map(|waiting| waiting.change.object());
    for &here in &open {
        for &there in &open {
            if object(here) != object(there) {
                for others in [Fate::Kept, Fate::Lost] {
                    cuts.push(cut(&|index| {
                        if object(index) == object(here) {
                            kept_if(index <= here)
                        } else if object(index) == object(there) {
                            kept_if(index < there)
                        } else {
                            others
                        }
                    }));
                }
            }
        }
    }
    // Torn, with those after it lost, and with all others kept.
    for &at in &open {
        for fate in waiting.get(at).map(|w| torn(&w.change)).unwrap_or_default() {
            for after in [Fate::Lost, Fate::Kept] {
                cuts.push(cut(&|index| match index.cmp(&at) {
                    std::cmp::Ordering::Less => Fate::Kept,
                    std::cmp::Ordering::Equal => fate,
                    std::cmp::Ordering::Greater => after,
                }));
            }
        }
    }
    subsets(&open, &mut |kept| {
        cuts.push(cut(&|index| kept_if(kept(index))));
    });
    cuts
}

/// The ways a write can be torn: at every sector of its file, and at its half.
fn torn(change: &Change) -> Vec<Fate> {
    let Change::Write { offset, bytes, .. } = change else {
        return Vec::new();
    };
    let first = SECTOR - offset % SECTOR;
    let mut places: Vec<usize> = (first..bytes.len()).step_by(SECTOR).collect();
    places.push(bytes.len() / 2);
    let mut fates: Vec<Fate> = places
        .into_iter()
        .filter(|&place| place > 0)
        .flat_map(|place| [Fate::Head(place), Fate::Tail(place)])
        .collect();
    fates.push(Fate::Zeroed);
    fates
}

/// Told which of the open writes survive.
type Survivors<'a> = dyn Fn(usize) -> bool + 'a;

fn subsets(open: &[usize], visit: &mut dyn FnMut(&Survivors<'_>)) {
    let mut tried = |bits: u64| {
        visit(&|index| {
            let place = open.iter().position(|&at| at == index).unwrap_or(0);
            bits >> (place % 64) & 1 == 1
        });
    };
    if open.len() <= SUBSETS_ALL {
        (0..1 << open.len()).for_each(&mut tried);
    } else {
        // A fixed sequence (splitmix64): the same subsets every time.
        let mut state = 0x3372_6e67_u64;
        for _ in 0..SUBSETS_DRAWN {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            tried(mixed ^ mixed >> 27);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::{Event, Medium};

    #[test]
    fn the_cuts_hold_what_they_should() {
        let mut disk = Disk::new(Medium::default());
        for (file, offset) in [(0, 0), (1, 700), (0, 600)] {
            disk.step(&Event::Change(Change::Write {
                file,
                offset,
                bytes: vec![7; 600].into(),
            }));
        }
        let cuts = cuts(&disk);
        use Fate::{Head, Kept, Lost, Tail};
        for wanted in [
            [Kept, Kept, Kept],
            [Kept, Lost, Lost],
            [Kept, Lost, Kept],
            [Lost, Lost, Kept],
            [Kept, Head(324), Lost],
            [Kept, Tail(300), Kept],
            [Head(512), Lost, Lost],
            [Fate::Zeroed, Kept, Kept],
        ] {
            assert!(cuts.contains(&wanted.to_vec()), "{wanted:?}");
        }
        assert_eq!(cuts[0], [Kept; 3]);
    }
}
