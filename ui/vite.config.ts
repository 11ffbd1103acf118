import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

export default defineConfig({
  plugins: [svelte()],
  clearScreen: false,
  server: { port: 1420, strictPort: true, host: "127.0.0.1" },
  envPrefix: ["VITE_", "TAURI_ENV_*"],
  build: {
    outDir: "dist",
    // The oldest web views that Tauri runs on.
    target: ["es2022", "safari15", "chrome105"],
    // The window's security policy takes no fonts from addresses that hold them.
    assetsInlineLimit: 0,
    sourcemap: !!process.env.TAURI_ENV_DEBUG,
  },
});
