// What the page of a run promises.   node --test tests/ui/run.test.mjs

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { eventually, shoot, start, violations } from "./page.mjs";

let browser;
before(async () => (browser = await start()));
after(() => browser?.stop());

const id = (n) => `01938a00-0000-7000-8000-${String(n).padStart(12, "0")}`;
const at = (n = 1) => ({ view: "run", id: id(n) });
const open = (scene, n = 1, options = {}) => browser.open(scene, { at: at(n), ...options });
const button = (page, name) => page.getByRole("button", { name, exact: true });
const tab = (page, name) => page.getByRole("tab", { name }).click();
const chart = (page) => page.getByRole("slider", { name: /^Loss by step/ });
const place = (page) => page.getByRole("heading", { level: 1 });
const figure = (page, label) => page.locator("dl > div", { has: page.locator(`dt:text-is("${label}")`) }).locator("dd").first();

const SIZES = [[1024, 700], [1280, 800], [1920, 1080]];

/** Scene, run, and what it shows. */
const STATES = [
  ["training", "full", 1, "of 900, 34 %"],
  ["waiting", "full", 2, /^Waits for “Support replies, second try”: step 312/],
  ["paused", "full", 3, "Paused; resume goes on from here"],
  ["finished", "full", 4, /^Finished after/],
  ["stopped", "full", 6, /^Stopped after/],
  ["begun", "begun", 1, "Taking the first step"],
  ["interrupted", "interrupted", 1, "Interrupted at step 331"],
  ["warned", "warned", 1, "3 train examples were left out: the conversation has two system messages."],
  ["endless", "endless", 1, /^of 120,000/],
  ["gone", "empty", 1, "The run cannot be opened"],
  ["chartless", "trouble", 1, "The chart cannot be drawn."],
  ["reading", "waiting", 1, "Reading the run…"],
];

for (const [name, scene, n, shows] of STATES) {
  const sizes = ["training", "finished", "endless"].includes(name) ? SIZES : SIZES.slice(0, 1);
  test(`${name}: readable, accessible and without errors in every window, light and dark`, async () => {
    const { page, errors, close } = await open(scene, n);
    await page.getByText(shows, { exact: typeof shows === "string" }).first().waitFor();
    for (const theme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme: theme });
      for (const [width, height] of sizes) {
        await page.setViewportSize({ width, height });
        await page.waitForTimeout(300); // for the chart to be drawn in its new size
        await shoot(page, `run-${name}-${theme}-${width}`);
        await eventually(async () => assert.equal(await page.evaluate(() => { const main = document.querySelector("main"); return main.scrollWidth > main.clientWidth; }), false, `nothing is wider than ${width}`));
      }
      await eventually(async () => assert.deepEqual(await violations(page), [], theme));
    }
    assert.deepEqual(errors, []);
    await close();
  });
}

test("each tab is readable and accessible, light and dark", async () => {
  const { page, errors, close } = await open("full", 4);
  for (const name of ["Answers", "Log", "Plan", "Course"]) {
    await tab(page, name);
    for (const theme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme: theme });
      await page.waitForTimeout(100);
      await shoot(page, `run-tab-${name.toLowerCase()}-${theme}`);
      await eventually(async () => assert.deepEqual(await violations(page), [], `${name}, ${theme}`));
    }
  }
  assert.deepEqual(errors, []);
  await close();
});

const FAILURES = {
  out_of_memory: ["Memory ran out", "Everything up to step 225.", "Resume with less", "run"],
  diverged: ["The loss stopped being a number", "Everything up to step 225.", "New run at half the rate", "new"],
  device: ["The device gave up", "Everything up to step 225.", "Resume from step 225", "run"],
  disk: ["The disk took no more", "Everything up to step 225.", "See what takes up space", "settings"],
  nothing_to_learn: ["There was nothing to learn", "No checkpoint was saved yet", "Change it in a new run", "new"],
  bad_model: ["The model cannot be used", "No checkpoint was saved yet", "Open the models", "models"],
  bad_data: ["The data cannot be used", "No checkpoint was saved yet", "Open the data", "data"],
  internal: ["A defect of Tunesmith ended the run", "Everything up to step 225.", "Resume from step 225", "run"],
};
const LANDS = { settings: "Settings", models: "Models", data: "Data" };

for (const [code, [title, kept, does, lands]] of Object.entries(FAILURES)) {
  test(`failed with ${code}: what happened, what was kept, what to do, and one button that does it`, async () => {
    const { page, errors, close } = await open(`failed-${code}`);
    const card = page.getByRole("alert", { name: title });
    await card.waitFor();
    await card.getByText(kept).waitFor();
    await eventually(async () => assert.equal(await card.getByRole("button").count(), 1));
    await eventually(async () => assert.deepEqual(await card.locator("dt").allTextContents(), ["What happened", "What was kept", "What to do"]));
    await eventually(async () => assert.ok((await card.locator("dd").allTextContents()).every((said) => said.trim().length > 10)));
    await shoot(page, `run-failed-${code}`);
    await eventually(async () => assert.deepEqual(await violations(page), []));
    await card.getByRole("button", { name: does, exact: true }).click();
    if (lands === "run") await page.getByText(/^Training$/).first().waitFor();
    else if (lands === "new") await page.waitForFunction(() => !document.querySelector("h1")?.textContent?.includes("Support replies, second try"));
    else await page.getByRole("heading", { level: 1, name: LANDS[lands] }).waitFor();
    assert.deepEqual(errors, []);
    await close();
  });
}

/** By what would need less: what the card says, its button, and where that leads. */
const LESS = {
  same: ["Makes layers again instead of keeping them: frees 820 MB; same result. It goes on from step 225.", "Resume with less", "Support replies, second try"],
  anew: ["Cuts examples at 512 tokens instead of 1,024: frees 1.2 GB; another result. A new run starts, and this one stays as it is.", "Start a new run with less", "Support replies, second try (smaller)"],
  none: ["No setting needs clearly less memory. Close other programs and resume, or choose a smaller model.", "Choose another model", /^New run/],
};

for (const [smaller, [says, does, lands]] of Object.entries(LESS)) {
  test(`out of memory, ${smaller}: says what changes and what that frees, and does it with one click`, async () => {
    const { page, errors, close } = await open("failed-out_of_memory", 1, { query: { smaller } });
    const card = page.getByRole("alert", { name: "Memory ran out" });
    await card.getByText(says, { exact: true }).waitFor();
    for (const theme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme: theme });
      await page.waitForTimeout(100);
      await shoot(page, `run-less-${smaller}-${theme}`);
      await eventually(async () => assert.deepEqual(await violations(page), [], theme));
    }
    await button(page, "Resume").waitFor(); // as it was, for whoever closed other programs
    await card.getByRole("button", { name: does, exact: true }).click();
    await page.getByRole("heading", { level: 1, name: lands, exact: typeof lands === "string" }).waitFor();
    if (smaller !== "none") await page.getByText(/^(Training|Waiting)$/).first().waitFor();
    assert.deepEqual(errors, []);
    await close();
  });
}

test("a run that trains moves in place, several times a second", async () => {
  const { page, errors, close } = await open("live");
  const step = figure(page, "Step");
  await page.waitForFunction(() => /Latest: step [3-9]/.test(document.body.textContent));
  const chartAt = await chart(page).boundingBox();
  const seen = new Set();
  for (let i = 0; i < 12; i++) {
    seen.add(await step.textContent());
    await page.waitForTimeout(80);
  }
  assert.ok(seen.size >= 4, `it moved ${seen.size} times in a second`);
  const pictures = await page.evaluate(async () => {
    let n = 0;
    const watch = new MutationObserver(() => n++);
    watch.observe(document.querySelector(".picture"), { subtree: true, attributeFilter: ["points"] });
    await new Promise((done) => setTimeout(done, 1500));
    watch.disconnect();
    return n;
  });
  assert.ok(pictures >= 2 && pictures <= 7, `${pictures} pictures in a second and a half`);
  await eventually(async () => assert.deepEqual(await chart(page).boundingBox(), chartAt, "nothing jumped"));
  assert.deepEqual(errors, []);
  await close();
});

test("pause, resume, stop and keep", async () => {
  const { page, errors, close } = await open("live");
  await page.waitForFunction(() => /Latest: step \d/.test(document.body.textContent));
  const asked = await button(page, "Pause").evaluate(async (pause) => {
    pause.click();
    await new Promise(requestAnimationFrame);
    return [pause.disabled, document.body.textContent.includes("Finishing this step, then saving and pausing")];
  });
  assert.deepEqual(asked, [true, true], "it is asked once, and says what it does meanwhile");
  await page.getByText("Paused; resume goes on from here", { exact: true }).waitFor();
  const paused = Number(await figure(page, "Step").textContent());
  await button(page, "Resume").click();
  await page.waitForFunction((n) => [...document.querySelectorAll("dt")].some((dt) => dt.textContent === "Step" && Number(dt.nextElementSibling.textContent) > n), paused);
  await button(page, "Stop and keep").click();
  await page.getByRole("heading", { name: /^Stopped after/ }).waitFor();
  await tab(page, "Log");
  const log = await page.getByRole("list", { name: "Log" }).textContent();
  assert.match(log, /Stopped as asked at step \d+; what it knew at step \d+ is the result\./);
  assert.match(log, new RegExp(`Going on after step ${paused}\\.`));
  assert.deepEqual(errors, []);
  await close();
});

test("it finishes by a time, says so, and takes it back", async () => {
  const { page, close } = await open("full");
  await button(page, "Finish by…").click();
  const field = page.getByLabel("Stop and keep at");
  await field.fill("half past");
  await page.getByText("A time of day, such as 7:00 or 19:30.").waitFor();
  await eventually(async () => assert.ok(await page.getByRole("dialog").locator("[type=submit]").isDisabled()));
  const soon = new Date(Date.now() + 3 * 60_000);
  const typed = `${soon.getHours()}:${String(soon.getMinutes()).padStart(2, "0")}`;
  await field.fill(typed);
  await page.getByText(/At this pace it will be at about step \d+ of 900\./).waitFor();
  await eventually(async () => assert.deepEqual(await violations(page), []));
  await field.press("Enter");
  await page.getByText(/^Stops at \d\d:\d\d( tomorrow)? and keeps the best so far$/).waitFor();
  await button(page, "Take it back").click();
  await button(page, "Finish by…").waitFor();
  await close();
});

test("the crosshair reads every series, with the mouse and with the keyboard", async () => {
  const { page, close } = await open("full");
  await page.locator(".picture svg").waitFor();
  const box = await chart(page).boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.getByText(/^Step \d+$/).waitFor();
  const step = Number((await page.getByText(/^Step \d+$/).textContent()).slice(5));
  assert.ok(step > 100 && step < 220, `the middle of 312 is about ${step}`);
  await eventually(async () => assert.equal(await page.locator(".over line").count(), 1));
  await eventually(async () => assert.equal(await page.locator(".over circle").count(), 2, "one on each line"));
  await eventually(async () => assert.equal(await page.locator(".tile svg line").count(), 3, "and in each small chart"));
  await page.mouse.move(5, 5);
  await page.getByText("Latest: step 312").waitFor();
  await eventually(async () => assert.equal(await page.locator(".over line").count(), 0));

  await chart(page).focus();
  await page.keyboard.press("ArrowLeft");
  await page.getByText("Step 311", { exact: true }).waitFor();
  await page.keyboard.press("Home");
  await page.keyboard.press("ArrowRight");
  await page.getByText("Step 1", { exact: true }).waitFor();
  await eventually(async () => assert.match(await chart(page).getAttribute("aria-valuetext"), /^Step 1: Training [\d.]+; Smoothed [\d.]+; Validation [\d.]+, step 0$/));
  await eventually(async () => assert.equal(await chart(page).getAttribute("aria-valuenow"), "1"));
  await page.keyboard.press("Escape");
  await page.getByText("Latest: step 312").waitFor();
  await close();
});

/** A page that does one thing for longer is felt to hang. */
const FELT_MS = 200;

/**
 * What a person does to a chart, and what that costs the page: its longest task, and all of them. Measured by the
 * processor's clock for the page's own thread, so that what else the machine does counts for nothing.
 */
async function handled(page) {
  const browser = page.context().browser();
  await browser.startTracing(page, { categories: ["toplevel", "devtools.timeline"] });
  const box = await chart(page).boundingBox();
  for (const y of [0.3, 0.7]) {
    await page.mouse.move(box.x + 60, box.y + y * box.height);
    await page.mouse.move(box.x + box.width - 60, box.y + y * box.height, { steps: 40 });
  }
  await chart(page).focus();
  for (let i = 0; i < 20; i++) await page.keyboard.press("ArrowLeft");
  for (let i = 0; i < 6; i++) await page.mouse.wheel(0, i < 3 ? 120 : -120);
  await page.getByRole("slider", { name: "Smoothing" }).focus();
  for (let i = 0; i < 15; i++) await page.keyboard.press("ArrowLeft");
  await page.getByRole("radio", { name: "Log" }).check();
  for (const width of [1100, 1280]) await page.setViewportSize({ width, height: 800 });
  await page.getByRole("radio", { name: "Linear" }).check();
  await page.waitForTimeout(600); // the chart is drawn anew
  const { traceEvents } = JSON.parse(await browser.stopTracing());
  const mains = traceEvents.filter((e) => e.name === "thread_name" && e.args.name === "CrRendererMain").map((e) => `${e.pid} ${e.tid}`);
  const tasks = traceEvents.filter((e) => /RunTask$/.test(e.name) && e.tdur && mains.includes(`${e.pid} ${e.tid}`)).map((e) => e.tdur / 1000);
  assert.ok(tasks.length > 100, "the page's tasks are seen");
  return { longest: Math.max(...tasks), all: tasks.reduce((sum, ms) => sum + ms, 0) };
}

test("a chart of a hundred thousand steps is handled as lightly as one of two thousand", async () => {
  const after = async (steps) => {
    const { page, errors, close } = await browser.open("flood", { at: at(1), query: { steps } });
    await page.getByText(`Latest: step ${steps.toLocaleString("en")}`).waitFor({ timeout: 180_000 });
    await page.locator(".picture svg").waitFor();
    const costs = await handled(page);
    assert.deepEqual(errors, []);
    await close();
    return costs;
  };
  await after(100); // the first page makes up its mind about everything
  const [few, many] = [await after(2_000), await after(100_000)];
  assert.ok(many.longest < FELT_MS, `the page did one thing for ${many.longest} ms`);
  assert.ok(many.all < 1.5 * few.all + 200, `${many.all} ms of work with 100,000 steps, ${few.all} ms with 2,000`);
});

test("smoothing and scale change the picture, and it can be kept", async () => {
  const { page, close } = await open("full");
  const drawn = () => page.locator(".picture svg").innerHTML();
  await page.locator(".picture svg").waitFor();
  const first = await drawn();
  const slider = page.getByRole("slider", { name: "Smoothing" });
  await slider.focus();
  await page.keyboard.press("Home");
  await page.waitForFunction((b) => document.querySelector(".picture svg").innerHTML !== b, first);
  await eventually(async () => assert.equal(await page.getByText("Smoothed", { exact: true }).count(), 0, "nothing is smoothed"));
  const raw = await drawn();
  await page.getByRole("radio", { name: "Log" }).check();
  await page.waitForFunction((b) => document.querySelector(".picture svg").innerHTML !== b, raw);
  await button(page, "Save the chart as SVG or PNG").click();
  await page.getByText("The chart is saved as /home/ada/Pictures/loss.svg.").first().waitFor();
  await close();
});

test("a picture brings nothing with it that could run", async () => {
  const { page, close } = await open("full");
  await page.locator(".picture svg").waitFor();
  const held = await page.locator(".picture svg").evaluate((svg) => ({
    tags: [...new Set([...svg.querySelectorAll("*")].map((e) => e.localName))].sort(),
    odd: [svg, ...svg.querySelectorAll("*")].flatMap((e) => [...e.attributes]).filter((a) => /^(on|href|style|xlink)/.test(a.name)).length,
  }));
  assert.equal(held.odd, 0);
  assert.ok(held.tags.every((tag) => ["circle", "polyline", "rect", "text", "line", "path", "g"].includes(tag)), held.tags.join());
  await close();
});

test("a picture that changes is changed in place: it leaves nothing to be swept up", async () => {
  const { page, close } = await open("full");
  const lines = () => page.locator(".picture").evaluate((frame) => [...frame.querySelectorAll("polyline")].map((line) => line.getAttribute("points")).join());
  await page.locator(".picture svg").waitFor();
  await page.locator(".picture svg").evaluate((svg) => svg.querySelectorAll("*").forEach((node) => (node.wasThere = true)));
  const before = await lines();
  await page.getByRole("radio", { name: "Log" }).click();
  await eventually(async () => assert.notEqual(await lines(), before));
  const kept = await page.locator(".picture svg").evaluate((svg) => [...svg.querySelectorAll("polyline")].filter((node) => node.wasThere).length);
  assert.ok(kept > 3, `${kept} lines are those of before`);
  assert.equal(await page.locator(".picture svg").count(), 1);
  await close();
});

test("answers stand side by side, look by look; differences are marked only when asked", async () => {
  const { page, close } = await open("full", 4);
  await tab(page, "Answers");
  const heads = () => page.locator(".columns").first().locator("h4").allTextContents();
  await page.getByText("In your data").first().waitFor();
  await eventually(async () => assert.deepEqual((await heads()).map((head) => head.split(",")[0]), ["In your data", "Before training", "Step 600"]));
  await eventually(async () => assert.equal(await page.locator("mark").count(), 0));
  await page.getByRole("switch", { name: "Mark differences" }).check();
  await eventually(async () => assert.ok((await page.locator("mark").count()) > 3));
  await button(page, "Look before").click();
  await eventually(async () => assert.equal((await heads())[2].split(",")[0], "Step 540"));
  await page.getByRole("slider", { name: "Later look" }).focus();
  await page.keyboard.press("ArrowLeft");
  await eventually(async () => assert.equal((await heads())[2].split(",")[0], "Step 480"));
  await page.getByLabel("Earlier look").selectOption({ label: "Step 120" });
  await eventually(async () => assert.equal((await heads())[1].split(",")[0], "Step 120"));
  await close();
});

test("the log is filtered, searched and copied", async () => {
  const { page, close } = await open("full", 4);
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await tab(page, "Log");
  const lines = page.getByRole("list", { name: "Log" }).getByRole("listitem");
  const all = await lines.count();
  assert.ok(all > 20);
  await eventually(async () => assert.match(await lines.first().textContent(), /Everything planned is learned at step 600/, "newest first"));
  await page.getByLabel("Show", { exact: true }).selectOption({ label: "Checkpoints" });
  await eventually(async () => assert.ok((await lines.allTextContents()).every((line) => /Saved a checkpoint/.test(line))));
  await page.getByLabel("Show", { exact: true }).selectOption({ label: "Everything" });
  await page.getByRole("searchbox", { name: "Search the log" }).fill("step 540");
  await eventually(async () => assert.ok((await lines.count()) < all && (await lines.count()) >= 3));
  await button(page, "Copy").click();
  await page.getByText(/lines are copied, oldest first\./).first().waitFor();
  await page.getByRole("searchbox", { name: "Search the log" }).fill("no such thing");
  await page.getByText("No entry is of this kind.").waitFor();
  await close();
});

test("the plan has every knob with its reason, and starts a copy", async () => {
  const { page, close } = await open("full", 4);
  await tab(page, "Plan");
  await page.getByText("Learning rate", { exact: true }).first().waitFor();
  const rows = page.locator(".sheet dl > div");
  await eventually(async () => assert.ok((await rows.count()) >= 22 + 5, "22 knobs, and what the run is"));
  for (const reason of await rows.locator("dd:last-child").allTextContents()) assert.match(reason, /\.$/);
  await eventually(async () => assert.equal(await page.locator(".asked").allTextContents().then((all) => all.join()), "You set it."));
  await button(page, "Duplicate as a new run").click();
  await page.waitForFunction(() => document.querySelector("h1")?.textContent !== "Support replies");
  await close();
});

test("a run is renamed where its name stands; a name that is none is refused there", async () => {
  const { page, close } = await open("full", 4);
  await button(page, "Rename").click();
  const field = page.getByLabel("Name of the run");
  await eventually(async () => assert.ok(await field.evaluate((e) => e === document.activeElement)));
  await page.keyboard.press("Escape");
  await eventually(async () => assert.equal(await place(page).textContent(), "Support replies"));
  await eventually(async () => assert.ok(await button(page, "Rename").evaluate((e) => e === document.activeElement), "the focus is back"));
  await page.keyboard.press("Enter");
  await field.fill("Kind replies");
  await field.press("Enter");
  await page.getByRole("heading", { level: 1, name: "Kind replies" }).waitFor();
  await close();
});

test("a run is deleted with a way back", async () => {
  const { page, close } = await open("full", 4);
  await button(page, "More for this run").click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await page.getByText("“Support replies” is deleted.").first().waitFor();
  await button(page, "Undo").click();
  await page.getByRole("heading", { level: 1, name: "Support replies" }).waitFor();
  await page.getByRole("heading", { name: /^Finished after/ }).waitFor();
  await close();
});

test("a run that goes on cannot be deleted", async () => {
  const { page, close } = await open("full");
  await button(page, "More for this run").click();
  await eventually(async () => assert.ok(await page.getByRole("menuitem", { name: "Delete" }).isDisabled()));
  await close();
});

test("from the end of a run: try it, export it, compare it, do it again", async () => {
  for (const name of ["Try it", "Compare", "Duplicate"]) {
    const { page, close } = await open("full", 4);
    const card = page.getByRole("region", { name: "What came out" });
    await card.getByRole("button", { name, exact: true }).click();
    await card.waitFor({ state: "detached" });
    await page.getByRole("heading", { level: 1 }).waitFor();
    await close();
  }
  const { page, close } = await open("full", 4);
  await page.getByRole("region", { name: "What came out" }).getByRole("button", { name: "Export", exact: true }).click();
  await eventually(async () => assert.equal(await page.getByRole("tab", { name: "Export" }).getAttribute("aria-selected"), "true"));
  await close();
});

test("what is unknown is a dash, never a zero", async () => {
  const { page, close } = await open("begun");
  await page.getByText("Taking the first step", { exact: true }).waitFor();
  await eventually(async () => assert.equal(await figure(page, "Training loss").textContent(), "–"));
  await eventually(async () => assert.equal(await figure(page, "Best validation loss").textContent(), "–"));
  await eventually(async () => assert.equal(await page.locator(".tile .value").first().textContent(), "–"));
  await close();
});

test("the keyboard reaches everything, and the focus is seen", async () => {
  const { page, close } = await open("full", 4);
  await page.locator(".picture svg").waitFor();
  await place(page).focus();
  const reached = [];
  for (let i = 0; i < 14; i++) {
    await page.keyboard.press("Tab");
    reached.push(await page.evaluate(() => {
      const e = document.activeElement;
      const { outlineStyle, outlineWidth } = getComputedStyle(e);
      return { name: e.getAttribute("aria-label") ?? (e.textContent.trim().slice(0, 12) || e.id), seen: outlineStyle !== "none" && parseFloat(outlineWidth) >= 2 };
    }));
  }
  assert.deepEqual(reached.filter((e) => !e.seen), []);
  const names = reached.map((e) => e.name);
  for (const name of ["Rename", "More for this run", "Try it", "Course", "Loss by step; arrows read it step by step", "Save the chart as SVG or PNG"]) {
    assert.ok(names.includes(name), `${name} in ${names.join(" | ")}`);
  }
  await close();
});

test("with reduced motion nothing moves by itself", async () => {
  const { page, close } = await open("full", 1, { motion: "reduce" });
  await page.locator(".picture svg").waitFor();
  const moving = await page.evaluate(() => document.getAnimations().filter((a) => a.effect.getComputedTiming().activeDuration > 0).length);
  assert.equal(moving, 0);
  await close();
});
