//! Remembers what names say: a text has few names and many places where they stand.

use std::cell::RefCell;

use super::naming::{Naming, naming};

const SLOTS: usize = 1024;
/// Longer names are judged anew.
const LONGEST: usize = 47;

#[derive(Clone, Copy)]
struct Slot {
    name: [u8; LONGEST],
    length: u8,
    naming: Naming,
}

thread_local! {
    static SEEN: RefCell<Vec<Slot>> = const { RefCell::new(Vec::new()) };
}

/// What a name says, as `naming` has it.
pub fn known(name: &[u8]) -> Naming {
    if name.is_empty() || name.len() > LONGEST {
        return naming(name);
    }
    SEEN.with(|seen| {
        let Ok(mut seen) = seen.try_borrow_mut() else {
            return naming(name);
        };
        if seen.is_empty() {
            let empty = Slot {
                name: [0; LONGEST],
                length: 0,
                naming: Naming::Neutral,
            };
            seen.resize(SLOTS, empty);
        }
        let slot = &mut seen[slot_of(name)];
        if usize::from(slot.length) != name.len() || slot.name[..name.len()] != *name {
            slot.naming = naming(name);
            slot.length = name.len() as u8;
            slot.name[..name.len()].copy_from_slice(name);
        }
        slot.naming
    })
}

fn slot_of(name: &[u8]) -> usize {
    let mut hash = name.len() as u64;
    for part in name.chunks(8) {
        let mut word = [0; 8];
        word[..part.len()].copy_from_slice(part);
        hash = (hash.rotate_left(5) ^ u64::from_le_bytes(word)).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
    (hash >> 54) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_what_the_name_says() {
        let names = ["password", "apiKey", "x", "integrity", "", "db_pass"];
        for round in 0..3 {
            for index in 0..2_000 {
                let name = format!("{}{}", names[index % names.len()], "_".repeat(index % 60));
                assert_eq!(known(name.as_bytes()), naming(name.as_bytes()), "{round} {name}");
            }
        }
    }
}
