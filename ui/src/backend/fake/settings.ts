// Settings and what is known of this computer: kept as long as the page is open. ?theme=light|dark begins with that
// theme; ?scene=first is a first start; ?token=none|kept|environment|unavailable says where the hub's token is;
// ?devices=waiting|trouble how the devices are found; ?diagnostics=trouble that nothing can be told.

import type { About, DeviceInfo, DiskUse, Settings, TokenState } from "..";
import { deviceChecks } from "./device-checks";
import { type Piece, refusal, type Scene, wait } from "./scene";

const HOME = "/home/ada/.local/share/tunesmith";
const GB = 1e9;

const CPU: DeviceInfo = {
  choice: { kind: "cpu" },
  kind: "cpu",
  name: "Intel Core i5-1240P",
  driver: null,
  api: "CPU",
  memory: 16.5 * GB,
  has_f16: false,
};
const GPU: DeviceInfo = {
  choice: { kind: "gpu", index: 0 },
  kind: "integrated_gpu",
  name: "Intel Iris Xe Graphics (ADL GT2)",
  driver: "Mesa 25.0.7",
  api: "Vulkan",
  memory: 8.2 * GB,
  has_f16: true,
};
const CARD: DeviceInfo = {
  choice: { kind: "gpu", index: 1 },
  kind: "discrete_gpu",
  name: `NVIDIA RTX ${"5000 Ada Generation Laptop GPU ".repeat(5)}`,
  driver: "NVIDIA 570.133.07 with a rather long description of its own, as drivers have",
  api: "Vulkan",
  memory: null,
  has_f16: true,
};

export function devicesOf(scene: string): DeviceInfo[] {
  switch (scene) {
    case "empty":
      return [CPU];
    case "long":
      return [CPU, GPU, CARD];
    default:
      return [CPU, GPU];
  }
}

const DISK: DiskUse = {
  home: HOME,
  models: 3.42 * GB,
  datasets: 0.061 * GB,
  runs: 1.27 * GB,
  exports: 0.388 * GB,
  free: 41.6 * GB,
};
const FRESH: DiskUse = { home: HOME, models: 0, datasets: 0, runs: 0, exports: 0, free: 41.6 * GB };

const CRATES = [
  "burn",
  "cubecl",
  "hf-hub",
  "minijinja",
  "parquet",
  "plotters",
  "rusqlite",
  "safetensors",
  "serde",
  "tauri",
  "tokenizers",
  "tokio",
  "wgpu",
];

const about = (scene: string): About => ({
  version: "0.1.0",
  home: HOME,
  system: "Debian GNU/Linux 12, x86_64",
  licences: Array.from({ length: scene === "long" ? 640 : 52 }, (_, i) => ({
    name: i < CRATES.length ? CRATES[i]! : `${CRATES[i % CRATES.length]}-part-${Math.floor(i / CRATES.length)}`,
    version: `${i % 3}.${(i * 7) % 40}.${i % 9}`,
    licence: ["MIT OR Apache-2.0", "MIT", "Apache-2.0", "BSD-3-Clause", "MPL-2.0"][i % 5]!,
  })).toSorted((a, b) => a.name.localeCompare(b.name)),
});

function tokenOf(scene: Scene): TokenState {
  switch (
    scene.query.get("token") ??
    (scene.name === "full" ? "kept" : scene.name === "trouble" ? "unavailable" : "none")
  ) {
    case "kept":
      return { kind: "kept" };
    case "environment":
      return { kind: "environment", from: "HF_TOKEN" };
    case "unavailable":
      return {
        kind: "unavailable",
        why: "No service for passwords answers on this computer (org.freedesktop.secrets).",
      };
    default:
      return { kind: "none" };
  }
}

const DIAGNOSTICS = `Tunesmith 0.1.0, Debian GNU/Linux 12, x86_64
Processor: Intel Core i5-1240P, 16 threads, 16.5 GB
Vulkan: Intel Iris Xe Graphics (ADL GT2), Mesa 25.0.7, 8.2 GB
Runs: 8 (1 training, 1 waiting, 1 failed: out_of_memory)
`;

export function settings(scene: Scene): Piece {
  const asked = scene.query.get("theme");
  let kept: Settings = {
    theme: asked === "light" || asked === "dark" ? asked : "system",
    on_close: "ask",
    notify: true,
    hf_endpoint: null,
    welcomed: scene.name !== "first" && scene.name !== "offline",
  };
  let token = tokenOf(scene);
  const broken = scene.name === "trouble";

  async function devices(): Promise<DeviceInfo[]> {
    const how = scene.query.get("devices") ?? scene.name;
    if (how === "waiting") return new Promise<never>(() => {});
    if (how === "trouble")
      throw refusal(
        "device",
        "Looking for graphics adapters failed (signal 11): libvulkan_broken.so",
        "Update the graphics driver, or train on the processor.",
      );
    await wait(scene.name === "first" ? 700 : 30);
    return devicesOf(scene.name);
  }

  return {
    settings: async () => kept,
    async saveSettings(settings) {
      if (broken)
        throw refusal(
          "disk",
          "The settings cannot be written: the disk is full.",
          "Free some space; they are as they were before.",
        );
      kept = settings;
    },
    devices,
    ...deviceChecks(scene, devices),
    tokenState: async () => token,
    async saveToken(text) {
      await wait(150);
      if (text !== null && !text.startsWith("hf_"))
        throw refusal(
          "forbidden",
          "The hub does not know this token.",
          "Tokens begin with hf_; copy it whole from your account’s page.",
        );
      token = text === null ? { kind: "none" } : { kind: "kept" };
      return token;
    },
    async diskUse() {
      const how = scene.query.get("devices") ?? scene.name;
      if (how === "waiting") return new Promise<never>(() => {});
      if (how === "trouble")
        throw refusal("disk", `The folder ${HOME} cannot be read: permission denied.`, "Change who may read it.");
      return scene.name === "empty" || scene.name === "first" ? FRESH : DISK;
    },
    about: async () => about(scene.name),
    async diagnostics() {
      if (scene.query.get("diagnostics") === "trouble")
        throw refusal("disk", "The log cannot be read: the disk does not answer.");
      return DIAGNOSTICS;
    },
  };
}
