//! The devices of this computer: the processor, and the graphics adapters that wgpu finds.

use std::sync::{Mutex, PoisonError};

use burn::tensor::{
    Device, DeviceKind as BurnKind,
    wgpu::{WgpuBackend, wgpu},
};
use spec::{DeviceChoice, DeviceInfo, DeviceKind};

use crate::ModelError;

/// The graphics interfaces that are asked, the best first. Each has a compiler of its own for what a kernel says: what one
/// gets wrong or dies of, the next may get right.
const INTERFACES: &[(wgpu::Backends, WgpuBackend)] = if cfg!(target_os = "macos") {
    &[(wgpu::Backends::METAL, WgpuBackend::Metal)]
} else if cfg!(windows) {
    &[(wgpu::Backends::VULKAN, WgpuBackend::Vulkan), (wgpu::Backends::DX12, WgpuBackend::Dx12)]
} else {
    &[(wgpu::Backends::VULKAN, WgpuBackend::Vulkan), (wgpu::Backends::GL, WgpuBackend::Gl)]
};

/// The adapters that were opened, by their index.
static STARTED: Mutex<Vec<(u32, Device, DeviceInfo)>> = Mutex::new(Vec::new());

/// An adapter as one interface shows it, and how burn is asked for it.
struct Adapter {
    info: wgpu::AdapterInfo,
    memory: Option<u64>,
    has_f16: bool,
    kind: BurnKind,
    interface: WgpuBackend,
}

impl Adapter {
    fn is_software(&self) -> bool {
        self.info.device_type == wgpu::DeviceType::Cpu
    }

    fn into_device(self, index: u32) -> DeviceInfo {
        // A card has a name of its own by each interface.
        let name = match self.interface {
            WgpuBackend::Dx12 => format!("{} (DirectX 12)", self.info.name),
            WgpuBackend::Gl => format!("{} (OpenGL)", self.info.name),
            _ => self.info.name,
        };
        DeviceInfo {
            choice: DeviceChoice::Gpu { index },
            kind: match self.info.device_type {
                wgpu::DeviceType::DiscreteGpu => DeviceKind::DiscreteGpu,
                wgpu::DeviceType::IntegratedGpu => DeviceKind::IntegratedGpu,
                wgpu::DeviceType::Cpu => DeviceKind::SoftwareGpu,
                wgpu::DeviceType::VirtualGpu | wgpu::DeviceType::Other => DeviceKind::VirtualGpu,
            },
            name,
            driver: [self.info.driver, self.info.driver_info]
                .into_iter()
                .filter(|part| !part.is_empty())
                .reduce(|a, b| format!("{a} {b}")),
            api: format!("{:?}", self.info.backend),
            memory: self.memory,
            has_f16: self.has_f16,
        }
    }
}

/// Everything that can compute, the processor first, then graphics adapters in the order of `gpu:0`, `gpu:1`, …: a card is
/// there once for each interface that has it.
///
/// This asks the graphics drivers, and a broken driver can end the process: programs with a window ask from a process
/// of its own.
pub fn list() -> Vec<DeviceInfo> {
    let gpus = (0..).zip(adapters()).map(|(index, adapter)| adapter.into_device(index));
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
        has_f16: false,
    }
}

/// The device of that name, and what is known of it.
///
/// # Errors
/// There is no such adapter, or its driver refuses.
pub fn open(choice: DeviceChoice) -> Result<(Device, DeviceInfo), ModelError> {
    open_for(choice, None)
}

/// The same; of an adapter's kernels, at most so many go to it as one submission.
///
/// # Errors
/// As [`open`].
pub fn open_for(
    choice: DeviceChoice,
    kernels_at_once: Option<u32>,
) -> Result<(Device, DeviceInfo), ModelError> {
    match choice {
        DeviceChoice::Cpu => Ok((Device::flex(), cpu())),
        DeviceChoice::Gpu { index } => {
            // burn's runtime starts an adapter once in a process, and holds it to its end.
            let mut started = STARTED.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((_, device, info)) = started.iter().find(|(index_of, ..)| *index_of == index) {
                return Ok((device.clone(), info.clone()));
            }
            let adapter = adapters().nth(index as usize).ok_or_else(|| {
                ModelError::Device(format!("there is no graphics adapter `gpu:{index}` on this computer"))
            })?;
            let options =
                Device::wgpu_options().device_kind(adapter.kind.clone()).graphics_api(adapter.interface);
            let options = match kernels_at_once {
                Some(n) => options.tasks_max(n.max(1) as usize),
                None => options,
            };
            let info = adapter.into_device(index);
            let device = options
                .init()
                .map_err(|e| ModelError::Device(format!("{} does not start: {e}", info.name)))?;
            started.push((index, device.clone(), info.clone()));
            Ok((device, info))
        }
    }
}

/// The cards of each interface, the first interface's first, then what computes in software, of one interface only.
/// An interface is not asked before its adapters are wanted.
fn adapters() -> impl Iterator<Item = Adapter> {
    let cards = INTERFACES.iter().flat_map(ask).filter(|adapter| !adapter.is_software());
    let software = || {
        let of_each = INTERFACES.iter().map(|i| ask(i).into_iter().filter(Adapter::is_software).collect());
        of_each.into_iter().find(|found: &Vec<Adapter>| !found.is_empty()).unwrap_or_default()
    };
    cards.chain(std::iter::once_with(software).flatten())
}

fn ask((interface, of_burn): &(wgpu::Backends, WgpuBackend)) -> Vec<Adapter> {
    let mut seen = [0usize; 3];
    let mut next = |kind: usize| {
        seen[kind] += 1;
        seen[kind] - 1
    };
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor {
        backends: *interface,
        ..wgpu::InstanceDescriptor::new_without_display_handle()
    });
    pollster::block_on(instance.enumerate_adapters(*interface))
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
            let has_f16 = adapter.features().contains(wgpu::Features::SHADER_F16);
            Some(Adapter { info, memory: memory(&adapter), has_f16, kind, interface: *of_burn })
        })
        .collect()
}

/// Bytes of the largest heap that is the adapter's own, where its interface says: Vulkan does. What computes in software,
/// and what is built in, has its share of the computer's there.
#[cfg(not(target_os = "macos"))]
fn memory(adapter: &wgpu::Adapter) -> Option<u64> {
    /// `VK_MEMORY_HEAP_DEVICE_LOCAL_BIT`
    const OF_ITS_OWN: u32 = 1;
    // SAFETY: the adapter is only looked at, and outlives what is looked at.
    let adapter = unsafe { adapter.as_hal::<wgpu::hal::api::Vulkan>() }?;
    let instance = adapter.shared_instance().raw_instance();
    // SAFETY: a physical device of this instance, which is alive.
    let found = unsafe { instance.get_physical_device_memory_properties(adapter.raw_physical_device()) };
    let heaps = found.memory_heaps.iter().take(found.memory_heap_count as usize);
    heaps.filter(|heap| heap.flags.as_raw() & OF_ITS_OWN != 0).map(|heap| heap.size).max()
}

#[cfg(target_os = "macos")]
fn memory(_: &wgpu::Adapter) -> Option<u64> {
    None
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
