//! How the tensors of a large model are shared out over files, as transformers does and expects it.

use std::path::Path;

use serde_json::{Map, json};

use crate::{ExportError, write_json};

/// No file of weights is larger, except by a single tensor that is: what transformers calls 5 GB.
pub(crate) const LARGEST_FILE: u64 = 5_000_000_000;

/// Tensors, by their place in the list they came in, for each file. Their order is kept.
pub(crate) fn share_out(sizes: &[u64], largest: u64) -> Vec<Vec<usize>> {
    let (mut shards, mut filled) = (vec![Vec::new()], 0);
    for (at, size) in sizes.iter().enumerate() {
        if filled > 0 && filled + size > largest {
            shards.push(Vec::new());
            filled = 0;
        }
        filled += size;
        if let Some(shard) = shards.last_mut() {
            shard.push(at);
        }
    }
    shards
}

/// `model.safetensors`, or `model-00001-of-00003.safetensors`.
pub(crate) fn file_name(at: usize, of: usize) -> String {
    match of {
        1 => "model.safetensors".to_owned(),
        _ => format!("model-{:05}-of-{of:05}.safetensors", at + 1),
    }
}

/// `model.safetensors.index.json`: which file holds which tensor.
pub(crate) fn write_index<'a>(
    folder: &Path,
    total_size: u64,
    places: impl IntoIterator<Item = (&'a str, String)>,
) -> Result<(), ExportError> {
    let weight_map: Map<_, _> =
        places.into_iter().map(|(name, file)| (name.to_owned(), json!(file))).collect();
    let index = json!({ "metadata": { "total_size": total_size }, "weight_map": weight_map });
    write_json(&folder.join("model.safetensors.index.json"), &index)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_tensor_is_in_one_file_and_no_file_is_too_large(
            sizes in prop::collection::vec(0u64..50, 1..40), largest in 20u64..100
        ) {
            let shards = share_out(&sizes, largest);
            prop_assert_eq!(shards.concat(), (0..sizes.len()).collect::<Vec<_>>());
            for shard in shards {
                prop_assert!(!shard.is_empty());
                let size: u64 = shard.iter().map(|at| sizes[*at]).sum();
                let alone = shard.iter().filter(|at| sizes[**at] > 0).count() <= 1;
                prop_assert!(size <= largest || alone, "{size} of {largest}");
            }
        }
    }

    #[test]
    fn files_are_named_as_transformers_names_them() {
        assert_eq!(file_name(0, 1), "model.safetensors");
        assert_eq!(file_name(1, 3), "model-00002-of-00003.safetensors");
    }
}
