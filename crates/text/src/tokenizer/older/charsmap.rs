//! Whether a precompiled map of characters can be followed: the library that does follow it trusts every offset in it.
//!
//! The map is the length of a double-array trie in bytes, the trie (32 bits each), and the replacements, a zero byte
//! after each. A leaf of the trie holds where its replacement begins.

const BROKEN: &str = "its map of characters is broken";

/// That no text leads outside of the map.
pub(super) fn check(map: &[u8]) -> Result<(), &'static str> {
    if map.is_empty() {
        return Ok(());
    }
    let (len, rest) = map.split_first_chunk::<4>().ok_or(BROKEN)?;
    let len = u32::from_le_bytes(*len) as usize / 4 * 4;
    let (trie, replacements) = rest.split_at_checked(len).ok_or(BROKEN)?;
    let units: Vec<u32> = trie.as_chunks::<4>().0.iter().map(|unit| u32::from_le_bytes(*unit)).collect();
    let replacements = std::str::from_utf8(replacements).map_err(|_| BROKEN)?;
    follow(&units, replacements).ok_or(BROKEN)
}

/// Visits every node that some bytes lead to.
fn follow(units: &[u32], replacements: &str) -> Option<()> {
    let mut seen = vec![false; units.len()];
    let mut next = vec![offset(*units.first()?)];
    while let Some(base) = next.pop() {
        // Whatever byte comes next is looked up, also one that leads nowhere.
        if base | 0xff >= units.len() {
            return None;
        }
        if std::mem::replace(&mut seen[base], true) {
            continue;
        }
        for byte in 1..=0xff {
            let at = base ^ byte;
            let unit = units[at];
            if unit & (1 << 31 | 0xff) != byte as u32 {
                continue;
            }
            let child = at ^ offset(unit);
            if unit >> 8 & 1 == 1 {
                let begins = *units.get(child)? & !(1 << 31);
                replacements.get(begins as usize..)?;
            }
            next.push(child);
        }
    }
    Some(())
}

fn offset(unit: u32) -> usize {
    ((unit >> 10) as usize) << ((unit & 1 << 9) >> 6)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A trie of two blocks in which `a` is replaced by what begins at `begins`.
    fn map(begins: u32, child: u32) -> Vec<u8> {
        let mut units = vec![0u32; 512];
        units[usize::from(b'a')] = u32::from(b'a') | 1 << 8 | (child ^ u32::from(b'a')) << 10;
        units[256] = begins | 1 << 31;
        let mut map = 2048u32.to_le_bytes().to_vec();
        map.extend(units.iter().flat_map(|unit| unit.to_le_bytes()));
        map.extend("ä\0".as_bytes());
        map
    }

    #[test]
    fn a_map_that_leads_astray_is_refused() {
        assert_eq!(check(&map(0, 256)), Ok(()));
        assert_eq!(check(&map(3, 256)), Ok(()), "the end is a place");
        assert_eq!(check(&map(1, 256)), Err(BROKEN), "half a character is none");
        assert_eq!(check(&map(4, 256)), Err(BROKEN), "past the end");
        assert_eq!(check(&map(0, 1 << 20)), Err(BROKEN), "a node outside");
        assert_eq!(check(&[255, 255, 255, 255, 0]), Err(BROKEN), "longer than the file");
        assert_eq!(check(&[0, 0, 0, 0]), Err(BROKEN), "no root");
    }
}
