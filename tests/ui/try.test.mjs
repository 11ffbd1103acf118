// What Try it promises.   node --test tests/ui/try.test.mjs

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { eventually, shoot, start, violations } from "./page.mjs";

let browser;
before(async () => (browser = await start()));
after(() => browser?.stop());

const RUN = { view: "try", target: { kind: "run", id: "01938a00-0000-7000-8000-000000000004" } };
const MODEL = { view: "try", target: { kind: "model", id: "HuggingFaceTB/SmolLM2-135M-Instruct" } };

const box = (page, label = "Ask something") => page.getByRole("textbox", { name: label, exact: true });
const pane = (page, voice, n = 0) => page.getByRole("region", { name: voice, exact: true }).nth(n);

async function ask(page, question, label) {
  await box(page, label).fill(question);
  await box(page, label).press("Enter");
}

/** Once all voices have ended, however they did. */
async function answered(page, n = 2) {
  await page.waitForFunction((n) => {
    const all = [...document.querySelectorAll("[data-state]")].filter((e) => e.dataset.state !== "undefined");
    const ended = all.filter((e) => ["complete", "limit", "stopped", "failed"].includes(e.dataset.state));
    return ended.length === n && !document.querySelector("[aria-busy=true]");
  }, n);
}

/** Each state of the page, and how it is reached. */
const STATES = {
  choose: { scene: "full", at: { view: "try" }, until: (page) => page.getByText("Models on this computer").waitFor() },
  nothing: { scene: "empty", at: { view: "try" }, until: (page) => page.getByText("Nothing to talk to yet").waitFor() },
  opening: { scene: "slow", at: RUN, until: (page) => page.getByRole("progressbar", { name: /Reading the model/ }).waitFor() },
  "no memory": {
    scene: "no-memory",
    at: RUN,
    until: (page) => page.getByText("“Support replies” does not fit into memory").waitFor(),
  },
  "no checkpoint": {
    scene: "no-checkpoint",
    at: RUN,
    until: (page) => page.getByText("“Support replies” cannot be tried yet").waitFor(),
  },
  fresh: { scene: "full", at: RUN, until: (page) => box(page).waitFor() },
  talk: {
    scene: "quick",
    at: RUN,
    async until(page) {
      await ask(page, "My order is late");
      await answered(page);
      await page.getByRole("button", { name: "The prompt as the model saw it, Tuned" }).click();
      await page.getByRole("switch", { name: "Mark differences" }).check();
    },
  },
  "one breaks off": {
    scene: "breaks",
    at: RUN,
    async until(page) {
      await ask(page, "My order is late");
      await answered(page);
    },
  },
  long: {
    scene: "long",
    at: RUN,
    async until(page) {
      await ask(page, `<b>${"order ".repeat(300)}</b>`);
      await answered(page);
    },
  },
};

const SIZES = [[1024, 700], [1920, 1080], [1280, 800]];

for (const [name, { scene, at, until }] of Object.entries(STATES)) {
  test(`${name}: accessible in light and dark, nothing cut in any window, without errors`, async () => {
    const { page, errors, close } = await browser.open(scene, { at });
    await until(page);
    for (const theme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme: theme });
      for (const [width, height] of SIZES) {
        await page.setViewportSize({ width, height });
        await shoot(page, `try-${name.replaceAll(" ", "-")}-${theme}-${width}`);
        await eventually(async () => assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth), false));
      }
      await eventually(async () => assert.deepEqual(await violations(page), []));
    }
    assert.deepEqual(errors, []);
    await close();
  });
}

test("a run or a model is chosen, and talked to", async () => {
  const { page, close } = await browser.open("quick", { at: { view: "try" } });
  await page.getByRole("button", { name: /^Support replies/ }).waitFor();
  await eventually(async () => assert.equal(await page.getByRole("main").getByRole("button", { name: /second try/ }).count(), 0, "what still trains is not offered"));
  await page.getByRole("searchbox").fill("no such thing");
  await page.getByText("Nothing here is called “no such thing”.").waitFor();
  await page.getByRole("searchbox").fill("alpaca");
  await page.getByRole("button", { name: /^Alpaca/ }).click();
  await page.getByRole("heading", { level: 1, name: "Alpaca" }).waitFor();
  await box(page).waitFor();
  await page.getByRole("button", { name: "Choose another" }).click();
  await page.getByText("Models on this computer").waitFor();
  await close();
});

test("opening can be cancelled, and says what to do where it fails", async () => {
  const slow = await browser.open("slow", { at: RUN });
  await slow.page.getByRole("main").getByRole("button", { name: "Cancel" }).click();
  await slow.page.getByText("What runs have learned").waitFor();
  await slow.close();

  const { page, close } = await browser.open("no-checkpoint", { at: RUN });
  await page.getByText("Let it train a little longer.").waitFor();
  await page.getByRole("button", { name: "Open the run" }).click();
  await page.getByRole("heading", { level: 1, name: "Support replies" }).waitFor();
  await close();
});

test("both voices are asked at once, and each says how quick it was", async () => {
  const { page, errors, close } = await browser.open("full", { at: RUN });
  await ask(page, "My order is late");
  await page.waitForFunction(() => document.querySelectorAll("[data-state=writing]").length === 2);
  await eventually(async () => assert.match(await pane(page, "Base").textContent(), /tokens\/s/));
  await answered(page);
  for (const voice of ["Base", "Tuned"]) {
    const said = await pane(page, voice).textContent();
    assert.match(said, /\d+ tokens\/s/, `${voice} says its pace`);
    assert.match(said, /\d+ tokens in \d/, `${voice} says its length`);
  }
  await eventually(async () => assert.match(await pane(page, "Tuned").textContent(), /we send it again at no cost\./));
  assert.deepEqual(errors, []);
  await close();
});

test("a machine that answers one after the other says which one waits", async () => {
  const { page, close } = await browser.open("in-turn", { at: RUN });
  await ask(page, "My order is late");
  await pane(page, "Tuned").getByText("Waits for its turn").waitFor();
  await answered(page);
  await close();
});

test("a model alone has one column", async () => {
  const { page, close } = await browser.open("quick", { at: MODEL });
  await ask(page, "My order is late");
  await answered(page, 1);
  await eventually(async () => assert.equal(await pane(page, "Tuned").count(), 0));
  await eventually(async () => assert.equal(await page.getByRole("switch", { name: "Mark differences" }).count(), 0));
  await close();
});

test("Enter sends, Shift and Enter is a new line, Escape stops and keeps what came", async () => {
  const { page, close } = await browser.open("full", { at: RUN });
  await box(page).waitFor();
  await eventually(async () => assert.ok(await box(page).evaluate((e) => e === document.activeElement), "the question can be typed at once"));
  await page.keyboard.type("one");
  await page.keyboard.press("Shift+Enter");
  await page.keyboard.type("two");
  await eventually(async () => assert.equal(await box(page).inputValue(), "one\ntwo"));
  await page.keyboard.press("Enter");
  await eventually(async () => assert.equal(await box(page).inputValue(), ""));
  await page.waitForFunction(() => document.querySelectorAll("[data-state=writing]").length === 2);
  await page.keyboard.press("Escape");
  await answered(page);
  const states = await page.locator("[data-state]").evaluateAll((all) => all.map((e) => e.dataset.state));
  assert.deepEqual(states, ["stopped", "stopped"]);
  await pane(page, "Base").getByText("Stopped by you.").waitFor();
  await close();
});

test("one answer can be stopped, copied and asked for again by itself", async () => {
  const { page, close } = await browser.open("full", { at: RUN });
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await ask(page, "My order is late");
  await page.getByRole("button", { name: "Stop Tuned" }).click();
  await answered(page);
  await eventually(async () => assert.equal(await pane(page, "Base").getAttribute("data-state"), "complete"));
  await eventually(async () => assert.equal(await pane(page, "Tuned").getAttribute("data-state"), "stopped"));
  await page.getByRole("button", { name: "Ask again, Tuned" }).click();
  await answered(page);
  await eventually(async () => assert.equal(await pane(page, "Tuned").getAttribute("data-state"), "complete"));
  await page.getByRole("button", { name: "Copy Tuned" }).click();
  await page.getByRole("button", { name: "Copied" }).waitFor();
  await eventually(async () => assert.match(await page.evaluate(() => navigator.clipboard.readText()), /^(Thanks for asking\. )?Sorry about the wait\./));
  await close();
});

test("an answer that breaks off says so in its place, and the other goes on", async () => {
  const { page, close } = await browser.open("breaks", { at: RUN });
  await ask(page, "My order is late");
  await answered(page);
  await pane(page, "Tuned").getByRole("alert").getByText("The answer broke off").waitFor();
  await eventually(async () => assert.match(await pane(page, "Tuned").textContent(), /Orders/, "what came is kept"));
  await eventually(async () => assert.equal(await pane(page, "Base").getAttribute("data-state"), "complete"));
  await page.getByRole("button", { name: "Open it again" }).click();
  await box(page).waitFor();
  await eventually(async () => assert.equal(await page.locator("[data-state]").count(), 2, "the conversation is kept"));
  await close();
});

test("the prompt is shown as the model saw it, each voice with its own conversation", async () => {
  const { page, close } = await browser.open("quick", { at: RUN });
  await page.getByRole("textbox", { name: /Instructions/ }).fill("Be brief.");
  await ask(page, "My order is late");
  await answered(page);
  await ask(page, "How do I change my password?");
  await answered(page, 4);
  await page.getByRole("button", { name: "The prompt as the model saw it, Base" }).nth(1).click();
  const seen = page.getByRole("region", { name: "The prompt as the model saw it, Base" });
  const text = (await seen.textContent()).replaceAll("↵", "");
  assert.match(text, /^<\|im_start\|>system\nBe brief\.<\|im_end\|>\n<\|im_start\|>user\nMy order is late<\|im_end\|>\n/);
  assert.match(text, /<\|im_start\|>assistant\n(Thanks for asking\. )?I'm sorry to hear that/, "the base goes on from what the base said");
  await eventually(async () => assert.ok(await seen.locator(".special").count() >= 7, "special tokens are set apart"));
  await close();
});

test("differences are marked only when asked", async () => {
  const { page, close } = await browser.open("quick", { at: RUN });
  await ask(page, "My order is late");
  await answered(page);
  await eventually(async () => assert.equal(await page.locator("mark").count(), 0));
  const before = await pane(page, "Tuned").locator(".text").textContent();
  await page.getByRole("switch", { name: "Mark differences" }).check();
  await eventually(async () => assert.ok(await page.locator("mark").count() > 2));
  await eventually(async () => assert.equal(await pane(page, "Tuned").locator(".text").textContent(), before, "marks change no word"));
  await close();
});

test("a model without a chat template goes on from a text, and the page says why", async () => {
  const { page, close } = await browser.open("no-template", { at: RUN });
  await page.getByText("This model has no chat template", { exact: false }).waitFor();
  await eventually(async () => assert.equal(await page.getByRole("textbox", { name: /Instructions/ }).count(), 0));
  await ask(page, "Once upon a time", "Begin a text");
  await answered(page);
  await page.getByRole("button", { name: "Go on from here, Tuned" }).click();
  await eventually(async () => assert.match(await box(page, "Begin a text").inputValue(), /^Once upon a time.+Could you/s));
  await close();
});

test("a prompt of the validation data is asked by one click, and the data's answer stands beside", async () => {
  const { page, close } = await browser.open("quick", { at: RUN });
  await page.getByText("From the validation data of the run").waitFor();
  const first = page.getByRole("list", { name: "From the validation data of the run" }).getByRole("button").first();
  const prompt = (await first.textContent()).trim();
  await first.click();
  await answered(page);
  await page.getByText(prompt, { exact: true }).waitFor();
  await page.getByText("In the data:").waitFor();
  await page.getByRole("button", { name: "Examples to ask" }).click();
  await page.getByRole("menuitem").nth(1).press("Enter");
  await answered(page, 4);
  await close();
});

test("clearing can be undone", async () => {
  const { page, close } = await browser.open("quick", { at: RUN });
  await ask(page, "My order is late");
  await answered(page);
  await page.getByRole("button", { name: "Clear" }).click();
  await eventually(async () => assert.equal(await page.locator("[data-state]").count(), 0));
  await page.getByRole("button", { name: "Undo" }).click();
  await eventually(async () => assert.equal(await page.locator("[data-state=complete]").count(), 2));
  await close();
});

test("presets set the dials; a value that cannot be used is said, and the one before is kept", async () => {
  const { page, close } = await browser.open("quick", { at: RUN });
  const dial = (term) => page.getByRole("spinbutton", { name: new RegExp(term) });
  await page.getByRole("radio", { name: "Greedy" }).check();
  await eventually(async () => assert.equal(await dial("temperature").inputValue(), "0"));
  await eventually(async () => assert.ok(await dial("top-k").isDisabled(), "what has no say cannot be set"));
  await page.getByRole("radio", { name: "Lively" }).check();
  await dial("temperature").fill("0.8");
  await eventually(async () => assert.ok(await page.getByRole("radio", { name: "Own" }).isChecked()));
  await dial("temperature").fill("9");
  await page.getByText("A number from 0 to 2; the value before is kept.").waitFor();
  await dial("temperature").blur();
  await eventually(async () => assert.equal(await dial("temperature").inputValue(), "0.8"));

  // Greedy is the same each time; so is a seed.
  await page.getByRole("radio", { name: "Greedy" }).check();
  await ask(page, "My order is late");
  await answered(page);
  await eventually(async () => assert.match(await pane(page, "Tuned").textContent(), /^\s*Sorry/));
  await dial("temperature").fill("1");
  await dial("seed").fill("7");
  await page.getByRole("button", { name: "Ask again, Tuned" }).click();
  await answered(page);
  await eventually(async () => assert.match(await pane(page, "Tuned").textContent(), /^\s*Thanks/));
  await dial("max tokens").fill("5");
  await page.getByRole("button", { name: "Ask again, Tuned" }).click();
  await answered(page);
  await pane(page, "Tuned").getByText("Cut at the longest answer that is set.").waitFor();
  await close();
});

test("what a model says is text, never markup", async () => {
  const { page, errors, close } = await browser.open("long", { at: RUN });
  const title = await page.title();
  await ask(page, "<i>anything</i>");
  await answered(page);
  await eventually(async () => assert.match(await pane(page, "Tuned").textContent(), /<b>This is not bold<\/b>/));
  await eventually(async () => assert.equal(await page.locator("[data-state] img, [data-state] b, [data-state] script, article i").count(), 0));
  await eventually(async () => assert.equal(await page.title(), title));
  assert.deepEqual(errors, []);
  await close();
});

test("who reads the end stays there; who scrolled up is left where they are", async () => {
  const { page, close } = await browser.open("long", { at: RUN, size: [1024, 700] });
  const talk = page.getByRole("region", { name: "Conversation" });
  const below = () => talk.evaluate((e) => e.scrollHeight - e.scrollTop - e.clientHeight);
  await ask(page, "first");
  await answered(page);
  await eventually(async () => assert.ok((await below()) < 24, "the end is in sight"));
  await ask(page, "second");
  await page.waitForFunction(() => document.querySelectorAll("[data-state=writing]").length > 0);
  await talk.evaluate((e) => e.scrollTo(0, 100));
  await answered(page, 4);
  await eventually(async () => assert.equal(await talk.evaluate((e) => e.scrollTop), 100));
  await page.getByRole("button", { name: "To the end" }).click();
  await eventually(async () => assert.ok((await below()) < 24));
  await eventually(async () => assert.equal(await page.getByRole("button", { name: "To the end" }).count(), 0));
  await close();
});

test("who leaves and comes back finds the conversation, and an answer is not cut by leaving", async () => {
  const { page, errors, close } = await browser.open("full", { at: RUN });
  await ask(page, "My order is late");
  await page.waitForFunction(() => document.querySelectorAll("[data-state=writing]").length === 2);
  await page.getByRole("link", { name: "Data" }).or(page.getByRole("button", { name: "Data" })).first().click();
  await page.getByRole("heading", { level: 1, name: "Data" }).waitFor();
  await page.getByRole("link", { name: "Try it" }).or(page.getByRole("button", { name: "Try it" })).first().click();
  await answered(page);
  await eventually(async () => assert.equal(await page.locator("[data-state=complete]").count(), 2));
  await ask(page, "How do I change my password?");
  await answered(page, 4);
  await eventually(async () => assert.equal(await page.locator("[data-state=complete]").count(), 4));
  assert.deepEqual(errors, []);
  await close();
});

test("the keyboard reaches every control of the talk, and the focus is seen", async () => {
  const { page, close } = await browser.open("quick", { at: RUN });
  await ask(page, "My order is late");
  await answered(page);
  const reached = new Set();
  for (let i = 0; i < 60; i++) {
    await page.keyboard.press("Tab");
    const [name, seen] = await page.evaluate(() => {
      const e = document.activeElement;
      const style = getComputedStyle(e.matches("textarea, input[type=radio]") ? (e.closest("form, label") ?? e) : e);
      const own = getComputedStyle(e);
      const shown = [style, own].some((s) => s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2);
      return [e.getAttribute("aria-label") ?? e.textContent.trim(), shown || e === document.body];
    });
    assert.ok(seen, `${name} shows that it has the focus`);
    reached.add(name);
  }
  for (const name of ["Copy Base", "Copy Tuned", "Ask again, Tuned", "The prompt as the model saw it, Base", "Clear", "Choose another", "How it answers", "Conversation", "Examples to ask"]) {
    assert.ok(reached.has(name), `${name} is reached`);
  }
  await close();
});
