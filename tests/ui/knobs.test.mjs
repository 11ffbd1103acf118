// How a new run trains: how much time it has, and every knob.   node --test tests/ui/knobs.test.mjs

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { both, foot, knob, layKnobsOpen, ready, startButton } from "./new-run.mjs";
import { eventually, start } from "./page.mjs";

let browser;
before(async () => (browser = await start()));
after(() => browser?.stop());

test("each effort says its time and its steps, and the command follows the choice", async () => {
  const { page, close } = await browser.open("full", { at: both() });
  await page.getByRole("button", { name: "Change how" }).click();
  for (const effort of ["Quick", "Standard", "Thorough"]) {
    await page
      .locator("label", { hasText: effort })
      .getByText(/\d+ steps, (once|\d+ times) through the data/)
      .waitFor();
  }
  await page.getByRole("radio", { name: /Quick/ }).check();
  await page.getByRole("button", { name: "Review", exact: true }).click();
  await page
    .getByText(
      'tunesmith train --model HuggingFaceTB/SmolLM2-135M-Instruct --data "Support replies" --effort quick',
    )
    .waitFor();
  await close();
});

test("the most says what it has instead, where it takes no more steps", async () => {
  const { page, close } = await browser.open("full", { at: both() });
  await layKnobsOpen(page);
  const thorough = page.locator("label", { hasText: "Thorough" });
  await thorough.getByText("The most that the data gives.").waitFor();
  const set = async (key, name, value) => {
    const field = knob(page, key).getByLabel(name);
    await field.fill(value);
    await field.press("Enter");
  };
  await set("max_steps", "Steps", "40");
  await thorough.getByText("As often through the data as Standard, and more of the model learns.").waitFor();
  await set("rank", "Rank", "8");
  await set("context_length", "Context length", "512");
  await thorough.getByText("The same as Standard here: the data gives no more.").waitFor();
  await close();
});

test("a value that does not fit is refused in plain words, and nothing starts until it is mended", async () => {
  const { page, close } = await browser.open("full", { at: both() });
  await layKnobsOpen(page);
  const rank = knob(page, "rank").getByLabel("Rank");
  await eventually(async () => assert.equal(await rank.inputValue(), "16"));
  await knob(page, "rank").getByText("Goes with Standard.").waitFor();
  await rank.fill("0");
  await rank.press("Enter");
  await knob(page, "rank")
    .getByText("“0” does not fit rank: it is a whole number from 1 to 1024.")
    .waitFor();
  await foot(page).getByText("Rank: what was typed does not fit.").waitFor();
  await eventually(async () => assert.ok(await startButton(page).isDisabled()));
  await eventually(async () => assert.equal(await rank.inputValue(), "0", "what was typed stays"));
  await knob(page, "rank")
    .getByRole("button", { name: "Back to the plan’s choice" })
    .click();
  await eventually(async () => assert.equal(await rank.inputValue(), "16"));
  await ready(page);
  await close();
});

test("what is set by hand is marked, followed by what depends on it, and given back at once", async () => {
  const { page, close } = await browser.open("full", { at: both() });
  await layKnobsOpen(page);
  const rank = knob(page, "rank").getByLabel("Rank");
  await rank.fill("32");
  await rank.press("Enter");
  await knob(page, "rank").getByText("You set it.").waitFor();
  await knob(page, "alpha").getByText("Twice the rank of 32.").waitFor();
  await eventually(async () => assert.equal(
    await knob(page, "alpha").getByLabel("Alpha").inputValue(),
    "64",
  ));
  await knob(page, "packing").getByRole("radio", { name: "Off" }).check();
  await knob(page, "schedule").getByRole("combobox").selectOption("constant");
  await page.getByText("3 set by you").waitFor();
  await rank.fill("");
  await rank.press("Enter");
  await page.getByText("2 set by you").waitFor();
  // Nothing typed: the plan decides.
  await knob(page, "rank").getByText("Goes with Standard.").waitFor();
  await eventually(async () => assert.equal(await rank.inputValue(), "16"));
  await page
    .getByRole("button", { name: "All back to the plan’s choice" })
    .click();
  await page.getByText("2 set by you").waitFor({ state: "detached" });
  await knob(page, "schedule")
    .getByText(/long enough to fall gently/)
    .waitFor();
  await close();
});
