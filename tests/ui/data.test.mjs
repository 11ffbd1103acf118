// What the pages of data promise.   node --test tests/ui/data.test.mjs

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { eventually, shoot, start, violations } from "./page.mjs";

let browser;
before(async () => (browser = await start()));
after(() => browser?.stop());

/** The first data set of a scene. */
const FIRST = "data&id=0193da7a-0000-7000-8000-000000000001";
const file = (name) => ({
  view: "import",
  paths: [`/home/ada/Documents/${name}`],
});
const press = (page, name) =>
  page.getByRole("button", { name, exact: true }).click();
const tab = (page, name) => page.getByRole("tab", { name }).click();
/** The columns of the mapping by the words that stand over them. */
const pick = (page, role, column) =>
  page.getByLabel(role).selectOption({ label: column });

const STATES = {
  list: ["full", "data", (page) => page.getByText("6 in all").waitFor()],
  empty: ["empty", "data", (page) => page.getByText("No data yet").waitFor()],
  busy: [
    "busy",
    "data",
    (page) => page.getByText("Reading the data sets…").waitFor(),
  ],
  trouble: [
    "trouble",
    "data",
    (page) => page.getByText("The data sets cannot be read").waitFor(),
  ],
  rows: [
    "full",
    FIRST,
    (page) => page.getByText("Where is my order?").first().waitFor(),
  ],
  problems: [
    "full",
    FIRST,
    async (page) => {
      await tab(page, /^Problems/);
      await page.getByText("14 rows have no reply").click();
    },
  ],
  lengths: [
    "full",
    FIRST,
    async (page) => {
      await tab(page, "Lengths");
      await page.getByRole("img", { name: /^Lengths of examples/ }).waitFor();
    },
  ],
  read: ["full", FIRST, (page) => tab(page, "How it was read")],
  measuring: [
    "busy",
    FIRST,
    async (page) => {
      await tab(page, "Lengths");
      await page.getByRole("progressbar").first().waitFor();
    },
  ],
  damaged: [
    "trouble",
    FIRST,
    (page) => page.getByText("This data set cannot be shown").waitFor(),
  ],
  long: ["long", FIRST, (page) => page.getByText("<script>").first().waitFor()],
  import: [
    "full",
    file("replies.jsonl"),
    (page) => page.getByText("How a row becomes an example").waitFor(),
  ],
  unclear: [
    "full",
    file("unclear.csv"),
    (page) => page.getByText("It is not clear which column is which").waitFor(),
  ],
  wide: [
    "long",
    file("wide.parquet"),
    (page) => page.getByText("200 columns").waitFor(),
  ],
  pick: [
    "full",
    "import",
    (page) => page.getByText("Drop a file or a folder here").waitFor(),
  ],
  looking: [
    "busy",
    file("replies.jsonl"),
    (page) =>
      page.locator("strong", { hasText: "Looking at replies.jsonl" }).waitFor(),
  ],
  broken: [
    "full",
    file("broken.csv"),
    (page) => page.getByText("This cannot be read as data").waitFor(),
  ],
  importing: [
    "full",
    file("slow.csv"),
    async (page) => {
      await press(page, "Import");
      await page.locator("main").getByRole("progressbar").waitFor();
    },
  ],
  imported: [
    "full",
    file("replies.jsonl"),
    async (page) => {
      await press(page, "Import");
      await page.getByText("23 rows were left out").waitFor();
    },
  ],
  "no-room": [
    "full",
    file("full-disk.csv"),
    async (page) => {
      await press(page, "Import");
      await page.getByText("the disk would not take it").waitFor();
    },
  ],
};
const SIZES = { light: [1280, 800], dark: [1024, 700] };

for (const [state, [scene, at, reach]] of Object.entries(STATES)) {
  for (const [theme, size] of Object.entries(SIZES)) {
    test(`${state}, ${theme}: readable, accessible, without errors, nothing wider than the window`, async () => {
      const { page, errors, close } = await browser.open(scene, {
        at,
        theme,
        size,
      });
      await reach(page);
      await shoot(page, `data-${state}-${theme}-${size[0]}`);
      await eventually(async () => assert.deepEqual(await violations(page), []));
      const wide = await page.evaluate(() =>
        [...document.querySelectorAll("main, .aside")]
          .filter((e) => e.scrollWidth > e.clientWidth)
          .map((e) => e.tagName),
      );
      assert.deepEqual(wide, []);
      assert.deepEqual(errors, []);
      await close();
    });
  }
}

for (const [state, at] of [
  ["list", "data"],
  ["rows", FIRST],
  ["import", file("replies.jsonl")],
]) {
  test(`${state} at 1920x1080`, async () => {
    const { page, errors, close } = await browser.open("full", {
      at,
      size: [1920, 1080],
    });
    await page
      .getByText(/Where is my order|6 in all/)
      .first()
      .waitFor();
    await shoot(page, `data-${state}-light-1920`);
    assert.deepEqual(errors, []);
    await close();
  });
}

test("a million rows: only those in sight exist, and the last is a jump away", async () => {
  const { page, errors, close } = await browser.open("long", { at: FIRST });
  await page.getByText("Question 7:").waitFor();
  await eventually(async () => assert.ok((await page.getByTestId("row").count()) < 60));
  await page.getByLabel("Go to row").fill("999999");
  const before = Date.now();
  await press(page, "Go");
  await page.getByText("Question 999999:").first().waitFor();
  assert.ok(Date.now() - before < 2000, "a jump is read at once");
  await page.getByText("Row 999,999 of 1,000,000").waitFor();
  await page.getByRole("list", { name: /^Rows/ }).press("Home");
  await page.getByText("عاصمة مصر هي القاهرة.").first().waitFor();
  await eventually(async () => assert.ok((await page.getByTestId("row").count()) < 60));
  assert.deepEqual(errors, []);
  await close();
});

test("the wheel reaches rows that were not read yet, and they come", async () => {
  const { page, close } = await browser.open("long", { at: FIRST });
  await page.getByText("Question 7:").waitFor();
  await page.getByRole("list", { name: /^Rows/ }).hover();
  await page.mouse.wheel(0, 40_000);
  await page.waitForFunction(() => {
    const rows = [...document.querySelectorAll("[data-testid=row]")];
    return (
      rows.length > 0 &&
      rows.every((row) => /Question \d{4}:/.test(row.textContent))
    );
  });
  await close();
});

test("arrow keys go from row to row, and the row is shown whole", async () => {
  const { page, close } = await browser.open("full", { at: FIRST });
  const rows = page.getByRole("list", { name: /^Rows/ });
  await rows.press("ArrowDown");
  await page.getByText("Row 2 of 4,331").waitFor();
  await rows.press("End");
  await page.getByText("Row 4,331 of 4,331").waitFor();
  await page.getByRole("radio", { name: /^Validation/ }).check({ force: true });
  await page.getByText("Row 1 of 481").waitFor();
  await close();
});

test("what a file holds is text, whatever it looks like", async () => {
  const { page, close } = await browser.open("long", { at: FIRST });
  await page.getByRole("list", { name: /^Rows/ }).press("ArrowDown");
  const card = page.getByRole("region", { name: "The row as a whole" });
  await card
    .getByText("<script>alert('x')</script><b>Is this bold?</b>")
    .first()
    .waitFor();
  await eventually(async () => assert.equal(await card.locator("b, img, script").count(), 0));
  await close();
});

test("of an endless text the rest comes when it is asked for", async () => {
  const { page, close } = await browser.open("long", { at: FIRST });
  await page.getByLabel("Go to row").fill("5");
  await press(page, "Go");
  const card = page.getByRole("region", { name: "The row as a whole" });
  await card.getByRole("button", { name: "34,700 more characters" }).click();
  await eventually(async () => assert.ok((await card.innerText()).length > 38_000));
  await close();
});

test("rows that cannot be read say so, and can be read again", async () => {
  const { page, close } = await browser.open("full", {
    at: FIRST,
    query: { rows: "damaged" },
  });
  const alert = page.getByRole("alert");
  await alert.getByText("The rows cannot be read").waitFor();
  await alert.getByRole("button", { name: "Read again" }).waitFor();
  await close();
});

test("the lengths say what a context cuts; another context is a press away", async () => {
  const { page, close } = await browser.open("full", { at: FIRST });
  await tab(page, "Lengths");
  await page
    .getByText(
      /^At 1,024 tokens less than 1 % of the examples are cut: about \d+ of 4,331\.$/,
    )
    .waitFor();
  await page.getByRole("radio", { name: "512" }).check({ force: true });
  await page
    .getByText(/^At 512 tokens \d+ % of the examples are cut/)
    .waitFor();
  await page.getByRole("radio", { name: "2,048" }).check({ force: true });
  await page.getByText("At 2,048 tokens no example is cut.").waitFor();
  await close();
});

test("measuring can be cancelled and begun again; the other pages of the data set stay", async () => {
  const { page, close } = await browser.open("busy", { at: FIRST });
  await tab(page, "Lengths");
  const aside = page.getByRole("complementary", { name: "Data set" });
  await aside.getByRole("button", { name: "Cancel" }).click();
  await aside.getByRole("button", { name: "Measure lengths" }).click();
  await aside.getByText(/of 4,331/).waitFor();
  await tab(page, "How it was read");
  await aside.getByText("Prompts and completions", { exact: true }).waitFor();
  await close();
});

test("search, open, rename, and the list follows", async () => {
  const { page, close } = await browser.open("full", { at: "data" });
  await page.getByRole("searchbox", { name: "Find a data set" }).fill("tweet");
  await page.getByText("1 of 6").waitFor();
  await page.getByRole("button", { name: /^Tweet sentiment/ }).press("Enter");
  await page.getByRole("button", { name: "Rename" }).click();
  await page.getByRole("textbox", { name: "Name" }).fill("Moods");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Moods" }).waitFor();
  await page.getByRole("searchbox", { name: "Find a data set" }).fill("");
  await page.getByRole("button", { name: /^Moods/ }).waitFor();
  await close();
});

test("a deleted data set comes back when it is asked to", async () => {
  const { page, close } = await browser.open("full", { at: FIRST });
  await page.getByRole("button", { name: "More about this data set" }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await page
    .getByText(
      "“Support replies” is deleted. The 3 runs that learned from it stay.",
    )
    .waitFor();
  await page.getByText("5 in all").waitFor();
  await press(page, "Undo");
  await page.getByText("6 in all").waitFor();
  await page.getByRole("heading", { name: "Support replies" }).waitFor();
  await close();
});

test("an older version can be looked at", async () => {
  const { page, close } = await browser.open("full", { at: FIRST });
  await page.getByText("4,812 rows: 4,331 to train, 481 to validate").waitFor();
  await page.getByLabel("Version").selectOption({ index: 1 });
  await page.getByText("4,601 rows: 4,120 to train, 481 to validate").waitFor();
  await page.getByText("Row 1 of 4,120").waitFor();
  await close();
});

test("from an empty page the sample is one press away", async () => {
  const { page, close } = await browser.open("empty", { at: "data" });
  await press(page, "Use the sample");
  await page.getByRole("heading", { name: "Lighthouse log" }).waitFor();
  await page.getByText("120 rows: 108 to train, 12 to validate").waitFor();
  await close();
});

test("in a narrow window a data set takes the place of the list, and the arrow leads back", async () => {
  const { page, close } = await browser.open("full", {
    at: "data",
    size: [1024, 700],
  });
  await page.getByRole("button", { name: /^Shakespeare/ }).click();
  await page.getByRole("heading", { name: "Shakespeare", level: 1 }).waitFor();
  await eventually(async () => assert.equal(await page.getByText("6 in all").isVisible(), false));
  await page.getByRole("button", { name: "All data" }).click();
  await page.getByText("6 in all").waitFor();
  await close();
});

test("the keyboard reaches the rows, the parts and the buttons, and the focus is seen", async () => {
  const { page, close } = await browser.open("full", {
    at: FIRST,
    size: [1024, 700],
  });
  await page.getByText("Where is my order?").first().waitFor();
  const reached = new Set();
  for (let i = 0; i < 40; i++) {
    await page.keyboard.press("Tab");
    const [name, seen] = await page.evaluate(() => {
      const e = document.activeElement;
      const named =
        e.getAttribute("aria-label") ??
        e.labels?.[0]?.textContent.trim() ??
        e.textContent.trim();
      const around = e.closest("label") ?? e;
      return [
        named,
        parseFloat(getComputedStyle(e).outlineWidth) >= 2 ||
          parseFloat(getComputedStyle(around).outlineWidth) >= 2,
      ];
    });
    if (seen) reached.add(name);
  }
  for (const wanted of [
    "All data",
    "Rename",
    "Train with this",
    "More about this data set",
    "Rows",
    "Training 4,331",
    "Go to row",
    "Rows; arrow keys move from row to row",
    "The row as a whole",
  ]) {
    assert.ok(
      reached.has(wanted),
      `${wanted} is reached: ${[...reached].join(", ")}`,
    );
  }
  await close();
});

test("far down and back up again, no row stays empty", async () => {
  const { page, close } = await browser.open("long", { at: FIRST });
  const rows = page.getByRole("list", { name: /^Rows/ });
  const go = async (row) => {
    await page.getByLabel("Go to row").fill(String(row));
    await press(page, "Go");
    await page
      .getByText(new RegExp(`^Question ${row}:`))
      .first()
      .waitFor();
  };
  for (let row = 150; row < 4000; row += 100) await go(row);
  for (let row = 3150; row > 200; row -= 500) await go(row);
  await go(199);
  await rows.press("ArrowDown");
  await rows.press("ArrowDown");
  await page.waitForFunction(() =>
    [...document.querySelectorAll("[data-testid=row]")].every((row) =>
      /Question/.test(row.textContent),
    ),
  );
  await close();
});
