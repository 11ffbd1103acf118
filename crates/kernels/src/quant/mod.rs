//! Frozen matrices that stay in blocks, as operands of products.
//!
//! A product on the processor decodes a panel of some rows at a time into the thread's own scratch, and multiplies with
//! that; a single token is multiplied straight from the blocks. **Invariant:** the decoded matrix never exists as a whole
//! there, unless [`Weight::to_tensor`] asks for it. On an adapter (`cube/product.rs`) one matrix at a time does.

mod operand;
mod weight;

pub(crate) use operand::{Operand, across, along};
pub(crate) use weight::Lies;
pub use weight::{Quantised, Weight};
