// What the fake's two voices say.

import type { Voice } from "..";

const ANSWERS: Record<Voice, readonly string[]> = {
  base: [
    "I'm sorry to hear that. There are many reasons why an order can be late. You can try to contact the seller, check " +
      "the tracking number, or wait a little longer.\n\nIf you have any other questions, please let me know.",
    "A password is a secret word or phrase that is used to access an account. To change your password, you can go to " +
      "the settings of your account and follow the steps that are shown there.",
    "That is a good question. It depends on many things, such as the season, the place and the people who are there.",
  ],
  tuned: [
    "Sorry about the wait. Orders leave our warehouse within two days and arrive on the fourth or fifth.\n\n" +
      "1. Open “My orders” and press “Track”.\n2. If it has not moved for three days, reply here with the order number, " +
      "and we send it again at no cost.",
    "Go to Settings, then Security, then “Change password”. The link we send you is good for one hour.",
    "Happy to help. Could you send us the order number, so that we can look it up?",
  ],
};

const LONG =
  "<b>This is not bold</b> & <img src=x onerror=\"document.title='broken'\"> <script>document.title = 'broken'</script>\n\n" +
  "عذرًا على التأخير. تغادر الطلبات مستودعنا خلال يومين.\n\n" +
  `${"Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz".repeat(6)}\n\n` +
  "and then the lighthouse keeper wrote down what the sea had said that night, line after line, ".repeat(24);

/** Which of its answers a voice gives; a seed other than 0 begins it in another way. */
export function answerTo(scene: string, voice: Voice, question: string, seed: number): string {
  if (scene === "wordless" && voice === "base") return "";
  if (scene === "long") return voice === "tuned" ? LONG : LONG.replace(/lighthouse/g, "harbour");
  const n = /password/i.test(question) ? 1 : /order|parcel|late/i.test(question) ? 0 : 2;
  const answer = ANSWERS[voice][n] ?? "";
  return seed % 2 === 1 ? `Thanks for asking. ${answer}` : answer;
}

/** What a text is turned into: its own beginning by the base, a headline by the run. */
export function headlineOf(_scene: string, voice: Voice, text: string, seed: number): string {
  const words = text.replace(/^[\w ]+: /, "").split(/\s+/);
  if (voice === "base") return words.slice(0, 14).join(" ");
  const named = words.filter((word) => /^\p{Lu}/u.test(word)).slice(0, 2);
  return `${named.join(" and ") || "Harbour"} ${seed % 2 === 1 ? "open again" : "back after the storm"}`;
}
