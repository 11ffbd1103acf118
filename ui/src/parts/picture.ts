// A chart's picture, made safe to stand in the page: it comes from the program itself, and yet nothing in it may run.

const DRAWS = new Set([
  "svg",
  "g",
  "path",
  "line",
  "polyline",
  "polygon",
  "rect",
  "circle",
  "ellipse",
  "text",
  "tspan",
  "title",
  "desc",
]);
const LOADS = /^(on|href|xlink|style)/;

export type Parsed = { element: SVGElement; width: number; height: number };

/** The picture as an element that fills its place, with nothing left that could run or load; null if it is none. */
export function pictureFrom(svg: string): Parsed | null {
  const root = new DOMParser().parseFromString(svg, "image/svg+xml").documentElement;
  if (root.localName !== "svg") return null;
  for (const node of [root, ...root.querySelectorAll("*")]) {
    if (!DRAWS.has(node.localName)) {
      node.remove();
      continue;
    }
    for (const { name } of [...node.attributes]) if (LOADS.test(name.toLowerCase())) node.removeAttribute(name);
  }
  const [width, height] = ["width", "height"].map((name) => parseFloat(root.getAttribute(name) ?? "")) as [
    number,
    number,
  ];
  root.setAttribute("width", "100%");
  root.setAttribute("height", "100%");
  const element = document.importNode(root, true) as unknown as SVGElement;
  return width > 0 && height > 0 ? { element, width, height } : null;
}
