// What the rows of a fake data set say: each is made from its number, so that a million of them need no room.

import type { Example, Message } from "..";

const PRODUCTS = [
  "the desk lamp",
  "my order",
  "the heat pump",
  "the invoice",
  "the app",
  "my parcel",
  "the second key",
];
const ASKS = [
  "Where is {}? It was promised for Tuesday.",
  "I cannot find out how to switch off {} at night. The manual only has pictures.",
  "Can I send back {} without the box?",
  "Two days ago I wrote about {} and nobody answered. I would like to speak to a person.",
  "Is there a way to pay for {} in three parts?",
];
const REPLIES = [
  "Thank you for writing. I looked it up: {} left our house this morning and arrives tomorrow before noon.",
  "Hold the left button for three seconds; {} then stays off until six. If it does not, write to me again.",
  "Yes. Put {} into any box that fits, with the slip from the parcel, and hand it in anywhere.",
  "I am sorry for the silence. I have {} in front of me now, and will ring you today between four and five.",
  "Yes: choose “three parts” when you pay for {}. Nothing is added to the price.",
];
const SYMPTOMS = [
  "I have a rash on my face that is getting worse. It is red, inflamed, and has blisters.",
  "My neck and back hurt, and I have trouble with my balance. My arms and legs feel weak.",
  "There is a burning in my stomach that comes and goes. It is worse when I lie down.",
];
const DIAGNOSES = ["impetigo", "cervical spondylosis", "peptic ulcer disease"];
const WINDS = ["Wind east, 2", "Calm", "Wind south-west, 5", "Wind north, 3"];
const SIGHTS = [
  "A fishing boat waved on its way out.",
  "The gulls are loud this morning.",
  "It has started to rain.",
  "I baked bread today.",
];
const ENTRIES = [
  "Boat outbound, greeting returned",
  "Gulls gathered on the rail",
  "Gutters running, cistern filling",
  "One loaf baked, half kept",
];
const LINES = [
  "First Citizen: Before we proceed any further, hear me speak.",
  "All: Speak, speak.",
  "Menenius: What work’s, my countrymen, in hand?",
];
const TWEETS = [
  "Last session of the day.",
  "what interview! leave me alone",
  "Shanghai is also really exciting (skyscrapers galore).",
  "my boss is bullying me...",
];
const MOODS = ["neutral", "negative", "positive", "negative"];

const ABOUT = [["delivery"], [], ["returns", "delivery"], ["praise"], ["payment"]];
const NEWS = [
  {
    words: ["Ada", "Lovelace", "wrote", "to", "Charles", "Babbage", "from", "London", "."],
    tags: ["B-PER", "I-PER", "O", "O", "B-PER", "I-PER", "O", "B-LOC", "O"],
  },
  {
    words: ["The", "United", "Nations", "met", "in", "New", "York", "Geneva", "hosted", "it", "before", "."],
    tags: ["O", "B-ORG", "I-ORG", "O", "O", "B-LOC", "I-LOC", "B-LOC", "O", "O", "O", "O"],
  },
  { words: ["Nothing", "happened", "today", "."], tags: ["O", "O", "O", "O"] },
];

/** A report and the headline over it. */
export const REPORTS: readonly [string, string][] = [
  [
    "The harbour was closed for two days. A storm had torn the buoys from their chains, and no ship found the way in. On Thursday the pilots went out again.",
    "Harbour open again after the storm",
  ],
  [
    "The council voted on Monday to keep the lighthouse lit. Eleven members were for it, two against. The lamp will be changed in spring.",
    "Council keeps the lighthouse lit",
  ],
  [
    "A baker from the old town has given away every loaf she could not sell for thirty years. This week the town thanked her.",
    "Town thanks baker of thirty years",
  ],
];

const of = <T>(list: readonly T[], i: number): T => list[i % list.length] as T;
const fill = (text: string, i: number) => text.replace("{}", of(PRODUCTS, i * 3 + 1));
const chat = (...turns: [Message["role"], string][]): Example => ({
  kind: "chat",
  messages: turns.map(([role, content]) => ({ role, content })),
});

export type Kind =
  | "labels"
  | "several"
  | "alike"
  | "names"
  | "headlines"
  | "support"
  | "symptoms"
  | "log"
  | "notes"
  | "tweets"
  | "play"
  | "odd";

/** Rows that no page may break on: right to left, many parts in one sign, markup, and length. */
const ODD: readonly [string, string][] = [
  ["ما هي عاصمة مصر؟ أجب في جملة واحدة من فضلك.", "عاصمة مصر هي القاهرة."],
  [
    "<script>alert('x')</script><b>Is this bold?</b> &amp; <img src=x onerror=alert(1)>",
    "No: </textarea><h1>it is text</h1>.",
  ],
  ["👩‍👩‍👧‍👦 family, 🏳️‍🌈 flag, é as two signs, z̸̢̛a̵l̷g̶o̴", "🎉🎉🎉"],
  ["A word without a gap: " + "Donaudampfschifffahrtsgesellschaftskapitän".repeat(12), "Short."],
  ["Tell it at length.", "It was a dark night, and the rain went on. ".repeat(900)],
  ["def f(x):\n    return x + 1\n\n\n# what does this do?", "It gives back\tx + 1.\n\n- tabs\n- and lines"],
];

/** The example of that kind at that place; `name` says how many earlier messages and so on vary with it. */
export function exampleAt(kind: Kind, i: number): Example {
  switch (kind) {
    case "labels":
      return { kind: "labelled", text: of(SYMPTOMS, i), pair: null, labels: [of(DIAGNOSES, i)] };
    case "several":
      return { kind: "labelled", text: fill(of(ASKS, i), i), pair: null, labels: of(ABOUT, i) };
    case "alike":
      return { kind: "scored", text: of(SIGHTS, i), pair: of(SIGHTS, i * 3 + 1), score: (i % 11) / 2 };
    case "names":
      return { kind: "tagged", ...of(NEWS, i) };
    case "headlines": {
      const [prompt, completion] = of(REPORTS, i);
      return { kind: "completion", prompt, completion };
    }
    case "support":
      return { kind: "completion", prompt: fill(of(ASKS, i), i), completion: fill(of(REPLIES, i), i) };
    case "symptoms":
      return { kind: "completion", prompt: of(SYMPTOMS, i), completion: of(DIAGNOSES, i) };
    case "log":
      return chat(["user", of(SIGHTS, i)], ["assistant", `Log, 05:10. ${of(WINDS, i)}. ${of(ENTRIES, i)}. Lamp lit.`]);
    case "notes":
      return chat(
        ["system", "You write release notes: short, in the present tense, without praise."],
        [
          "user",
          `Change ${i + 1}: ${of(["search is quicker", "files over 2 GB can be opened", "a crash on start is mended"], i)}`,
        ],
        ["assistant", "Which version is this for?"],
        ["user", `For 2.${i % 12}.`],
        [
          "assistant",
          `${of(["Search answers twice as fast.", "Files over 2 GB open.", "The app starts again after an update."], i)} (2.${i % 12})`,
        ],
      );
    case "tweets":
      return { kind: "completion", prompt: of(TWEETS, i), completion: of(MOODS, i) };
    case "play":
      return { kind: "text", text: `${of(LINES, i)}\n\n${of(LINES, i + 1)}` };
    case "odd": {
      const odd = ODD[i];
      if (odd) return { kind: "completion", prompt: odd[0], completion: odd[1] };
      return {
        kind: "completion",
        prompt: `Question ${i + 1}: ${fill(of(ASKS, i), i)}`,
        completion: `Answer ${i + 1}. ${fill(of(REPLIES, i), i)}`,
      };
    }
    default:
      return kind satisfies never;
  }
}
