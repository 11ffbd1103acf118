//! How frozen weights are kept.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// How the weights that do not learn are kept in memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "lowercase")]
pub enum Quantization {
    /// Each number for itself, in 32 bits.
    #[default]
    None,
    /// Matrices in bfloat16, multiplied as such: half the memory, and quicker where the processor has dot products of them.
    Bf16,
    /// In the blocks that the file has them in, where it has such: of GGUF files.
    Stored,
    /// Linear layers in 4-bit NormalFloat, 64 numbers to a block, as QLoRA and bitsandbytes have them.
    Nf4,
    /// Linear layers in 8 bits, 32 numbers to a block.
    Q8_0,
}

impl Quantization {
    /// Their words.
    pub(crate) const WORDS: &[&str] = &["none", "bf16", "stored", "nf4", "q8_0"];

    const ALL: [Self; 5] = [Self::None, Self::Bf16, Self::Stored, Self::Nf4, Self::Q8_0];
}

impl fmt::Display for Quantization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::WORDS[*self as usize])
    }
}

impl FromStr for Quantization {
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
        for how in Quantization::ALL {
            assert_eq!(how.to_string().parse(), Ok(how));
            assert_eq!(serde_json::to_string(&how).unwrap(), format!("\"{how}\""));
        }
        assert!("q5".parse::<Quantization>().is_err());
    }
}
