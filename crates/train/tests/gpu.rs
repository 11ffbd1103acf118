//! The first graphics adapter, Mesa's software Vulkan where there is no other, against the processor. One test and
//! one process: the first use of each shader costs seconds there.
#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests may give up

use spec::DeviceChoice;

#[test]
fn the_first_graphics_adapter_computes_what_the_processor_computes() {
    let choice = DeviceChoice::Gpu { index: 0 };
    let (device, info) =
        model::devices::open(choice).expect("a Vulkan driver: `cargo xtask setup` installs Mesa's");
    train::proof::prove(&device, choice).unwrap_or_else(|error| panic!("{}: {error}", info.name));
}
