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

/** The picture as an element that fills its place, with nothing left that could run or load; null if it is none. It
 * belongs to a document of its own. */
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
  return width > 0 && height > 0 ? { element: root as unknown as SVGElement, width, height } : null;
}

/**
 * Makes what stands in `place` look like `picture`, node by node: a picture that comes four times a second for hours must
 * not leave the one before to be swept up, which WebKit is slow to do.
 */
export function show(place: Element, picture: Element | null): void {
  if (picture) alike(place, [...place.childNodes], [picture]);
  else place.replaceChildren();
}

function alike(parent: Element, before: ChildNode[], after: readonly ChildNode[]): void {
  after.forEach((node, i) => {
    const there = before[i];
    if (there instanceof Element && node instanceof Element && there.nodeName === node.nodeName) {
      for (const { name } of [...there.attributes]) if (!node.hasAttribute(name)) there.removeAttribute(name);
      for (const { name, value } of node.attributes)
        if (there.getAttribute(name) !== value) there.setAttribute(name, value);
      alike(there, [...there.childNodes], [...node.childNodes]);
    } else if (there instanceof Text && node instanceof Text) {
      if (there.data !== node.data) there.data = node.data;
    } else {
      const fresh = document.importNode(node, true);
      if (there) there.replaceWith(fresh);
      else parent.append(fresh);
    }
  });
  for (const gone of before.slice(after.length)) gone.remove();
}
