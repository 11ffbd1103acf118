// What svelte-check does not look for: promises nobody waits for, values of any type, code that does nothing.

import js from "@eslint/js";
import { defineConfig } from "eslint/config";
import svelte from "eslint-plugin-svelte";
import globals from "globals";
import ts from "typescript-eslint";

import svelteConfig from "./svelte.config.js";

export default defineConfig(
  { ignores: ["dist/", "src/backend/bindings.ts"] },
  js.configs.recommended,
  ts.configs.recommendedTypeChecked,
  svelte.configs.recommended,
  {
    languageOptions: {
      globals: globals.browser,
      parserOptions: { projectService: { allowDefaultProject: ["*.js"] }, extraFileExtensions: [".svelte"] },
    },
    rules: {
      // Properties stay as they were handed in; what changes is state.
      "prefer-const": "off",
      "svelte/prefer-const": "error",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      // `onclick={save}` may be a promise; where it can fail, it says so itself.
      "@typescript-eslint/no-misused-promises": ["error", { checksVoidReturn: false }],
      // What is refused is an ApiError, as the machine refuses it.
      "@typescript-eslint/prefer-promise-reject-errors": "off",
      "@typescript-eslint/only-throw-error": "off",
      // State is replaced whole; what is built on the way needs no eyes on it.
      "svelte/prefer-svelte-reactivity": "off",
      // The fake answers at once what the machine answers in its time.
      "@typescript-eslint/require-await": "off",
    },
  },
  {
    files: ["**/*.svelte", "**/*.svelte.ts"],
    languageOptions: { parserOptions: { parser: ts.parser, svelteConfig } },
    rules: { "no-undef": "off", "@typescript-eslint/no-unnecessary-type-assertion": "off" },
  },
  {
    // The parser does not look into `.svelte` files, nor at `generics="…"`: what comes from there it takes for `any`.
    // svelte-check does look.
    files: ["**/*.svelte", "**/*.svelte.ts", "src/views/**/*.ts"],
    rules: Object.fromEntries(
      ["argument", "assignment", "call", "member-access", "return"].map((of) => [
        `@typescript-eslint/no-unsafe-${of}`,
        "off",
      ]),
    ),
  },
  { files: ["*.js"], extends: [ts.configs.disableTypeChecked] },
);
