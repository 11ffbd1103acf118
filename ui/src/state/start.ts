import type { Place } from "./router.svelte";

/**
 * Where the page opens: the runs, or what the address asks for: a view (`?at=run&id=…`, `?at=compare&id=…,…`), or a
 * whole place as JSON (`?at={"view":"new","spec":{…}}`).
 */
export function placeFrom(query: URLSearchParams): Place {
  const at = query.get("at");
  if (at?.startsWith("{")) return JSON.parse(at) as Place;
  const id = query.get("id");
  switch (at) {
    case "run":
      return id ? { view: "run", id } : { view: "runs" };
    case "compare":
      return { view: "compare", ids: id?.split(",") ?? [] };
    case "data":
      return id ? { view: "data", id } : { view: "data" };
    case "import":
      return { view: "import", paths: id?.split(",") ?? [] };
    case "try":
      return id ? { view: "try", target: { kind: "run", id } } : { view: "try" };
    case "models":
    case "new":
    case "settings":
      return { view: at };
    default:
      return { view: "runs" };
  }
}
