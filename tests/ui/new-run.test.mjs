// What the page of a new run promises.   node --test tests/ui/new-run.test.mjs

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { both, box, dataset, foot, knob, layKnobsOpen, NOTES, ready, startButton, STARTER, step } from "./new-run.mjs";
import { eventually, shoot, start, violations } from "./page.mjs";

let browser;
before(async () => (browser = await start()));
after(() => browser?.stop());

const STATES = {
  model: {
    at: "new",
    until: (page) =>
      page.getByRole("button", { name: /SmolLM2 360M/ }).waitFor(),
  },
  "model-none": {
    scene: "empty",
    at: "new",
    until: (page) =>
      page.getByText("No model is on this computer yet").waitFor(),
  },
  "data-none": {
    scene: "full",
    at: { view: "new", spec: { model: STARTER } },
    until: (page) =>
      page.getByRole("button", { name: /Lighthouse log/ }).waitFor(),
  },
  review: { at: both({ data: NOTES }), until: (page) => box(page).waitFor() },
  cut: {
    at: both({ data: NOTES, knobs: { context_length: 64 } }),
    until: (page) => page.getByRole("note").waitFor(),
  },
  how: {
    at: both({ knobs: { rank: 32 } }),
    until: async (page) => {
      await layKnobsOpen(page);
      await knob(page, "alpha").getByLabel("Alpha").fill("-1");
      await knob(page, "alpha").getByLabel("Alpha").press("Enter");
      await knob(page, "alpha").getByRole("alert").waitFor();
    },
  },
  busy: {
    at: both(),
    query: { plan: "slow" },
    until: (page) => foot(page).getByRole("progressbar").waitFor(),
  },
  trouble: {
    at: both({ knobs: { batch_size: 1024 } }),
    until: (page) => step(page, "how").getByRole("alert").waitFor(),
  },
  unread: {
    scene: "trouble",
    at: "new",
    until: (page) => page.getByText("The models cannot be read").waitFor(),
  },
  long: {
    scene: "long",
    at: "new",
    until: (page) => page.getByRole("button", { name: /Show all/ }).waitFor(),
  },
  "long-data": {
    scene: "long",
    at: both({ data: dataset(2) }),
    until: (page) => box(page).waitFor(),
  },
};

for (const [name, { scene = "full", at, query, until }] of Object.entries(
  STATES,
)) {
  for (const [theme, size] of [
    ["light", [1280, 800]],
    ["dark", [1024, 700]],
  ]) {
    test(`${name}, ${theme}: readable, accessible, nothing wider than the window`, async () => {
      const { page, errors, close } = await browser.open(scene, {
        at,
        query,
        theme,
        size,
      });
      await until(page);
      await shoot(page, `new-${name}-${theme}`);
      await eventually(async () => assert.deepEqual(await violations(page), []));
      const wide = await page.evaluate(() =>
        [...document.querySelectorAll("main, main *")]
          .filter(
            (e) =>
              e.scrollWidth > e.clientWidth + 1 &&
              getComputedStyle(e).overflowX === "visible" &&
              e.clientWidth > 0,
          )
          .map((e) => `${e.tagName}.${e.className}`),
      );
      assert.deepEqual(wide, []);
      assert.deepEqual(errors, []);
      await close();
    });
  }
}

test("with model and data given, one press starts the run", async () => {
  const { page, errors, close } = await browser.open("full", { at: both() });
  await page
    .getByRole("heading", { name: "What the model will see" })
    .waitFor();
  await ready(page);
  await startButton(page).click();
  await page
    .getByRole("heading", { name: "New run" })
    .waitFor({ state: "detached" });
  await page
    .getByRole("heading", { name: "Support replies on SmolLM2-135M-Instruct" })
    .first()
    .waitFor();
  assert.deepEqual(errors, []);
  await close();
});

test("from nothing at all, three presses start a run", async () => {
  const { page, close } = await browser.open("empty", { at: "new" });
  await eventually(async () => assert.equal(
    await foot(page)
      .getByRole("status")
      .textContent()
      .then((s) => s.trim()),
    "Choose a model first.",
  ));
  await page.getByRole("button", { name: /^Download/ }).click();
  await page.getByRole("progressbar").first().waitFor();
  await page.getByRole("button", { name: "Use the sample" }).click();
  await page.getByRole("heading", { name: "How", exact: true }).waitFor();
  await ready(page);
  await startButton(page).click();
  await page
    .getByRole("heading", { name: "Lighthouse log on SmolLM2-135M-Instruct" })
    .first()
    .waitFor();
  await close();
});

test("from a data set, the model is asked for; then the keyboard alone leads to the start", async () => {
  const { page, close } = await browser.open("full", {
    at: { view: "new", spec: { data: NOTES } },
  });
  const model = page.getByRole("button", { name: /SmolLM2 360M/ });
  await model.waitFor();
  await eventually(async () => assert.equal(
    await step(page, "data")
      .getByRole("button", { name: "Change data" })
      .count(),
    1,
    "the data is answered",
  ));
  await model.focus();
  await page.keyboard.press("Enter");
  const focused = () =>
    page.evaluate(
      () =>
        document.activeElement.textContent.trim() ||
        document.activeElement.value,
    );
  await page.waitForFunction(
    () => document.activeElement.textContent === "How",
  );
  await page.keyboard.press("Tab");
  await eventually(async () => assert.equal(await focused(), "standard"));
  await page.keyboard.press("ArrowLeft");
  await eventually(async () => assert.equal(await focused(), "quick"));
  for (let i = 0; i < 6 && (await focused()) !== "Review"; i++)
    await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.waitForFunction(
    () => document.activeElement.textContent === "Review",
  );
  await box(page).waitFor();
  const label = () =>
    page.evaluate(
      () => document.activeElement.getAttribute("aria-label") ?? "",
    );
  for (let i = 0; i < 8 && !(await label()).endsWith("as tokens"); i++)
    await page.keyboard.press("Tab");
  await page.keyboard.press("ArrowRight");
  await page.getByText("Example 2 of 279").first().waitFor();
  await page.keyboard.press("ArrowLeft");
  await page.getByText("Example 1 of 279").first().waitFor();
  await ready(page);
  for (let i = 0; i < 12 && (await focused()) !== "Start"; i++)
    await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page
    .getByRole("heading", {
      name: "Release notes in our voice on SmolLM2-360M-Instruct",
    })
    .first()
    .waitFor();
  await close();
});

test("taught tokens are as many as is said, and follow what is taught", async () => {
  const { page, close } = await browser.open("full", {
    at: both({ data: NOTES }),
  });
  await box(page).waitFor();
  const counted = () =>
    page.evaluate(() => document.querySelectorAll("mark .token").length);
  const said = async () =>
    Number(
      /(\d+) of \d+ tokens taught/.exec(
        await page.getByText(/tokens taught/).textContent(),
      )[1],
    );
  await eventually(async () => assert.equal(await counted(), await said()));
  const replies = await said();
  await eventually(async () => assert.equal(
    await page.locator(".token.special").count(),
    10,
    "start and end of each of the five turns",
  ));
  await page
    .getByText(
      "The end token <|im_end|> is taught: the model learns where to stop.",
    )
    .waitFor();
  await page
    .getByRole("radiogroup", { name: "What is taught" })
    .getByRole("radio", { name: "Last reply" })
    .check();
  await page.waitForFunction(
    (n) => document.querySelectorAll("mark .token").length < n,
    replies,
  );
  await eventually(async () => assert.equal(await counted(), await said()));
  await page.getByText(/--supervise last-reply/).waitFor();
  await close();
});

test("what is too long for the context is cut in sight, with its count and what would hold it", async () => {
  const { page, close } = await browser.open("full", {
    at: both({ data: NOTES, knobs: { context_length: 40 } }),
  });
  await box(page).waitFor();
  await eventually(async () => assert.equal(await page.locator(".token").count(), 40));
  await page.getByText("28 tokens are cut off here").waitFor();
  await eventually(async () => assert.match(await page.locator("del").textContent(), /twice·as·fast/));
  await page.getByText(/^The end token <\|im_end\|> is cut off/).waitFor();
  await page
    .getByRole("note")
    .getByText(/% of the examples are longer than the context/)
    .waitFor();
  await page.getByRole("button", { name: /^Use a context of/ }).click();
  await page.getByRole("note").waitFor({ state: "detached" });
  await page.locator("del").waitFor({ state: "detached" });
  await close();
});

test("a row of the data is text, whatever is in it", async () => {
  const { page, errors, close } = await browser.open("long", {
    at: both({ data: dataset(2) }),
  });
  await box(page).waitFor();
  await page.getByRole("button", { name: "Next example" }).click();
  await page.getByText("Example 2 of 6").first().waitFor();
  await page.waitForFunction(() =>
    document.querySelector(".preview").textContent.includes("alert"),
  );
  await eventually(async () => assert.equal(
    await page.locator(".preview :is(script, img, b, h1)").count(),
    0,
  ));
  assert.deepEqual(errors, []);
  await close();
});

const REFUSALS = {
  out_of_memory: {
    spec: { knobs: { batch_size: 1024 } },
    at: "how",
    says: /needs at least .* GB/,
    button: /^Use batch size \d+$/,
  },
  nothing_to_learn: {
    query: { plan: "nothing_to_learn" },
    at: "data",
    says: /nothing would be learned/,
    button: "Teach everything",
  },
  device: {
    query: { plan: "device" },
    at: "how",
    says: /There is no device/,
    button: "Use the processor",
  },
};

for (const [code, { spec, query, at, says, button }] of Object.entries(
  REFUSALS,
)) {
  test(`${code} is told at the step it concerns, and one press mends it`, async () => {
    const { page, close } = await browser.open("full", {
      at: both(spec),
      query,
    });
    const trouble = step(page, at).getByRole("alert");
    await trouble.getByText(says).waitFor();
    await foot(page)
      .getByText(/Step \d, \w+, says what has to change\./)
      .waitFor();
    await eventually(async () => assert.ok(await startButton(page).isDisabled()));
    await trouble.getByRole("button", { name: button }).click();
    await trouble.waitFor({ state: "detached" });
    await ready(page);
    await close();
  });
}

test("data that needs a template leads to another model, and that one fits", async () => {
  const spec = { model: "/home/ada/models/letters-llama-1b" };
  const { page, close } = await browser.open("full", {
    at: both(spec),
    query: { plan: "bad_data" },
  });
  const trouble = step(page, "model").getByRole("alert");
  await trouble.getByText(/this model has no chat template/).waitFor();
  await trouble.getByRole("button", { name: "Choose another model" }).click();
  await page.getByRole("button", { name: /SmolLM2 135M Instruct/ }).click();
  await ready(page);
  await eventually(async () => assert.equal(await trouble.count(), 0));
  await close();
});

test("without training examples, the way leads to the data", async () => {
  const { page, close } = await browser.open("full", {
    at: both(),
    query: { plan: "no_rows" },
  });
  const trouble = step(page, "data").getByRole("alert");
  await trouble.getByText("There are no training examples.").waitFor();
  await trouble.getByRole("button", { name: "Look at the data" }).click();
  await page
    .getByRole("heading", { name: "New run" })
    .waitFor({ state: "detached" });
  await close();
});

test("a plan that takes its time says how far it is, and can be stopped and asked again", async () => {
  const { page, close } = await browser.open("full", {
    at: both(),
    query: { plan: "slow" },
  });
  await foot(page).getByText("Reading the weights").first().waitFor();
  await foot(page).getByRole("button", { name: "Cancel" }).click();
  await foot(page).getByText("Planning was stopped").waitFor();
  await eventually(async () => assert.ok(await startButton(page).isDisabled()));
  await foot(page).getByRole("button", { name: "Plan again" }).click();
  await foot(page)
    .getByText("Counting tokens")
    .first()
    .waitFor({ timeout: 15_000 });
  await ready(page);
  await close();
});

test("nothing empties or jumps while a new plan is made", async () => {
  const { page, close } = await browser.open("full", { at: both() });
  await ready(page);
  await box(page).waitFor();
  await page.evaluate(() => {
    globalThis.seen = new Set();
    const look = () => {
      const at = document
        .querySelector("[data-testid=step-review]")
        .getBoundingClientRect();
      const said = document
        .querySelector("[data-foot]")
        .textContent.includes("GB of memory");
      globalThis.seen.add(`${at.top}, ${at.height}, ${said}`);
    };
    new MutationObserver(look).observe(document.body, {
      subtree: true,
      childList: true,
      characterData: true,
      attributes: true,
    });
    look();
  });
  await page.getByRole("radio", { name: /i5-1240P/ }).check();
  await foot(page)
    .getByText(/^Intel Core i5-1240P/)
    .waitFor();
  await eventually(async () => assert.equal(
    await page.evaluate(() => globalThis.seen.size),
    1,
    "the review stays where it is, and the foot never empties",
  ));
  await page.getByText(/--device cpu/).waitFor();
  await page.getByRole("button", { name: "Back to the plan’s choice" }).click();
  await foot(page)
    .getByText(/^Intel Iris/)
    .waitFor();
  await close();
});

test("a name that is typed goes into the command and the run", async () => {
  const { page, close } = await browser.open("full", { at: both() });
  await ready(page);
  await page.getByLabel("Name of the run").fill("Evening replies");
  await page.getByText('--name "Evening replies"').waitFor();
  await startButton(page).click();
  await page
    .getByRole("heading", { name: "Evening replies" })
    .first()
    .waitFor();
  await close();
});

test("a start that fails says why and keeps everything", async () => {
  const { page, close } = await browser.open("full", {
    at: both({ name: "Mine" }),
    query: { start: "disk" },
  });
  await ready(page);
  await startButton(page).click();
  await step(page, "review")
    .getByRole("alert")
    .getByText(/what you set is kept/)
    .waitFor();
  await eventually(async () => assert.equal(await page.getByLabel("Name of the run").inputValue(), "Mine"));
  await ready(page);
  await close();
});

test("a model that is not here any more is fetched in place", async () => {
  const { page, close } = await browser.open("full", {
    at: both({ model: "HuggingFaceTB/SmolLM2-135M" }),
  });
  await page
    .getByText("HuggingFaceTB/SmolLM2-135M is not on this computer")
    .waitFor();
  await page.getByRole("button", { name: "Download, 272 MB" }).click();
  await page
    .getByRole("heading", { name: "What the model will see" })
    .waitFor();
  await ready(page);
  await close();
});

test("going to the models and back keeps what was chosen", async () => {
  const { page, close } = await browser.open("full", {
    at: both({ data: NOTES, knobs: { rank: 64 }, name: "Mine" }),
  });
  await ready(page);
  await page.getByRole("button", { name: "Change model" }).click();
  await page.getByRole("button", { name: "Get another model" }).click();
  await page.getByRole("heading", { name: "Models", exact: true }).waitFor();
  await page.keyboard.press("Alt+ArrowLeft");
  await page.getByText("1 knob set by you").waitFor();
  await eventually(async () => assert.equal(await page.getByLabel("Name of the run").inputValue(), "Mine"));
  await close();
});

test("examples that cannot be shown say why, and the run can start all the same", async () => {
  const { page, close } = await browser.open("full", {
    at: both(),
    query: { see: "disk" },
  });
  const trouble = step(page, "review").getByRole("alert");
  await trouble.getByText("the disk does not answer").waitFor();
  await trouble.getByRole("button", { name: "Try again" }).click();
  await box(page).waitFor();
  await ready(page);
  await close();
});

/** As the fake names the version before the newest of "Support replies". */
function earlierVersion() {
  let h = 2166136261;
  const word = "Support replies 1";
  const digit = (_, i) => {
    h = Math.imul(h ^ (word.charCodeAt(i % word.length) + i), 16777619);
    return ((h >>> 13) & 15).toString(16);
  };
  return Array.from({ length: 64 }, digit).join("");
}

test("an earlier version of the data is named, and counted by itself", async () => {
  const { page, close } = await browser.open("full", {
    at: both({ data_version: earlierVersion() }),
  });
  await page
    .getByText("4,120 to train, 481 to validate · an earlier version")
    .waitFor();
  await page.getByText("Example 1 of 4,120").first().waitFor();
  await close();
});
