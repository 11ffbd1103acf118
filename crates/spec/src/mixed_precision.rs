//! In how many bits products are made on a graphics adapter.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// What products are made in where weights are frozen, in the words of accelerate and transformers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "lowercase")]
pub enum MixedPrecision {
    /// 32 bits.
    #[default]
    No,
    /// f16: what goes into them is rounded to it, frozen matrices lie in it; sums and all else are in 32 bits, and the loss is
    /// scaled.
    Fp16,
}

impl MixedPrecision {
    /// Their words.
    pub(crate) const WORDS: &[&str] = &["no", "fp16"];

    const ALL: [Self; 2] = [Self::No, Self::Fp16];
}

impl fmt::Display for MixedPrecision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::WORDS[*self as usize])
    }
}

impl FromStr for MixedPrecision {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|how| how.to_string() == s);
        found.ok_or_else(|| format!("`{s}` is not one of {}", Self::WORDS.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_spelled_alike_in_options_and_files() {
        for how in MixedPrecision::ALL {
            assert_eq!(how.to_string().parse(), Ok(how));
            assert_eq!(serde_json::to_string(&how).unwrap(), format!("\"{how}\""));
        }
        assert!("bf16".parse::<MixedPrecision>().is_err());
    }
}
