//! Files as blocks: a file is split into blocks, and a keyfile under the SHA-1 of the file's name
//! lists their keys.
//!
//! A keyfile is the length of the file, 8 bytes big-endian, and then the 20 bytes of each key in
//! order.

use super::block::Content;
use crate::space::Key;

/// Bytes of a key in a keyfile.
const KEY: usize = 20;
/// Bytes of the file length in a keyfile.
const LENGTH: usize = 8;

/// The key of the keyfile of the file with this name.
pub fn key_of(name: &str) -> Key {
    Key::sha1(name.as_bytes())
}

/// Splits a file into blocks of `block_size` bytes >= 1, the last of which may be shorter; returns
/// the blocks and the keyfile. Each byte of a block stands for `scale`.
pub fn split(file: &[u8], block_size: u32, scale: u32) -> (Vec<Content>, Content) {
    let block = |bytes| Content::new(bytes).scaled(scale);
    let blocks: Vec<Content> = file.chunks(block_size as usize).map(block).collect();
    let mut keyfile = (file.len() as u64).to_be_bytes().to_vec();
    for block in &blocks {
        keyfile.extend(block.digest().to_bytes());
    }
    (blocks, Content::new(keyfile))
}

/// Parses a keyfile: the length of the file, and the keys of its blocks; `None` if it is malformed.
pub fn read_keyfile(keyfile: &[u8]) -> Option<(u64, Vec<Key>)> {
    let (length, keys) = keyfile.split_first_chunk::<LENGTH>()?;
    let (keys, rest) = keys.as_chunks::<KEY>();
    let keys = keys.iter().map(|key| Key::from_bytes(*key)).collect();
    rest.is_empty().then(|| (u64::from_be_bytes(*length), keys))
}

/// Whether the file of these blocks has the length that its keyfile states.
pub fn has_length(length: u64, blocks: &[Content]) -> bool {
    length
        == blocks
            .iter()
            .map(|block| block.bytes().len() as u64)
            .sum::<u64>()
}

/// The bytes of the file of these blocks.
pub fn join(blocks: &[Content]) -> Vec<u8> {
    let bytes = blocks.iter().flat_map(|block| block.bytes());
    bytes.copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_file_is_what_its_blocks_are(
            file in prop::collection::vec(any::<u8>(), 0..300),
            block_size in 1u32..70,
            scale in 1u32..=200,
        ) {
            let (blocks, keyfile) = split(&file, block_size, scale);
            prop_assert_eq!(blocks.len(), file.len().div_ceil(block_size as usize));
            let (length, keys) = read_keyfile(keyfile.bytes()).expect("a keyfile");
            let digests: Vec<Key> = blocks.iter().map(Content::digest).collect();
            prop_assert_eq!(keys, digests);
            prop_assert!(has_length(length, &blocks));
            let size: u64 = blocks.iter().map(Content::size).sum();
            prop_assert_eq!(size, length * u64::from(scale));
            prop_assert_eq!(join(&blocks), file);
        }

        #[test]
        fn what_is_no_keyfile_is_refused(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let whole = bytes.len() >= LENGTH && (bytes.len() - LENGTH).is_multiple_of(KEY);
            prop_assert_eq!(read_keyfile(&bytes).is_some(), whole);
        }
    }

    #[test]
    fn a_file_that_lacks_bytes_is_noticed() {
        let (blocks, _) = split(b"abcdef", 4, 1);
        assert!(has_length(6, &blocks));
        assert!(!has_length(7, &blocks));
        assert!(!has_length(6, &blocks[..1]));
    }
}
