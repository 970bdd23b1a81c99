import type { SaveResult } from "../store/registry.ts";
import type { CommandContext } from "./context.ts";

/** Flags that several commands share. */
export const JSON_ARG = { json: { kind: "switch", about: "print JSON" } } as const;
export const REMOVE_ARGS = {
  "dry-run": { kind: "switch", about: "only say what would be done" },
  yes: { kind: "switch", about: "do not ask" },
} as const;

/** `added camera 2001008851`, or the same as JSON. */
export function reportSaved(context: CommandContext, json: boolean, what: string, result: SaveResult): void {
  if (json) context.out.json({ result, what });
  else context.out.line(`${result} ${what}`);
}
