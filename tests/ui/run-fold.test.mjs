// What the state of a run promises, without a page: one fold for live and reopened, flat memory.
// node --test tests/ui/run-fold.test.mjs

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

const ui = fileURLToPath(new URL("../../ui/", import.meta.url));
const require = createRequire(join(ui, "package.json"));

let vite;
let LiveRun, MOST, smoothed, History, Chart, words, remedyFor;
before(async () => {
  const { createServer } = await import(require.resolve("vite"));
  vite = await createServer({ root: ui, configFile: join(ui, "vite.config.ts"), logLevel: "error", server: { middlewareMode: true, hmr: false, watch: null, ws: false } });
  const load = (path) => vite.ssrLoadModule(`/src/${path}`);
  ({ LiveRun } = await load("state/live-run.svelte.ts"));
  ({ MOST, smoothed } = await load("state/curve.ts"));
  ({ Chart } = await load("state/chart.svelte.ts"));
  ({ History } = await load("backend/fake/run-history.ts"));
  ({ remedyFor } = await load("state/remedy.ts"));
  words = await load("words/run.ts");
});
after(() => vite?.close());

const ROW = {
  id: "1", name: "Support replies", model: "a/b", data: "replies.jsonl", status: "running", created_ms: 0,
  step: 0, of: 900, loss: null, best: null, secs_left: null, losses: [], error: null, task: "write", score: null,
};

/** Everything a run of `steps` says; with a resume at `back` after `lost` steps, where given. */
function story(history, steps, resume) {
  const events = [];
  const say = (event) => events.push({ seq: events.length, at_ms: 1000 * events.length, event });
  const course = (from, to) => {
    for (let step = from; step <= to; step++) {
      say(history.stepped(step, 60));
      for (const event of history.after(step)) say(event);
    }
  };
  for (const event of history.opening(0)) say(event);
  if (resume) {
    course(1, resume.lost);
    for (const event of history.opening(resume.back)) say(event);
    course(resume.back + 1, steps);
  } else course(1, steps);
  return events;
}

/** What the engine would hand out after `events`. */
function viewOf(history, events) {
  const held = [];
  for (const { event } of events) {
    if (event.kind === "ready") held.splice(0, held.length, ...held.filter((e) => e.step <= event.resumed_at));
    else if (event.step !== undefined) held.push(event);
  }
  const of = (kind) => held.filter((event) => event.kind === kind);
  const steps = of("stepped").map(({ step, loss, learning_rate, grad_norm, tokens, secs }) => ({ step, loss, learning_rate, grad_norm, tokens_per_sec: tokens / secs }));
  return {
    detail: {
      row: { ...ROW, step: steps.at(-1)?.step ?? 0 }, plan: history.plan, spec: {}, app_version: "0.1.0", device: null, parameters: null, result: null, warnings: [],
      saved: of("saved").map(({ step, checkpoint }) => ({ step, checkpoint })), sampled: of("sampled").map(({ step, samples }) => ({ step, samples })),
    },
    series: { steps, evals: of("evaluated") }, n_steps: steps.length, memory: of("stepped").at(-1)?.memory ?? null, folder: "/runs/1",
    story: events.filter(({ event }) => event.kind !== "stepped"), next_seq: events.length, stop_at_ms: null, exports: [],
  };
}

const picture = (run) => ({
  points: run.steps.points, stride: run.steps.stride, evals: run.evals.points, best: run.best, before: run.before, looks: run.looks,
  story: run.story, saved: run.saved, step: run.step, status: run.status, memory: run.memory,
});

const opened = (history, events) => {
  const run = new LiveRun({}, "1");
  run.read(viewOf(history, events));
  return run;
};
const batches = (events, size) => Array.from({ length: Math.ceil(events.length / size) }, (_, i) => events.slice(i * size, (i + 1) * size));

test("a run that is watched and one that is opened later are the same picture, resumes included", () => {
  const history = new History(ROW);
  const events = story(history, 400, { lost: 250, back: 180 });
  const later = picture(opened(history, events));
  for (const cut of [0, 3, 120, 260, 270, 330]) {
    const run = opened(history, events.slice(0, cut));
    for (const batch of batches(events.slice(cut), 7)) run.apply(batch);
    assert.deepEqual(picture(run), later, `opened after ${cut} events`);
  }
  assert.equal(later.step, 400);
});

test("after a resume, everything said of later steps is void", () => {
  const history = new History(ROW);
  const run = opened(history, story(history, 250));
  run.apply(history.opening(180).map((event, i) => ({ seq: 10_000 + i, at_ms: 0, event })));
  assert.equal(run.step, 180);
  assert.equal(run.steps.points.at(-1).step, 180);
  assert.equal(run.kept, 180);
  assert.ok(run.looks.every((look) => look.step <= 180) && run.evals.points.every((look) => look.step <= 180));
  assert.ok(run.best.step <= 180);
  assert.ok(run.story.every(({ event }) => (event.step ?? 0) <= 180), "the log does not tell of them either");
});

test("events that are told twice count once", () => {
  const history = new History(ROW);
  const events = story(history, 100);
  const once = opened(history, events);
  const twice = opened(history, events);
  twice.apply(events.slice(-40));
  assert.deepEqual(picture(twice), picture(once));
});

test("a hundred thousand steps take no more room than a chart can show", () => {
  const history = new History({ ...ROW, of: 100_000 });
  // A look at each hundredth step, with answers each time.
  history.every = 100;
  const run = opened(history, []);
  for (const batch of batches(story(history, 100_000), 500)) run.apply(batch);
  assert.equal(run.step, 100_000);
  assert.ok(run.steps.points.length <= MOST && run.steps.points.length > MOST / 2, `${run.steps.points.length} points`);
  assert.equal(run.steps.points.reduce((sum, point) => sum + point.n, 0), 100_000, "each step is in one point");
  assert.ok(run.evals.points.length <= MOST);
  assert.ok(run.story.length <= 2000, `${run.story.length} entries`);
  assert.ok(run.looks.length <= 200, `${run.looks.length} looks`);
  assert.equal(run.looks[0].step, 0, "the first look stays");
  assert.equal(run.looks.at(-1).step, 100_000, "and the newest");
  assert.equal(run.story[0].event.kind, "started", "what is not routine stays");
  assert.ok(run.best.step > 0);
});

/** Bytes that live, with all garbage gone. */
function heap() {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
  return process.memoryUsage().heapUsed;
}

test("a million steps take no more room than a hundred thousand did", () => {
  const history = new History({ ...ROW, of: 1_000_000 });
  history.every = 100;
  const run = opened(history, []);
  let [seq, from] = [0, 1];
  /** What is kept of all steps up to `to`, told in batches as the window hears them. */
  const after = (to) => {
    for (; from <= to; from += 100) {
      const batch = [];
      for (let step = from; step < from + 100; step++)
        for (const event of [history.stepped(step, 60), ...history.after(step)]) batch.push({ seq: seq++, at_ms: seq, event });
      run.apply(batch);
    }
    const { steps, evals, story, looks, saved } = run;
    return { counts: { steps: steps.points.length, evals: evals.points.length, story: story.length, looks: looks.length, saved: saved.length }, bytes: heap() };
  };
  for (const event of history.opening(0)) run.apply([{ seq: seq++, at_ms: 0, event }]);
  const early = after(100_000);
  const late = after(1_000_000);
  assert.equal(run.step, 1_000_000);
  assert.ok(seq > 1_020_000, `${seq} events were told`);
  const most = { steps: MOST, evals: MOST, story: 2000, looks: 200, saved: 200 };
  for (const [what, n] of Object.entries(late.counts)) assert.ok(n <= most[what], `${n} ${what}`);
  assert.equal(run.steps.points.reduce((sum, point) => sum + point.n, 0), 1_000_000, "and yet each step is in one point");
  const grown = (late.bytes - early.bytes) / 1e6;
  assert.ok(grown < 3, `${grown.toFixed(1)} MB more are held after ten times the steps`);
});

test("the best is the lowest look, and never that of the untrained model", () => {
  const history = new History(ROW);
  const run = opened(history, story(history, 900));
  const lowest = run.evals.points.slice(1).reduce((low, look) => (look.loss < low.loss ? look : low));
  assert.deepEqual([run.best.step, run.best.loss], [lowest.step, lowest.loss]);
  assert.ok(run.best.step < 900, "this history gets worse at its end");
  const bad = opened(history, [{ seq: 0, at_ms: 0, event: { kind: "evaluated", step: 0, loss: 0.1, tokens: 1, best: true, secs: 1 } }]);
  assert.equal(bad.best, null);
  assert.equal(bad.before, 0.1);
});

test("the list may lag behind the events, and never turns an ended run on again", () => {
  const history = new History(ROW);
  const run = opened(history, story(history, 20));
  run.apply([{ seq: 1e6, at_ms: 0, event: { kind: "paused", step: 20, halt: "asked" } }]);
  run.hear({ ...ROW, status: "running" });
  assert.equal(run.status, "paused");
  run.hear({ ...ROW, status: "queued" });
  assert.equal(run.status, "queued");
  run.hear({ ...ROW, status: "interrupted", name: "Other" });
  assert.deepEqual([run.status, run.name], ["interrupted", "Other"]);
});

test("smoothing is the mean that the charts draw", () => {
  const points = [3, 1, 2].map((loss, i) => ({ loss, n: 1, step: i + 1 }));
  assert.deepEqual(smoothed(points, 0), [3, 1, 2]);
  assert.deepEqual(smoothed(points, 0.5).map((v) => v.toFixed(6)), ["3.000000", (2.5 / 1.5).toFixed(6), ((0.25 * 3 + 0.5 * 1 + 2) / 1.75).toFixed(6)]);
  const flat = smoothed([{ loss: 2, n: 50, step: 50 }, { loss: 2, n: 50, step: 100 }], 0.9);
  assert.ok(flat.every((v) => Math.abs(v - 2) < 1e-9));
});

test("a chart is drawn at most four times a second, in sight only, and only when something changed", async () => {
  const asked = [];
  const chart = new Chart({ drawChart: async (request) => (asked.push([Date.now(), request]), { svg: "" }) }, ["1"]);
  chart.changed();
  await new Promise((done) => setTimeout(done, 50));
  assert.equal(asked.length, 0, "nobody knows yet how large it is");
  chart.resize(800, 300);
  const timer = setInterval(() => chart.changed(), 5);
  await new Promise((done) => setTimeout(done, 1100));
  clearInterval(timer);
  const n = asked.length;
  assert.ok(n >= 3 && n <= 6, `${n} pictures in 1.1 s`);
  for (let i = 1; i < n; i++) assert.ok(asked[i][0] - asked[i - 1][0] >= 240, "too soon after the last");
  await new Promise((done) => setTimeout(done, 600));
  const settled = asked.length;
  assert.ok(settled <= n + 1);
  await new Promise((done) => setTimeout(done, 300));
  assert.equal(asked.length, settled, "nothing changed");
  chart.show(false);
  chart.changed();
  await new Promise((done) => setTimeout(done, 400));
  assert.equal(asked.length, settled, "out of sight");
  chart.show(true);
  await new Promise((done) => setTimeout(done, 400));
  assert.equal(asked.length, settled + 1);
  chart.close();
});

test("a chart that grows is drawn anew when that can be seen", async () => {
  let newest = 1000;
  let drawn = 0;
  const chart = new Chart({ drawChart: async () => (drawn++, { svg: "", steps: [0, newest] }) }, ["1"]);
  const said = async (step) => {
    const before = drawn;
    newest = step;
    chart.grew(step);
    await new Promise((done) => setTimeout(done, 300));
    return drawn - before;
  };
  chart.resize(500, 300);
  assert.equal(await said(1000), 1, "nothing was drawn yet");
  assert.equal(await said(1001), 0, "half a pixel");
  assert.equal(await said(1002), 1);
  assert.equal(await said(800), 1, "it went on from an earlier step");
  chart.close();
});

test("times are said as people say them, and understood as they type them", () => {
  const now = new Date(2026, 10, 21, 22, 30).getTime();
  const at = (day, hours, minutes) => new Date(2026, 10, day, hours, minutes).getTime();
  assert.equal(words.clock(at(21, 23, 5), now), "23:05");
  assert.equal(words.clock(at(22, 7, 0), now), "07:00 tomorrow");
  assert.equal(words.clock(at(24, 7, 0), now), "07:00 on Tue 24 Nov");
  for (const typed of ["7:00", "7", "07:00", "7.00", "7 am", " 7:00 "]) assert.equal(words.next(typed, now), at(22, 7, 0), typed);
  assert.equal(words.next("23:15", now), at(21, 23, 15));
  assert.equal(words.next("11:15 pm", now), at(21, 23, 15));
  for (const typed of ["", "25:00", "7:61", "soon", "13 pm"]) assert.equal(words.next(typed, now), null, typed);
});

test("each failure has one thing to do about it", () => {
  const kind = (code, kept = 100, device = "gpu") => remedyFor({ error: { code, message: "", hint: null }, kept, device }).kind;
  assert.deepEqual(
    ["out_of_memory", "diverged", "device", "disk", "nothing_to_learn", "bad_model", "bad_data", "internal"].map((code) => kind(code)),
    ["looking", "half_rate", "resume", "disk", "change", "models", "data", "resume"],
  );
  const less = (smaller, kept = 100) => remedyFor({ error: { code: "out_of_memory", message: "", hint: null }, kept, device: "gpu", smaller });
  assert.deepEqual(less(null), { kind: "too_large" });
  assert.deepEqual(less({ says: "So.", frees: 1, same_result: true, spec: {} }), { kind: "smaller", says: "So.", from: 100 });
  assert.deepEqual(less({ says: "So.", frees: 1, same_result: false, spec: {} }), { kind: "anew", says: "So." });
  assert.equal(kind("device", null), "processor", "a device that never got to a checkpoint computes wrongly");
  assert.equal(kind("device", null, "cpu"), "resume");
  assert.deepEqual(remedyFor({ error: null, kept: 7, device: "cpu" }), { kind: "resume", from: 7 });
});
