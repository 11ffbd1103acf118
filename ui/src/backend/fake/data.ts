// Data: the scenes full, empty, first, busy, trouble and long, and files by their names (data-files.ts).

import type { Backend, Counts, DatasetInfo, ImportRequest, LengthHistogram, Watched } from "..";
import { exampleAt } from "./data-examples";
import { chosen, preview, SHAPES } from "./data-files";
import { type FakeSet, group, hash, newId, sample, set, setsOf } from "./data-sets";
import { type Piece, refusal, type Scene, wait, work } from "./scene";

const total = (counts: Counts) => counts.train + counts.validation + counts.test;
const damaged = (name: string) =>
  refusal(
    "bad_data",
    `The stored data set's file /home/ada/.local/share/tunesmith/datasets/${name}/train.jsonl was changed or damaged (line 12).`,
    "Import the data again.",
  );

/** What came of a request: a new data set, or a new version on top of the one it names. */
function imported(request: ImportRequest, into: FakeSet | undefined): FakeSet {
  const { mapping, because, rows, file } = preview(request.paths, request.mapping, 50);
  const n = rows.length < 50 ? rows.length : 4838;
  const groups =
    n === 4838
      ? [
          group("14 rows have no reply", file, { kind: "empty_reply" }, 14, 12),
          group("9 rows repeat earlier rows", file, { kind: "duplicate", first: 3 }, 9, 210),
        ]
      : [];
  const kept = n - groups.reduce((sum, one) => sum + one.n, 0);
  const [validation, test] = [Math.round(kept * request.split.validation), Math.round(kept * request.split.test)];
  const made = set({
    name: into?.info.name ?? request.name ?? "data",
    kind: "support",
    age: 0,
    groups,
    because,
    counts: { train: kept - validation - test, validation, test },
    source: request.paths[0] ?? "",
    mapping: mapping ?? { shape: "text", columns: {} },
  });
  const version = hash(`${made.info.name} ${Math.random()}`);
  const versions = [{ version, created_ms: Date.now(), counts: made.info.counts }, ...(into?.versions ?? [])];
  const info: DatasetInfo = {
    ...made.info,
    id: into?.info.id ?? newId(),
    version,
    sources: [...request.paths],
    split: request.split,
  };
  return { ...made, info, versions, n_runs: into?.n_runs ?? 0 };
}

/** Lengths like those of answers people write: many short, few long; wider for a set of long texts. */
function measured(of: FakeSet, model: string): LengthHistogram {
  const width = 16;
  const long = of.kind === "odd" ? 40 : of.kind === "notes" ? 6 : 1;
  const middle = (180 + (model.length % 5) * 12) * Math.sqrt(long);
  const all = of.info.counts.train;
  const n = Math.min(all, 20_000);
  const bins = Array.from({ length: Math.ceil((1500 * long) / width) }, (_, i) => {
    const at = Math.log((i + 0.5) * width) - Math.log(middle);
    return Math.exp(-(at * at) / 0.7);
  });
  const sum = bins.reduce((a, b) => a + b, 0);
  const counts = bins.map((bin) => Math.round((n * bin) / sum));
  const quantile = (share: number) => {
    let seen = 0;
    return width * (counts.findIndex((bin) => (seen += bin) >= share * counts.reduce((a, b) => a + b, 0)) + 0.5);
  };
  const last = counts.findLastIndex((bin) => bin > 0);
  return {
    width,
    bins: counts.slice(0, last + 1),
    shortest: width * counts.findIndex((bin) => bin > 0) + 5,
    median: quantile(0.5),
    p95: quantile(0.95),
    longest: last * width + 9,
    measured: n,
    of: all,
    taught: 0.38,
  };
}

export function data(scene: Scene): Piece {
  let sets = setsOf(scene);
  let deleted: FakeSet | null = null;
  const busy = scene.name === "busy";
  const trouble = scene.name === "trouble";
  const found = (id: string): FakeSet => {
    const one = sets.find((known) => known.info.id === id || known.info.name === id);
    if (!one)
      throw refusal("not_found", "There is no data set of that name any more.", "Choose another one from the list.");
    return one;
  };
  const lengths: Backend["lengths"] = async (id, _version, model, supervise, watched) => {
    const one = found(id);
    const n = Math.min(one.info.counts.train, 20_000);
    const secs = busy ? 60 : n > 5000 ? 1.5 : 0.3;
    await work(watched, "Tokenising examples", { total: n, unit: "pieces", secs, steps: busy ? 200 : 15 });
    if (trouble)
      throw refusal(
        "bad_model",
        "The model's tokenizer names no end token.",
        "Choose a model with complete tokenizer files.",
      );
    const taught = { replies: 0.38, "last-reply": 0.31, everything: 1 }[supervise];
    return { ...measured(one, model), taught: one.kind === "play" ? 1 : taught };
  };

  async function importData(request: ImportRequest, watched?: Watched): Promise<DatasetInfo> {
    const path = request.paths[0] ?? "";
    const into = request.into === null ? undefined : found(request.into);
    const slow = busy || path.includes("slow");
    const read = { total: 21_480_000, unit: "bytes" as const, secs: slow ? 60 : 1.2, steps: slow ? 240 : 12 };
    await work(watched, `Reading ${path.split("/").at(-1) ?? path}`, read);
    if (trouble || path.includes("full-disk"))
      throw refusal(
        "disk",
        "The disk is full: 21.5 MB were to be written and 3.1 MB are free. Nothing was kept.",
        "Free some space, then import again.",
      );
    if (path.includes("useless"))
      throw refusal(
        "bad_data",
        `Not one of the rows can be used (4,838 were looked at). The first: ${path.split("/").at(-1)}, line 1: the reply is empty.`,
        "Check that the columns play the right parts.",
      );
    await work(watched, "Writing the data set", { total: 4, secs: 0.3, steps: 4 });
    const made = imported(request, into);
    sets = [made, ...sets.filter((known) => known !== into)];
    return made.info;
  }

  return {
    lengths,
    importData,
    chooseData: async () => chosen(scene),
    shapes: async () => SHAPES,
    async previewData(paths, mapping, rows) {
      await wait(busy ? 60_000 : 30);
      return preview(paths, mapping, rows);
    },
    async importSample() {
      await wait(300);
      const known = sets.find((one) => one.info.name === "Lighthouse log");
      const made = known ?? sample();
      if (!known) sets = [made, ...sets];
      return made.info;
    },
    async datasets() {
      if (busy && scene.query.get("list") !== "quick") await wait(60_000);
      if (trouble)
        throw refusal(
          "disk",
          "The list of data sets, tunesmith.db, cannot be opened: the disk is full.",
          "Free some space; nothing that was saved is lost.",
        );
      return sets.map(({ info, versions, created_ms }) => ({
        id: info.id,
        name: info.name,
        version: info.version,
        n_versions: versions.length,
        counts: info.counts,
        n_problems: info.n_problems,
        created_ms,
      }));
    },
    async dataset(id, version) {
      if (trouble) throw damaged(id);
      const one = found(id);
      const at = one.versions.find((known) => known.version === version) ?? one.versions[0];
      const { groups, bytes, n_runs, versions } = one;
      const info = at ? { ...one.info, version: at.version, counts: at.counts } : one.info;
      return { info, created_ms: at?.created_ms ?? one.created_ms, versions, groups, bytes, n_runs };
    },
    async rows(id, version, split, offset, n) {
      await wait(busy ? 60_000 : 20);
      const one = found(id);
      if (scene.query.get("rows") === "damaged") throw damaged(id);
      const counts = one.versions.find((known) => known.version === version)?.counts ?? one.info.counts;
      const there = Math.max(0, Math.min(n, counts[split] - offset));
      const from = offset + (split === "train" ? 0 : total(counts));
      return {
        offset,
        total: counts[split],
        examples: Array.from({ length: there }, (_, i) => exampleAt(one.kind, from + i)),
      };
    },
    async renameDataset(id, name) {
      const one = found(id);
      sets = sets.map((known) => (known === one ? { ...one, info: { ...one.info, name } } : known));
    },
    async deleteDataset(id) {
      deleted = found(id);
      sets = sets.filter((known) => known !== deleted);
    },
    async undoDeleteDataset() {
      if (!deleted) return null;
      sets = [...sets, deleted].sort((a, b) => b.created_ms - a.created_ms);
      const id = deleted.info.id;
      deleted = null;
      return id;
    },
  };
}
