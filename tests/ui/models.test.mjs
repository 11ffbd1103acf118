// What the models' page promises.   node --test tests/ui/models.test.mjs

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { eventually, shoot, start, violations } from "./page.mjs";

let browser;
before(async () => (browser = await start()));
after(() => browser?.stop());

async function open(scene, more = {}) {
  const opened = await browser.open(scene, { at: "models", ...more });
  opened.page.setDefaultTimeout(10_000);
  return opened;
}
const model = (page, name) => page.getByTestId("model").filter({ has: page.getByRole("heading", { name, exact: true }) });
const button = (page, name) => page.getByRole("button", { name });
const search = (page) => page.getByRole("searchbox", { name: /^Search models on/ });

async function look(page, name) {
  await shoot(page, name);
  const wide = await page.evaluate(() => document.querySelector("main").scrollWidth - document.querySelector("main").clientWidth);
  assert.equal(wide, 0, "nothing is wider than the page");
  await eventually(async () => assert.deepEqual(await violations(page), []));
}

const STATES = {
  full: { scene: "full", shows: (page) => page.getByText("old-base", { exact: true }) },
  empty: { scene: "empty", shows: (page) => page.getByText("No model here yet") },
  trouble: { scene: "trouble", shows: (page) => page.getByText("The models cannot be read") },
  long: { scene: "long", shows: (page) => page.getByText("attempt-80", { exact: true }) },
  busy: {
    scene: "busy",
    async shows(page) {
      await button(page, "Download TinyLlama 1.1B Chat").click();
      return page.getByText("41 %, 0.9 of 2.2 GB, 1 min 36 s left");
    },
  },
  gate: {
    scene: "full",
    async shows(page) {
      const row = model(page, "Llama 3.2 1B Instruct");
      await row.getByText("Show how").click();
      return row.getByText("https://huggingface.co/meta-llama/Llama-3.2-1B-Instruct");
    },
  },
  found: {
    scene: "full",
    async shows(page) {
      await search(page).fill("l");
      await search(page).press("Enter");
      return page.getByText("On huggingface.co: “l”");
    },
  },
  offline: {
    scene: "offline",
    async shows(page) {
      await search(page).fill("llama");
      await search(page).press("Enter");
      return page.getByText("huggingface.co was not searched");
    },
  },
};

for (const [state, { scene, shows }] of Object.entries(STATES)) {
  for (const [theme, size] of [["light", [1024, 700]], ["dark", [1280, 800]], ["light", [1920, 1080]]]) {
    test(`${state}, ${theme}, ${size.join("x")}: readable, accessible, without errors`, async () => {
      const { page, errors, close } = await open(scene, { theme, size });
      await (await shows(page)).first().waitFor();
      await look(page, `models-${state}-${theme}-${size[0]}`);
      assert.deepEqual(errors, []);
      await close();
    });
  }
}

test("each fit has a word, a shape and its reason", async () => {
  const { page, close } = await open("full");
  for (const [name, word, why] of [
    ["TinyLlama 1.1B Chat", "Fits", "Needs about 3.9 GB of 8.0 GB on AMD Radeon 780M"],
    ["SmolLM2 1.7B Instruct", "Tight", "Needs about 5.7 GB of 8.0 GB on AMD Radeon 780M: close other programs first"],
    ["Llama 3.2 3B Instruct", "Too large", "Needs about 10.2 GB, and AMD Radeon 780M has 8.0 GB"],
  ]) {
    const row = model(page, name);
    await row.getByText(word, { exact: true }).waitFor();
    await row.getByText(why, { exact: true }).waitFor();
  }
  await close();
});

test("several downloads at once outlive the page, and say where they are", async () => {
  const { page, errors, close } = await open("busy");
  await button(page, "Download TinyLlama 1.1B Chat").click();
  await button(page, "Download SmolLM2 1.7B Instruct").click();
  await page.getByText("41 %, 0.9 of 2.2 GB, 1 min 36 s left").waitFor();
  await page.getByRole("link", { name: "Data" }).or(button(page, "Data")).first().click();
  await page.getByRole("heading", { level: 1, name: "Data" }).waitFor();
  await page.getByText(/^Downloading (TinyLlama|SmolLM2 1.7B)/).first().waitFor();
  await page.getByRole("link", { name: "Models" }).or(button(page, "Models")).first().click();
  for (const name of ["TinyLlama 1.1B Chat", "SmolLM2 1.7B Instruct"]) {
    await eventually(async () => assert.equal(await model(page, name).getByRole("progressbar").getAttribute("aria-valuenow"), "41"));
  }
  assert.deepEqual(errors, []);
  await close();
});

test("a download that is paused keeps what came, goes on from there, and ends among the models here", async () => {
  const { page, close } = await open("full");
  const row = model(page, "SmolLM2 1.7B Instruct");
  await row.getByText("40 %, 1.4 of 3.4 GB kept").waitFor();
  await row.getByRole("button", { name: "Resume" }).press("Enter");
  await row.getByText(/s left/).waitFor();
  const pause = row.getByRole("button", { name: "Pause" });
  await eventually(async () => assert.ok(await pause.evaluate((e) => e === document.activeElement), "the focus goes on to what replaced the button"));
  await pause.press("Enter");
  await row.getByText(/kept/).waitFor();
  await eventually(async () => assert.ok(Number(await row.getByRole("progressbar").getAttribute("aria-valuenow")) >= 40));
  await row.getByRole("button", { name: "Resume" }).press("Enter");
  await row.getByText("On this computer").first().waitFor();
  await eventually(async () => assert.equal(await page.getByRole("heading", { level: 3, name: "SmolLM2 1.7B Instruct" }).count(), 2, "in both lists"));
  await close();
});

test("what came can be thrown away", async () => {
  const { page, close } = await open("full");
  await button(page, "Discard what came of SmolLM2 1.7B Instruct").click();
  await button(page, "Download SmolLM2 1.7B Instruct").waitFor();
  await close();
});

test("a download that fails says why, what was kept, and how to go on", async () => {
  const { page, close } = await open("offline");
  await button(page, /^Download the starter, 272/).click();
  await page.getByRole("alert").getByText(/huggingface.co cannot be reached/).waitFor();
  await page.getByText(/^40 %, 10.* of 272.* MB kept/).waitFor();
  await button(page, "Try again").click();
  await page.getByText("Asking for it").waitFor();
  await page.getByText(/^40 %, 10.* of 272.* MB kept/).waitFor();
  // What came in an earlier life of the window is kept as well.
  const row = model(page, "SmolLM2 1.7B Instruct");
  await row.getByRole("button", { name: "Resume" }).click();
  await row.getByRole("alert").waitFor();
  await row.getByText("40 %, 1.4 of 3.4 GB kept").waitFor();
  await close();
});

test("without a model there is one thing to do, and it ends with a model", async () => {
  const { page, close } = await open("empty");
  await eventually(async () => assert.equal(await page.locator("main button.accent").count(), 1));
  await page.locator("main button.accent").click();
  await model(page, "SmolLM2 135M Instruct").getByRole("button", { name: "Train with this" }).waitFor();
  await page.getByText(/^272.* MB in 1 model, /).waitFor();
  await close();
});

test("nothing is asked of the hub before the person searched", async () => {
  const { page, close } = await open("full");
  await search(page).pressSequentially("s");
  await page.getByText("Press Enter to search huggingface.co. Only these words are sent.").waitFor();
  await page.waitForTimeout(1000);
  await eventually(async () => assert.equal(await page.getByText("On huggingface.co:").count(), 0, "one letter is not a search yet"));
  await search(page).pressSequentially("alamandra");
  await page.getByText("On huggingface.co: “salamandra”").waitFor();
  await eventually(async () => assert.equal(await page.getByTestId("model").count(), 1));
  await search(page).press("Escape");
  await page.getByText("Recommended").waitFor();
  await close();
});

test("what cannot be trained here is not offered, and says why", async () => {
  const { page, close } = await open("full");
  await search(page).fill("mamba");
  await search(page).press("Enter");
  await page.getByText("Cannot be trained here yet: it is of the family mamba").waitFor();
  await eventually(async () => assert.equal(await page.getByTestId("model").getByRole("button").count(), 0));
  await search(page).fill("nothing of the kind");
  await page.getByText("Nothing of that name").waitFor();
  await close();
});

test("a search that failed is asked again by one button", async () => {
  const { page, close } = await open("offline");
  await search(page).fill("llama");
  await page.getByText("huggingface.co cannot be reached: the name is not known.").waitFor();
  await button(page, "Search again").click();
  await page.getByText("Searching huggingface.co for “llama”…").waitFor();
  await page.getByText("huggingface.co was not searched").waitFor();
  await close();
});

test("a model that was found and is on its way stays in sight without the search", async () => {
  const { page, close } = await open("busy");
  await search(page).fill("salamandra");
  await search(page).press("Enter");
  await button(page, "Download salamandra-2b-instruct").click();
  await page.getByText(/^41 %/).waitFor();
  await button(page, "Close the search").click();
  await button(page, "Pause the download of salamandra-2b-instruct").click();
  await page.getByText("From a search, not all here yet").waitFor();
  await button(page, "Resume").waitFor();
  await close();
});

test("a refused licence opens the steps that lead to it, and their pages", async () => {
  const { page, close } = await open("full", { query: { token: "none" } });
  const row = model(page, "Llama 3.2 3B Instruct");
  await row.getByRole("button", { name: "Download" }).click();
  await row.getByRole("alert").getByText(/given only to those who accepted its licence/).waitFor();
  await row.getByText("https://huggingface.co/meta-llama/Llama-3.2-3B-Instruct", { exact: true }).waitFor();
  await row.getByRole("button", { name: "Open the licence page" }).click();
  const opened = () => page.evaluate(() => globalThis.fakeWindow.opened);
  await eventually(async () => assert.deepEqual(await opened(), ["meta-llama/Llama-3.2-3B-Instruct"]));
  await row.getByRole("button", { name: "Open the token page" }).click();
  await eventually(async () => assert.deepEqual((await opened()).slice(1), ["tokens"]));
  await close();

  const without = await open("full", { query: { browser: "none" } });
  const there = model(without.page, "Llama 3.2 3B Instruct");
  await there.getByText("Show how").click();
  await there.getByRole("button", { name: "Open the licence page" }).click();
  await without.page.getByText("The page is https://huggingface.co/meta-llama/Llama-3.2-3B-Instruct").first().waitFor();
  await without.close();
});

test("one's own model is added where it lies, or its trouble is told", async () => {
  const added = await open("full");
  await button(added.page, "Add a folder").click();
  await added.page.getByText("haiku-llama is in the list; its files stay where they are.").waitFor();
  await model(added.page, "haiku-llama").waitFor();
  await added.close();

  const refused = await open("full", { query: { pick: "/home/ada/mamba.gguf" } });
  await button(refused.page, "Add a GGUF file").click();
  await refused.page.getByRole("alert").getByText(/holds a model of type “mamba”, which cannot be trained yet/).waitFor();
  await eventually(async () => assert.equal(await refused.page.getByRole("heading", { name: "mamba.gguf" }).count(), 0));
  await refused.close();

  const left = await open("full", { query: { pick: "" } });
  await button(left.page, "Add a folder").click();
  await left.page.waitForTimeout(100);
  await eventually(async () => assert.equal(await left.page.getByRole("alert").count(), 0));
  await left.close();
});

async function choose(page, name, item) {
  await button(page, `More for ${name}`).click();
  await page.getByRole("menuitem", { name: item }).click();
}

test("removing asks only where runs need the model, and says what it frees", async () => {
  const { page, close } = await open("full");
  await choose(page, "SmolLM2 360M Instruct", /^Remove, free 727/);
  await page.getByText(/SmolLM2 360M Instruct is removed: 727.* MB freed/).waitFor();
  await eventually(async () => assert.equal(await page.getByRole("dialog").count(), 0));
  await eventually(async () => assert.equal(await page.evaluate(() => document.activeElement.textContent), "On this computer"));
  await button(page, "Download SmolLM2 360M Instruct").waitFor();

  await choose(page, "SmolLM2 135M Instruct", /^Remove/);
  const dialog = page.getByRole("dialog", { name: "Remove SmolLM2 135M Instruct?" });
  await dialog.getByText(/^6 runs learned from it. What they learned is kept/).waitFor();
  await eventually(async () => assert.deepEqual(await violations(page), []));
  await shoot(page, "models-remove");
  await dialog.getByRole("button", { name: "Keep it" }).click();
  await choose(page, "SmolLM2 135M Instruct", /^Remove/);
  await dialog.getByRole("button", { name: /^Remove and free 272/ }).click();
  await dialog.waitFor({ state: "detached" });
  await button(page, "Download SmolLM2 135M Instruct").waitFor();
  await close();
});

test("one's own model is only forgotten, and comes back", async () => {
  const { page, close } = await open("full");
  await choose(page, "letters-llama-1b", "Forget, keep the files");
  await page.getByText("letters-llama-1b is forgotten; its files are where they were.").waitFor();
  await eventually(async () => assert.equal(await model(page, "letters-llama-1b").count(), 0));
  await button(page, "Undo").click();
  await model(page, "letters-llama-1b").waitFor();
  await close();
});

test("a removal that is refused leaves the model and says why", async () => {
  const { page, close } = await open("busy");
  await choose(page, "SmolLM2 360M Instruct", /^Remove/);
  await model(page, "SmolLM2 360M Instruct").first().getByRole("alert").getByText(/A run is learning from it just now/).waitFor();
  await close();
});

test("a model leads on to a run and to a chat; one in trouble to neither", async () => {
  const { page, close } = await open("full");
  await eventually(async () => assert.equal(await model(page, "old-base").getByRole("button", { name: /Train|Try/ }).count(), 0));
  for (const [does, rail] of [["Train with this", "Runs"], ["Try it", "Try it"]]) {
    await button(page, `${does} SmolLM2 360M Instruct`).click();
    await page.locator("nav [aria-current]", { hasText: rail }).waitFor();
    await page.getByRole("main").getByText(/SmolLM2[- ]360M[- ]Instruct/).first().waitFor();
    await page.getByRole("navigation").getByText("Models").click();
  }
  await close();
});

test("the keyboard reaches the whole page, and the focus is seen", async () => {
  const { page, close } = await open("full");
  await model(page, "old-base").waitFor();
  await search(page).focus();
  const reached = [];
  for (let i = 0; i < 6; i++) {
    await page.keyboard.press("Tab");
    reached.push(await page.evaluate(() => {
      const e = document.activeElement;
      const { outlineStyle, outlineWidth } = getComputedStyle(e);
      assertSeen(outlineStyle, outlineWidth);
      return e.ariaLabel ?? e.textContent.trim();
      function assertSeen(style, width) {
        if (style !== "solid" || parseFloat(width) < 2) throw new Error(`no outline on ${e.outerHTML}`);
      }
    }));
  }
  assert.deepEqual(reached, [
    "Add a folder", "Add a GGUF file", "Train with this SmolLM2 135M Instruct", "Try it SmolLM2 135M Instruct",
    "More for SmolLM2 135M Instruct", "Train with this SmolLM2 360M Instruct",
  ]);
  await close();
});
