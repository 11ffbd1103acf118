// A person's hand on the window: what it presses is on the screen and can be pressed; what it does is counted.

const NOT_YET = ["no such element", "element click intercepted", "element not interactable", "stale element reference"];
const KEYS = { Enter: "\uE007", Escape: "\uE00C" };

/** Text as XPath takes it, whatever quotes are in it. */
const quoted = (text) => `concat(${text.split("'").map((part) => `'${part}'`).join(`, "'", `)}, '')`;

export class Hand {
  clicks = 0;
  typed = 0;

  constructor(window) {
    this.window = window;
  }

  /** Presses the button, link, tab or card that says `text`; `within` is where on the page it is looked for. */
  press(text, within = "") {
    const says = `[normalize-space()=${quoted(text)}][not(@disabled)][not(@aria-disabled='true')]`;
    const kinds = ["button", "a", "*[@role='tab']", "*[@role='menuitem']", "label"];
    return this.#click(`“${text}” can be pressed`, kinds.map((kind) => `${within}//${kind}${says}`).join(" | "));
  }

  /** Picks the card or the row of a list whose title is `text`. */
  pick(text) {
    return this.#click(`“${text}” can be picked`, `(//label | //li/button)[.//*[normalize-space()=${quoted(text)}]]`);
  }

  /** Chooses `option` in the list that is labelled `label`. */
  async choose(label, option) {
    const chosen = await this.window.until(`“${label}” offers “${option}”`, () => this.window.eval(`
      const label = [...document.querySelectorAll("label")].find((l) => l.innerText.includes(arguments[0]));
      const select = label && document.getElementById(label.htmlFor);
      const found = select && [...select.options].find((o) => o.text === arguments[1]);
      if (!found) return false;
      select.value = found.value;
      select.dispatchEvent(new Event("change", { bubbles: true }));
      return true;`, label, option));
    this.clicks += 2;
    return chosen;
  }

  async type(css, text) {
    const element = await this.window.find(css);
    await this.window.send("POST", `/element/${element}/value`, { text });
    this.typed += text.length;
  }

  async key(name) {
    const value = KEYS[name];
    const actions = [{ type: "keyDown", value }, { type: "keyUp", value }];
    await this.window.send("POST", "/actions", { actions: [{ type: "key", id: "keys", actions }] });
  }

  async #click(what, xpath) {
    await this.window.until(what, async () => {
      try {
        const found = await this.window.send("POST", "/element", { using: "xpath", value: xpath });
        await this.window.send("POST", `/element/${Object.values(found)[0]}/click`, {});
        return true;
      } catch (e) {
        if (NOT_YET.includes(e.kind)) return false;
        throw e;
      }
    });
    this.clicks++;
  }
}
