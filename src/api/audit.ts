import type { Clock } from "../clock.ts";
import { AppError } from "../errors.ts";
import type { AuditedDeed, AuditLog } from "../store/audit.ts";
import { Refusal } from "./refusal.ts";
import type { Caller } from "./route.ts";

export interface Deed {
  what: AuditedDeed;
  /** Names, serials, filters and counts; never a plate. */
  detail: string;
  messageId?: number | null;
}

export interface Auditor {
  /** Writes down what is about to be done. @throws when that cannot be written: then it must not be done. */
  note(caller: Caller | null, deed: Deed): Promise<void>;
  /** The same, does it, and where it was refused or failed writes down that too. */
  around<T>(caller: Caller | null, deed: Deed, run: () => Promise<T>): Promise<T>;
}

export function createAuditor(store: Pick<AuditLog, "recordAudit">, clock: Clock): Auditor {
  async function note(caller: Caller | null, { what, detail, messageId = null }: Deed): Promise<void> {
    if (caller === null) throw new Refusal(401, "unauthorized", "a token is needed");
    const who = `token ${caller.token.name} (${caller.via === "session" ? "dashboard" : "api"})`;
    await store.recordAudit({ who, what, messageId, detail }, clock.now());
  }
  return {
    note,
    async around(caller, deed, run) {
      await note(caller, deed);
      try {
        return await run();
      } catch (error) {
        const reason = error instanceof AppError || error instanceof Refusal ? error.code : "internal";
        await note(caller, { ...deed, detail: `did not come about (${reason}): ${deed.detail}` });
        throw error;
      }
    },
  };
}
