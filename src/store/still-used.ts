import { AppError } from "../errors.ts";

/** Names shown in a refusal; the rest is a number. */
const NAMED_USERS = 3;

/** Refuses to remove what has users. @throws AppError `conflict` naming them */
export function requireUnused(what: string, users: readonly string[]): void {
  if (users.length === 0) return;
  const more = users.length > NAMED_USERS ? `, and ${users.length - NAMED_USERS} more` : "";
  throw new AppError("conflict", `removing ${what}: still used by ${users.slice(0, NAMED_USERS).join(", ")}${more}`, {
    hint: "Change or remove what uses it first.",
  });
}
