// Every test of the page, a file on each core, or those whose names have the words given.
//   node tests/ui/all.mjs [shell home …]

import { readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";

const here = import.meta.dirname;
const wanted = process.argv.slice(2);
const files = readdirSync(here)
  .filter((name) => name.endsWith(".test.mjs"))
  .filter((name) => wanted.length === 0 || wanted.some((word) => name.includes(word)))
  .map((name) => join(here, name));
if (files.length === 0) throw new Error(`No test is called ${wanted.join(" or ")}`);

run({ files, concurrency: Math.min(availableParallelism(), 4) })
  .on("test:fail", () => (process.exitCode = 1))
  .compose(spec)
  .pipe(process.stdout);
