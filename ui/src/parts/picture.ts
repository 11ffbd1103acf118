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

/**
 * The picture as an element that fills its place, with nothing left that could run or load; null if it is none. It stands
 * in no document that runs or loads anything: a template's. One of its own, as DOMParser makes for each text, WebKit keeps
 * for hours after it was let go: 130 kB for each picture.
 */
export function pictureFrom(svg: string): Parsed | null {
  const inert = document.createElement("template");
  inert.innerHTML = svg;
  const root = inert.content.firstElementChild;
  if (root?.localName !== "svg") return null;
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
 * Makes what stands in `place` look like `picture`, node by node: a picture that comes again for hours must not leave the
 * one before to be swept up, which WebKit is slow to do.
 */
export function show(place: Element, picture: Element | null): void {
  const there = place.firstElementChild;
  const wanted = picture && (there ? alike(there, picture) : document.importNode(picture, true));
  if (wanted !== there) place.replaceChildren(...(wanted ? [wanted] : []));
}

/** `there`, made to look like `wanted`; or another in its place where it cannot. */
function alike<T extends ChildNode>(there: T, wanted: ChildNode): ChildNode {
  if (there instanceof Text && wanted instanceof Text) {
    if (there.data !== wanted.data) there.data = wanted.data;
    return there;
  }
  if (!(there instanceof Element && wanted instanceof Element) || there.nodeName !== wanted.nodeName)
    return document.importNode(wanted, true);
  for (const name of there.getAttributeNames()) if (!wanted.hasAttribute(name)) there.removeAttribute(name);
  for (const name of wanted.getAttributeNames()) {
    const value = wanted.getAttribute(name) ?? "";
    if (there.getAttribute(name) !== value) there.setAttribute(name, value);
  }
  let child = there.firstChild;
  for (let node = wanted.firstChild; node; node = node.nextSibling) {
    const next: ChildNode | null = child?.nextSibling ?? null;
    if (!child) there.append(document.importNode(node, true));
    else {
      const made = alike(child, node);
      if (made !== child) child.replaceWith(made);
    }
    child = next;
  }
  while (child) {
    const next: ChildNode | null = child.nextSibling;
    child.remove();
    child = next;
  }
  return there;
}
