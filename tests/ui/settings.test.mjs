// What the settings promise.   node --test tests/ui/settings.test.mjs

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { eventually, shoot, start, violations } from "./page.mjs";

let browser;
before(async () => (browser = await start()));
after(() => browser?.stop());

const open = (scene, more = {}) =>
  browser.open(scene, { at: "settings", ...more });
const button = (page, name) => page.getByRole("button", { name, exact: true });
const group = (page, name) => page.getByRole("region", { name, exact: true });
const choose = (page, name) =>
  page.getByRole("radio", { name, exact: true }).check({ force: true });

const SCENES = {
  full: "5.1 GB",
  empty: "0 B",
  long: "640 components",
  trouble: "The folders cannot be measured",
  waiting: "Looking for devices…",
};

for (const [scene, shows] of Object.entries(SCENES)) {
  for (const theme of ["light", "dark"]) {
    test(`${scene}, ${theme}: readable, accessible, without errors`, async () => {
      const { page, errors, close } = await open(scene, { theme });
      await page.getByText(shows, { exact: true }).first().waitFor();
      for (const [width, height] of scene === "full" || scene === "long"
        ? [
            [1024, 700],
            [1280, 800],
            [1920, 1080],
          ]
        : [[1280, 800]]) {
        await page.setViewportSize({ width, height });
        await shoot(page, `settings-${scene}-${theme}-${width}`);
        const wide = await page.evaluate(
          () =>
            document.querySelector("main").scrollWidth -
            document.querySelector("main").clientWidth,
        );
        assert.equal(wide, 0, "nothing is wider than the page");
      }
      await eventually(async () => assert.deepEqual(await violations(page), []));
      assert.deepEqual(errors, []);
      await close();
    });
  }
}

test("the theme changes at once, whatever the system has", async () => {
  const { page, close } = await open("full", { theme: "light" });
  const ground = () =>
    page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  await page.getByRole("radio", { name: "Dark" }).waitFor();
  const light = await ground();
  await choose(page, "Dark");
  await page.waitForFunction(
    (before) => getComputedStyle(document.body).backgroundColor !== before,
    light,
  );
  await choose(page, "As the system");
  await page.waitForFunction(
    (before) => getComputedStyle(document.body).backgroundColor === before,
    light,
  );
  await close();
});

test("what happens to a run when the window is closed is said for each choice, and remembered", async () => {
  const { page, close } = await open("full");
  const said = new Set();
  for (const choice of ["Keep training", "Pause", "Stop and keep", "Ask"]) {
    await choose(page, choice);
    said.add(
      await group(page, "While it trains").getByRole("status").textContent(),
    );
  }
  assert.equal(said.size, 4);
  await choose(page, "Pause");
  await page.getByRole("switch", { name: "Tell me when a run ends" }).uncheck();
  await button(page, "Models").click();
  await button(page, "Settings").click();
  await page.getByRole("radio", { name: "Pause", exact: true }).waitFor();
  await eventually(async () => assert.equal(
    await page.getByRole("radio", { name: "Pause", exact: true }).isChecked(),
    true,
  ));
  await eventually(async () => assert.equal(await page.getByRole("switch").isChecked(), false));
  await close();
});

test("a setting that cannot be kept goes back, and says so at its place", async () => {
  const { page, close } = await open("trouble");
  await page.getByRole("radio", { name: "Dark" }).click({ force: true });
  const alert = group(page, "Appearance").getByRole("alert");
  await alert
    .getByText(
      "The settings cannot be written: the disk is full. Free some space; they are as they were before.",
    )
    .waitFor();
  await eventually(async () => assert.equal(
    await page.getByRole("radio", { name: "As the system" }).isChecked(),
    true,
  ));
  await eventually(async () => assert.deepEqual(await violations(page), []));
  await close();
});

test("the devices are named by what they are, and unknown memory is a dash", async () => {
  const { page, close } = await open("long");
  await page.getByTestId("device").first().waitFor();
  const said = await page.getByTestId("device").allInnerTexts();
  assert.match(
    said[0],
    /Intel Core i5-1240P\s+Processor CPU\s+16\.5 GB memory/,
  );
  assert.match(
    said[1],
    /Built-in graphics GPU, Vulkan\s+Mesa 25\.0\.7\s+8\.2 GB memory/,
  );
  assert.match(said[2], /Graphics card GPU, Vulkan[^]*– memory/);
  await close();
});

test("each device says how it stands, and which to use", async () => {
  const says = {
    never: [/Not checked yet/, /Nothing has been checked yet\. Until then runs go to Intel Iris Xe/],
    right: [
      /Computes rightly\s+56 figures compared, off by 0\.004 % at most\. Trains 1,380 tokens a second on a test model\. In 16 bits \(fp16\) it is off by 0\.1 % at most\.\s+Checked 3 h ago\./,
      /Use Intel Iris Xe Graphics \(ADL GT2\): it computes rightly and is 3\.3 times as quick/,
    ],
    wrong: [
      /Computes wrongly\s+A gradient is 0\.000000 where it should be 0\.027212\. Nothing is trained on it\./,
      /Use Intel Core i5-1240P: it is the only device here that computes rightly\./,
    ],
    crash: [/Failed the check\s+The driver ended the process: it crashed/, /the only device here/],
    alone: [/Computes wrongly/, /No device here computes rightly\. Update the graphics driver, then check again\./],
  };
  for (const [checks, [graphics, advice]] of Object.entries(says)) {
    const { page, errors, close } = await open("full", { query: { checks } });
    await page.getByTestId("standing").nth(1).waitFor();
    assert.match(await page.getByTestId("standing").nth(1).innerText(), graphics, checks);
    await group(page, "Devices").getByText(advice).waitFor();
    await group(page, "Devices").scrollIntoViewIfNeeded();
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      await shoot(page, `settings-checks-${checks}-${colorScheme}`);
      await eventually(async () => assert.deepEqual(await violations(page), []));
    }
    assert.deepEqual(errors, []);
    await close();
  }
});

test("this computer is checked by keyboard, in sight, and over views", async () => {
  const { page, close } = await open("full", { query: { checks: "never", check: "slow" } });
  const devices = group(page, "Devices");
  await button(devices, "Check this computer").press("Enter");
  await devices.getByText("Checking Intel Core i5-1240P").first().waitFor();
  await shoot(page, "settings-checking-light");
  await eventually(async () => assert.deepEqual(await violations(page), []));
  await button(page, "Models").click();
  await button(page, "Settings").click();
  await devices.getByRole("progressbar").waitFor();
  await devices.getByText("Checking Intel Iris Xe Graphics").first().waitFor();
  await button(devices, "Cancel").press("Enter");
  await button(devices, "Check again").waitFor();
  const standing = page.getByTestId("standing");
  await eventually(async () => assert.match(await standing.nth(0).innerText(), /Computes rightly[^]*Checked just now/));
  assert.match(await standing.nth(1).innerText(), /Not checked yet/, "what was not found is not said");
  await close();
});

test("a check ends with what was found; one that cannot begin says why", async () => {
  const { page, close } = await open("full", { query: { checks: "never" } });
  await button(page, "Check this computer").click();
  await button(page, "Check again").waitFor();
  await group(page, "Devices").getByText(/Use Intel Iris Xe Graphics .* 3\.3 times as quick/).waitFor();
  await close();

  const busy = await open("full", { query: { check: "busy" } });
  await button(busy.page, "Check again").click();
  await group(busy.page, "Devices").getByRole("alert").getByText(/Pause the run, or check when it is over\./).waitFor();
  await busy.close();
});

test("each folder has its size, and can be shown", async () => {
  const { page, close } = await open("full");
  const disk = group(page, "Folders and disk");
  await disk.getByText("5.1 GB used, 41.6 GB free on this disk").waitFor();
  await eventually(async () => assert.equal(await disk.getByRole("listitem").count(), 4));
  for (const name of [
    "Show the folder",
    "Show the folder of models",
    "Show the folder of exports",
  ]) {
    await eventually(async () => assert.equal(
      await disk.getByRole("button", { name, exact: true }).isEnabled(),
      true,
    ));
  }
  await close();
});

test("a token goes into the keyring and out again, and is never shown", async () => {
  const { page, close } = await open("empty");
  const hub = group(page, "Hub");
  await hub.getByText("No token", { exact: true }).waitFor();
  const field = hub.getByLabel("Token");
  await eventually(async () => assert.equal(await field.getAttribute("type"), "password"));
  await eventually(async () => assert.equal(await button(hub, "Save").isDisabled(), true));

  await field.fill("nonsense");
  await field.press("Enter");
  await hub.getByText("The hub does not know this token.").waitFor();
  await eventually(async () => assert.equal(
    await field.inputValue(),
    "nonsense",
    "what was typed is still there to mend",
  ));
  await eventually(async () => assert.deepEqual(await violations(page), []));

  await field.fill("hf_abcdefgh");
  await field.press("Enter");
  await hub.getByText("A token is kept").waitFor();
  await eventually(async () => assert.equal(await hub.getByLabel("Another token").inputValue(), ""));
  await eventually(async () => assert.equal((await page.content()).includes("hf_abcdefgh"), false));

  await button(hub, "Remove the token").click();
  await hub.getByText("No token", { exact: true }).waitFor();
  await close();
});

test("a token from outside is left alone; without a keyring there is another way", async () => {
  const outside = await open("full", { query: { token: "environment" } });
  await outside.page.getByText("The token of HF_TOKEN is used").waitFor();
  await eventually(async () => assert.equal(await button(outside.page, "Remove the token").count(), 0));
  await outside.close();

  const without = await open("full", { query: { token: "unavailable" } });
  await without.page
    .getByText(/Set HF_TOKEN before Tunesmith starts instead/)
    .waitFor();
  await eventually(async () => assert.equal(await without.page.getByLabel("Token").count(), 0));
  await without.close();
});

test("the hub's address is checked before it is kept; empty means the hub itself", async () => {
  const { page, close } = await open("full");
  const address = page.getByLabel(/^Address/);
  await address.fill("mirror of mine");
  await address.press("Enter");
  await page
    .getByText("This is no address of a web site; it begins with https://.")
    .waitFor();
  await eventually(async () => assert.equal(await address.getAttribute("aria-invalid"), "true"));
  await address.fill("https://mirror.example/");
  await address.press("Enter");
  await page
    .getByText("This is no address of a web site")
    .waitFor({ state: "detached" });
  await eventually(async () => assert.equal(await address.inputValue(), "https://mirror.example"));
  await address.fill("");
  await address.press("Enter");
  await eventually(async () => assert.equal(await address.inputValue(), ""));
  await close();
});

test("what is copied for a report can be read first", async () => {
  const { page, close } = await open("full");
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await button(page, "Copy diagnostics").click();
  await page.getByText("Copied.").waitFor();
  const shown = await page.getByTestId("report").textContent();
  assert.match(shown, /^Tunesmith 0\.1\.0/);
  await eventually(async () => assert.equal(
    await page.evaluate(() => navigator.clipboard.readText()),
    shown,
  ));
  await close();

  const broken = await open("full", { query: { diagnostics: "trouble" } });
  await button(broken.page, "Copy diagnostics").click();
  await group(broken.page, "Diagnostics")
    .getByText("The log cannot be read: the disk does not answer.")
    .waitFor();
  await broken.close();
});

test("a licence is found by component and by its name", async () => {
  const { page, close } = await open("long");
  const search = page.getByRole("searchbox", {
    name: "Search a component or a licence",
  });
  await page.getByText("640 components").waitFor();
  await search.fill("tauri mpl");
  await page.getByText(/^\d+ of 640 components$/).waitFor();
  const found = await page
    .getByRole("list", { name: "Components and their licences" })
    .getByRole("listitem")
    .allTextContents();
  assert.ok(
    found.length > 0 &&
      found.every((one) => one.includes("tauri") && one.includes("MPL-2.0")),
  );
  await search.fill("no such thing");
  await page.getByText("No component of this name.").waitFor();
  await close();
});

test("everything in the settings is reached with Tab", async () => {
  const { page, close } = await open("full");
  await button(page, "Copy diagnostics").waitFor();
  const seen = new Set();
  for (let i = 0; i < 40; i++) {
    await page.keyboard.press("Tab");
    seen.add(
      await page.evaluate(() => {
        const e = document.activeElement;
        return (
          e.getAttribute("aria-label") ??
          e.labels?.[0]?.textContent ??
          e.textContent
        ).trim();
      }),
    );
  }
  for (const name of [
    "As the system",
    "Ask",
    "Tell me when a run ends",
    "Check again",
    "Show the folder",
    "Show the folder of models",
    "Addressendpoint",
    "Another token",
    "Remove the token",
    "Copy diagnostics",
    "Search a component or a licence",
  ]) {
    assert.ok(
      [...seen].some(
        (one) => one.replaceAll(" ", "") === name.replaceAll(" ", ""),
      ),
      `${name} is reached; reached are ${[...seen].join(", ")}`,
    );
  }
  await close();
});
