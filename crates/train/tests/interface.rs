//! The graphics interface behind the first, whose kernels go through another compiler: OpenGL (Mesa's in software, where
//! there is no card), or DirectX 12. A process of its own, since the first use of each shader costs seconds.
#![allow(clippy::expect_used)] // helpers of tests may give up
#![cfg(not(target_os = "macos"))]

use burn::tensor::{Device, DeviceKind, wgpu::WgpuBackend};
use spec::DeviceChoice;

#[test]
fn the_next_interface_computes_rightly_too() {
    let interface = if cfg!(windows) { WgpuBackend::Dx12 } else { WgpuBackend::Gl };
    let options = Device::wgpu_options().device_kind(DeviceKind::DefaultDevice).graphics_api(interface);
    let device = options.init().expect("an OpenGL driver: `cargo xtask setup` installs Mesa's");
    train::proof::prove(&device, DeviceChoice::Gpu { index: 1 }).unwrap_or_else(|error| panic!("{error}"));
}
