// What tests of the page of a new run share.

export const STARTER = "HuggingFaceTB/SmolLM2-135M-Instruct";
export const dataset = (n) => `0193da7a-0000-7000-8000-00000000000${n}`;
export const REPLIES = dataset(1);
export const NOTES = dataset(4);
export const both = (more = {}) => ({
  view: "new",
  spec: { model: STARTER, data: REPLIES, ...more },
});

export const foot = (page) => page.getByRole("region", { name: "Start" });
export const startButton = (page) => foot(page).getByRole("button", { name: "Start" });
export const ready = (page) =>
  startButton(page).and(page.locator(":enabled")).waitFor();
export const step = (page, id) => page.getByTestId(`step-${id}`);
export const knob = (page, key) => page.getByTestId(`knob-${key}`);
export const box = (page) => page.getByRole("group", { name: /as tokens/ });

export async function layKnobsOpen(page) {
  await page.getByRole("button", { name: "Change how" }).click();
  await page.getByText("Every knob").click();
}
