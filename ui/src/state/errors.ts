import type { ApiError } from "../backend";

/** A call is refused with an ApiError; anything else is a defect, and is shown in its own words. */
export function asApiError(e: unknown): ApiError {
  if (typeof e === "object" && e !== null && "message" in e && "code" in e) return e as ApiError;
  return { code: "internal", message: String(e), hint: null };
}
