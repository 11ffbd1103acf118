//! Frozen matrices that stay in blocks, as operands of products.
//!
//! A product decodes a panel of some rows at a time into the thread's own scratch, and multiplies with that; a single
//! token is multiplied straight from the blocks. **Invariant:** the decoded matrix never exists as a whole, unless
//! [`Weight::to_tensor`] asks for it.

mod operand;
mod weight;

pub(crate) use operand::{Operand, across, along};
pub use weight::{Quantised, Weight};
