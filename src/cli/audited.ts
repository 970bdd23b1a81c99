import { AppError } from "../errors.ts";
import { nameIds } from "../format.ts";
import type { AuditedDeed } from "../store/audit.ts";
import type { CommandContext } from "./context.ts";

export interface Deed {
  what: AuditedDeed;
  /** Names, serials, filters and counts; never a plate. */
  detail: string;
  messageId?: number | null;
}

/**
 * Who sits at this terminal: behind sudo the one who called it, and as whom where that is not root; else the user `uid`.
 * Not what USER says, which anybody sets; nor os.userInfo(), which under Bun is USER.
 */
export function operatorName(
  uid: number | undefined,
  env: Readonly<Record<string, string | undefined>> = process.env,
): string {
  const sudoUser = env["SUDO_USER"]?.replace(/\p{Cc}/gu, "").slice(0, 100) ?? "";
  if (sudoUser === "") return `${userName(uid)} (cli)`;
  return uid === 0 ? `${sudoUser} (cli)` : `${sudoUser} as ${userName(uid)} (cli)`;
}

function userName(uid: number | undefined): string {
  if (uid === undefined) return "unknown";
  // `id` asks whatever this machine keeps its users in, not only /etc/passwd. A user of a container may have no name.
  const id = Bun.which("id") === null ? null : Bun.spawnSync(["id", "-nu", String(uid)]);
  const name = id?.exitCode === 0 ? id.stdout.toString().trim() : "";
  return name === "" ? `uid ${uid}` : name;
}

/** Writes down what is about to be done. @throws AppError when that cannot be written: then it must not be done. */
export async function noteDeed(deed: Deed, context: CommandContext): Promise<void> {
  const { what, detail, messageId = null } = deed;
  const store = await context.store();
  await store.recordAudit({ who: context.operator, what, messageId, detail }, context.now());
}

/** Writes the deed down, does it, and where it was refused or failed writes down that too. */
export async function audited<T>(deed: Deed, context: CommandContext, run: () => Promise<T>): Promise<T> {
  await noteDeed(deed, context);
  try {
    return await run();
  } catch (error) {
    const reason = error instanceof AppError ? error.code : "internal";
    await noteDeed({ ...deed, detail: `did not come about (${reason}): ${deed.detail}` }, context);
    throw error;
  }
}

/** Before plates are shown in full. */
export async function notePlates(
  wanted: boolean,
  command: string,
  messageId: number | null,
  context: CommandContext,
): Promise<void> {
  if (wanted) await noteDeed({ what: "plates show", detail: command, messageId }, context);
}

/** The same of a list. `filter`: in words; it may be long, and what is too long is cut at its end, so the ids stand first. */
export async function noteListedPlates(
  wanted: boolean,
  command: string,
  messages: readonly { messageId: number }[],
  filter: string,
  context: CommandContext,
): Promise<void> {
  const ids = messages.map(({ messageId }) => messageId);
  const onlyOne = ids.length === 1 ? (ids[0] ?? null) : null;
  await notePlates(wanted, `${command} ${nameIds(ids)}: ${filter}`, onlyOne, context);
}
