//! The devices of this computer: the processor, and the graphics adapters that wgpu finds.

use std::sync::{Mutex, PoisonError};

use burn::tensor::{Device, DeviceKind as BurnKind, wgpu::wgpu};
use spec::{DeviceChoice, DeviceInfo, DeviceKind};

use crate::ModelError;

/// The adapters that were opened, by their index.
static STARTED: Mutex<Vec<(u32, Device, DeviceInfo)>> = Mutex::new(Vec::new());

/// An adapter, and how burn is asked for it.
struct Adapter {
    info: wgpu::AdapterInfo,
    kind: BurnKind,
}

/// Everything that can compute, the processor first, then graphics adapters in the order of `gpu:0`, `gpu:1`, ….
///
/// This asks the graphics drivers, and a broken driver can end the process: programs with a window ask from a process
/// of its own.
pub fn list() -> Vec<DeviceInfo> {
    let gpus = adapters().into_iter().enumerate().map(|(i, adapter)| DeviceInfo {
        choice: DeviceChoice::Gpu { index: i as u32 },
        kind: match adapter.info.device_type {
            wgpu::DeviceType::DiscreteGpu => DeviceKind::DiscreteGpu,
            wgpu::DeviceType::IntegratedGpu => DeviceKind::IntegratedGpu,
            wgpu::DeviceType::Cpu => DeviceKind::SoftwareGpu,
            wgpu::DeviceType::VirtualGpu | wgpu::DeviceType::Other => DeviceKind::VirtualGpu,
        },
        name: adapter.info.name,
        driver: [adapter.info.driver, adapter.info.driver_info]
            .into_iter()
            .filter(|part| !part.is_empty())
            .reduce(|a, b| format!("{a} {b}")),
        api: format!("{:?}", adapter.info.backend),
        memory: None,
    });
    std::iter::once(cpu()).chain(gpus).collect()
}

/// The processor.
pub fn cpu() -> DeviceInfo {
    let system = sysinfo::System::new().ok().map(|mut system| {
        system.refresh_memory();
        system.refresh_cpu_list(sysinfo::CpuRefreshKind::nothing());
        system
    });
    let brand = |system: &sysinfo::System| Some(system.cpus().first()?.brand().trim().to_owned());
    let name = system.as_ref().and_then(brand).filter(|brand| !brand.is_empty());
    DeviceInfo {
        choice: DeviceChoice::Cpu,
        kind: DeviceKind::Cpu,
        name: name.unwrap_or_else(|| "Processor".to_owned()),
        driver: None,
        api: instruction_set().to_owned(),
        memory: system.map(|system| system.total_memory()),
    }
}

/// The device of that name, and what is known of it.
///
/// # Errors
/// There is no such adapter, or its driver refuses.
pub fn open(choice: DeviceChoice) -> Result<(Device, DeviceInfo), ModelError> {
    match choice {
        DeviceChoice::Cpu => Ok((Device::flex(), cpu())),
        DeviceChoice::Gpu { index } => {
            // burn's runtime starts an adapter once in a process, and holds it to its end.
            let mut started = STARTED.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((_, device, info)) = started.iter().find(|(index_of, ..)| *index_of == index) {
                return Ok((device.clone(), info.clone()));
            }
            let none =
                || ModelError::Device(format!("there is no graphics adapter `gpu:{index}` on this computer"));
            let info = list().into_iter().find(|d| d.choice == choice).ok_or_else(none)?;
            let adapter = adapters().into_iter().nth(index as usize).ok_or_else(none)?;
            let device = Device::wgpu_options()
                .device_kind(adapter.kind)
                .init()
                .map_err(|e| ModelError::Device(format!("{} does not start: {e}", info.name)))?;
            started.push((index, device.clone(), info.clone()));
            Ok((device, info))
        }
    }
}

/// The adapters of the first graphics interface that has a GPU, else of the first that has anything: the one that
/// burn's runtime settles on too.
fn adapters() -> Vec<Adapter> {
    const INTERFACES: &[wgpu::Backends] = if cfg!(target_os = "macos") {
        &[wgpu::Backends::METAL]
    } else if cfg!(windows) {
        &[wgpu::Backends::VULKAN, wgpu::Backends::DX12]
    } else {
        &[wgpu::Backends::VULKAN, wgpu::Backends::GL]
    };
    let instance = wgpu::Instance::default();
    let mut software = Vec::new();
    for interface in INTERFACES {
        let found = ask(&instance, *interface);
        if found.iter().any(|a| a.info.device_type != wgpu::DeviceType::Cpu) {
            return found;
        }
        if software.is_empty() {
            software = found;
        }
    }
    software
}

fn ask(instance: &wgpu::Instance, interface: wgpu::Backends) -> Vec<Adapter> {
    let mut seen = [0usize; 3];
    let mut next = |kind: usize| {
        seen[kind] += 1;
        seen[kind] - 1
    };
    pollster::block_on(instance.enumerate_adapters(interface))
        .into_iter()
        .filter_map(|adapter| {
            let info = adapter.get_info();
            let kind = match info.device_type {
                wgpu::DeviceType::DiscreteGpu => BurnKind::DiscreteGpu(next(0)),
                wgpu::DeviceType::IntegratedGpu => BurnKind::IntegratedGpu(next(1)),
                wgpu::DeviceType::VirtualGpu => BurnKind::VirtualGpu(next(2)),
                wgpu::DeviceType::Cpu => BurnKind::Cpu,
                // burn cannot be asked for an adapter that does not say what it is.
                wgpu::DeviceType::Other => return None,
            };
            Some(Adapter { info, kind })
        })
        .collect()
}

/// Whether this processor has dot products of bfloat16.
pub fn has_bf16() -> bool {
    kernels::has_bf16()
}

fn instruction_set() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    {
        if kernels::has_bf16() {
            return "AVX-512 BF16";
        }
        if std::is_x86_feature_detected!("avx512f") {
            return "AVX-512";
        }
        if std::is_x86_feature_detected!("avx2") {
            return "AVX2";
        }
    }
    std::env::consts::ARCH
}
