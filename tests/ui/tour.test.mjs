// What a first start promises: the welcome, and the tour of the sample.
// node --test tests/ui/tour.test.mjs

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { eventually, shoot, start, violations } from "./page.mjs";

let browser;
before(async () => (browser = await start()));
after(() => browser?.stop());

const button = (page, name) => page.getByRole("button", { name, exact: true });

async function look(page, name) {
  await shoot(page, `tour-${name}`);
  const wide = await page.evaluate(() => document.querySelector("main").scrollWidth - document.querySelector("main").clientWidth);
  assert.equal(wide, 0, "nothing is wider than the page");
  await eventually(async () => assert.deepEqual(await violations(page), []));
}

test("the welcome does not wait for the devices, and says when they cannot be found out", async () => {
  const slow = await browser.open("first", { query: { devices: "waiting" } });
  await slow.page.getByText("Looking for devices…").waitFor();
  await eventually(async () => assert.equal(
    await button(slow.page, "Try it with a sample").isEnabled(),
    true,
  ));
  await slow.page.getByText("Nothing leaves this computer").waitFor();
  await slow.close();

  const broken = await browser.open("first", { query: { devices: "trouble" } });
  await broken.page
    .getByText("Update the graphics driver, or train on the processor.")
    .waitFor();
  await button(broken.page, "Look again").click();
  await look(broken.page, "first-no-devices");
  await broken.close();

  const found = await browser.open("first");
  await found.page.getByTestId("device").first().waitFor();
  await eventually(async () => assert.deepEqual(await found.page.getByTestId("device").allInnerTexts(), [
    "Intel Core i5-1240P\n\nProcessor CPU\n\n16.5 GB memory",
    "Intel Iris Xe Graphics (ADL GT2)\n\nBuilt-in graphics GPU, Vulkan\n\n8.2 GB memory",
  ]));
  await found.close();
});

test("without the network the sample says so, keeps what came, and can be tried again", async () => {
  const { page, close } = await browser.open("offline");
  await button(page, "Try it with a sample").click();
  await page.getByText("The sample could not be prepared").waitFor();
  await look(page, "first-offline");
  await button(page, "Try again").click();
  await page.getByText("The sample could not be prepared").waitFor();
  await close();
});

test("the download of the sample can be cancelled, and goes on later", async () => {
  const { page, close } = await browser.open("first");
  await button(page, "Try it with a sample").click();
  await page.getByRole("main").getByRole("progressbar").waitFor();
  await look(page, "first-preparing");
  await page.getByRole("main").getByRole("button", { name: "Cancel" }).click();
  await page
    .getByText(
      "Stopped. What has come is kept; next time it goes on from there.",
    )
    .waitFor();
  await button(page, "Try it with a sample").click();
  await page.getByRole("heading", { level: 1, name: "New run" }).waitFor();
  await close();
});

test("who goes elsewhere while the sample comes is called back, not dragged", async () => {
  const { page, close } = await browser.open("first");
  await button(page, "Try it with a sample").click();
  await page.getByRole("main").getByRole("progressbar").waitFor();
  await button(page, "Settings").click();
  await button(page, "Review it").click({ timeout: 10_000 });
  await page.getByRole("heading", { level: 1, name: "New run" }).waitFor();
  await close();
});

test("from the first start to an exported adapter in at most 8 clicks, and no typing", async () => {
  const { page, errors, close } = await browser.open("first");
  const strip = page.getByRole("complementary", { name: "Sample tour" });
  let clicks = 0;
  const click = async (what) => {
    await what.click({ timeout: 20_000 });
    clicks += 1;
  };
  await click(button(page, "Try it with a sample"));
  await strip.getByText("1 of 4").waitFor();
  await page.getByText("What the model will see", { exact: true }).waitFor();
  await shoot(page, "tour-review");
  await click(button(page, "Start"));
  await strip.getByText("2 of 4").waitFor();
  await shoot(page, "tour-training");
  await strip.getByText("3 of 4").waitFor({ timeout: 20_000 });
  await shoot(page, "tour-finished");
  await click(page.getByRole("main").getByRole("tab", { name: /Export/ }));
  await click(
    page
      .getByRole("main")
      .getByRole("button", { name: /^Export/ })
      .last(),
  );
  await strip
    .getByText(/^Done: the adapter is a folder/)
    .waitFor({ timeout: 20_000 });
  await shoot(page, "tour-exported");
  assert.ok(clicks <= 8, `${clicks} clicks`);
  await click(strip.getByRole("button", { name: "End the tour" }));
  await strip.waitFor({ state: "detached" });
  assert.deepEqual(errors, []);
  await close();
});

test("the strip leads back to where the next step is done, and can be put away", async () => {
  const { page, close } = await browser.open("first");
  const strip = page.getByRole("complementary", { name: "Sample tour" });
  await button(page, "Try it with a sample").click();
  await page.getByRole("heading", { level: 1, name: "New run" }).waitFor();
  await button(page, "Models").click();
  await strip.getByRole("button", { name: "Back to the review" }).click();
  await page.getByRole("heading", { level: 1, name: "New run" }).waitFor();
  await button(page, "Start").click();
  await strip.getByText("2 of 4").waitFor();
  await button(page, "Data").click();
  await strip.getByRole("button", { name: "Show the run" }).waitFor();
  await eventually(async () => assert.deepEqual(await violations(page), []));
  await strip.getByRole("button", { name: "End the tour" }).click();
  await strip.waitFor({ state: "detached" });
  await close();
});

test("a tour goes on when the window opens again, wherever it was; ended it stays away", async () => {
  const { page, errors, close } = await browser.open("sample");
  const strip = page.getByRole("complementary", { name: "Sample tour" });
  const again = async (scene) => {
    const address = new URL(page.url());
    address.searchParams.set("scene", scene);
    await page.goto(String(address));
    await page.getByRole("heading", { level: 1 }).waitFor();
  };
  await button(page, "Try it with a sample").click();
  await page.getByRole("heading", { level: 1, name: "New run" }).waitFor();
  await again("sample");
  await strip.getByText("1 of 4").waitFor();
  await strip.getByRole("button", { name: "Back to the review" }).click();
  await page.getByRole("heading", { level: 1, name: "New run" }).waitFor();

  await again("sampled");
  await strip.getByText("3 of 4").waitFor();
  await strip.getByRole("button", { name: "Show the run" }).click();
  await page.getByRole("heading", { level: 1, name: "Sample: the lighthouse keeper" }).waitFor();
  await strip.getByRole("button", { name: "End the tour" }).click();
  await strip.waitFor({ state: "detached" });
  await again("sampled");
  await page.getByTestId("run").waitFor();
  assert.equal(await page.evaluate(() => localStorage.length), 0);
  assert.equal(await strip.count(), 0);

  await again("sample");
  await button(page, "Try it with a sample").click();
  await strip.getByText("1 of 4").waitFor();
  await again("first");
  await page.waitForFunction(() => localStorage.length === 0);
  assert.equal(await strip.count(), 0, "its data is gone");
  assert.deepEqual(errors, []);
  await close();
});
