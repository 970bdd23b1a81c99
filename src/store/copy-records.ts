import { AppError } from "../errors.ts";
import { ACTIVITY_DAYS, type DeliveryCount } from "./activity.ts";
import type { AuditEntry } from "./audit.ts";
import type { StoredRecords } from "./copying.ts";
import type { Store } from "./store.ts";

const DAY_MS = 86_400_000;
const BATCH = 1000;
/** A copied detail is cut here, so that the number of its message fits behind it. */
const MAX_DETAIL_CHARS = 900;

/** How much was copied of what is kept beside the queue, and is the same in both stores. */
export interface RecordsReport {
  tokens: number;
  auditEntries: number;
  /** Minutes, and hours of cameras, in which something happened. */
  minutes: number;
  cameraHours: number;
}

export interface RecordsDeps {
  source: Store;
  target: Store;
  /** Where each endpoint of the source is in the target. */
  endpoints: ReadonlyMap<number, number>;
  /** Names the copy, and what of it was done before. */
  begun: string;
  now(): Date;
  onProgress(text: string): void;
}

/**
 * Copies tokens, the audit log and the counts of the last days, and reads both to see that nothing is missing. Browsers log in
 * again: their sessions are not copied. Interrupted, it goes on with the next batch.
 * @throws AppError `conflict` when a token's name is taken in the target, or something is missing there
 */
export async function copyRecords(deps: RecordsDeps): Promise<RecordsReport> {
  const { source, target, begun, now, onProgress } = deps;
  const write = async (part: string, records: Partial<StoredRecords>): Promise<void> => {
    await target.importRecords(`${begun}/${part}`, records, now());
  };
  onProgress("copying tokens");
  await write("tokens", { tokens: await source.exportTokens() });
  let copied = 0;
  for await (const page of pagesOfAudit(source)) {
    await write(`audit/${page[0]?.id}-${page.at(-1)?.id}`, { audit: page.map(withoutMessage) });
    copied += page.length;
    onProgress(`copying the audit log: ${copied}`);
  }
  onProgress("copying counts");
  // Whole days: what a batch holds must not depend on the time of day at which the copy goes on.
  const since = new Date(Math.floor(now().getTime() / DAY_MS) * DAY_MS - ACTIVITY_DAYS * DAY_MS);
  const dayOf = ({ at }: { at: Date }): string => at.toISOString().slice(0, 10);
  for (const [day, minutes] of Map.groupBy(await source.listMinutes(since), dayOf)) {
    await write(`minutes/${day}`, { minutes });
  }
  for (const [hour, cameraHours] of Map.groupBy(await source.listCameraHours(since), ({ at }) => at.toISOString())) {
    await write(`hours/${hour}`, { cameraHours });
  }
  await write("deliveries", { deliveryCounts: await translatedDeliveries(deps) });
  onProgress("comparing tokens, audit log and counts");
  return {
    tokens: await compareTokens(deps),
    auditEntries: await compareAudit(deps),
    ...(await compareCounts(deps)),
  };
}

async function* pagesOfAudit(store: Store): AsyncGenerator<readonly AuditEntry[]> {
  for (let after = 0, full = true; full; ) {
    const page = await store.exportAudit(after, BATCH);
    if (page.length > 0) yield page;
    after = page.at(-1)?.id ?? after;
    full = page.length === BATCH;
  }
}

/** Messages get other numbers in the target: an entry must not come to speak of another one's. */
function withoutMessage({ messageId, detail, ...entry }: AuditEntry): Omit<AuditEntry, "id"> {
  if (messageId === null) return { ...entry, messageId, detail };
  const kept = [...detail].slice(0, MAX_DETAIL_CHARS).join("");
  return { ...entry, messageId: null, detail: `${kept} (message ${messageId} before the copy)`.trimStart() };
}

/** Of endpoints that are not there any more nothing is copied: their numbers may be another's in the target. */
async function translatedDeliveries({ source, endpoints }: RecordsDeps): Promise<DeliveryCount[]> {
  return (await source.listDeliveryCounts()).flatMap((one) => {
    const endpointId = one.endpointId === 0 ? 0 : endpoints.get(one.endpointId);
    return endpointId === undefined ? [] : [{ ...one, endpointId }];
  });
}

async function compareTokens({ source, target }: RecordsDeps): Promise<number> {
  const proofOf = ({ hash }: { hash: Uint8Array }): string => Buffer.from(hash).toString("hex");
  const there = new Set((await target.exportTokens()).map(proofOf));
  const tokens = await source.exportTokens();
  const missing = tokens.find((token) => !there.has(proofOf(token)));
  if (missing === undefined) return tokens.length;
  throw new AppError("conflict", `copying: the target has another token of this name (${missing.name})`, {
    hint: "Revoke one of them (tattile token remove), and copy again.",
  });
}

async function compareAudit({ source, target }: RecordsDeps): Promise<number> {
  const left = new Map<string, number>();
  // As PostgreSQL's texts have it: no NUL, no half of a surrogate pair.
  const keyOf = ({ at, who, what, detail }: Omit<AuditEntry, "id">): string =>
    [at.toISOString(), who, what, detail].join("\n").toWellFormed().replaceAll("\0", "\ufffd");
  for await (const page of pagesOfAudit(target)) {
    for (const entry of page) left.set(keyOf(entry), (left.get(keyOf(entry)) ?? 0) + 1);
  }
  let entries = 0;
  for await (const page of pagesOfAudit(source)) {
    for (const entry of page) {
      const key = keyOf(withoutMessage(entry));
      const count = left.get(key) ?? 0;
      if (count === 0) throw differs("an entry of the audit log", entry.at.toISOString());
      left.set(key, count - 1);
      entries += 1;
    }
  }
  return entries;
}

/** The target may have counts of its own besides: none may be less than in the source. */
async function compareCounts(deps: RecordsDeps): Promise<Pick<RecordsReport, "minutes" | "cameraHours">> {
  const { source, target, now } = deps;
  const since = new Date(now().getTime() - ACTIVITY_DAYS * DAY_MS);
  const minutes = await source.listMinutes(since);
  const minutesThere = new Map((await target.listMinutes(since)).map((one) => [one.at.getTime(), one]));
  for (const { at, received, delivered } of minutes) {
    const there = minutesThere.get(at.getTime());
    if ((there?.received ?? 0) < received || (there?.delivered ?? 0) < delivered) {
      throw differs("counts of a minute", at.toISOString());
    }
  }
  const hourOf = ({ at, cameraSerial }: { at: Date; cameraSerial: string }): string =>
    `${at.toISOString()} ${cameraSerial}`;
  const hours = await source.listCameraHours(since);
  const hoursThere = new Map((await target.listCameraHours(since)).map((one) => [hourOf(one), one.received]));
  for (const one of hours) {
    if ((hoursThere.get(hourOf(one)) ?? 0) < one.received) throw differs("counts of an hour", one.at.toISOString());
  }
  const kindOf = ({ endpointId, kind, label }: DeliveryCount): string => `${endpointId} ${kind} ${label}`;
  const deliveries = new Map((await target.listDeliveryCounts()).map((one) => [kindOf(one), one.count]));
  for (const one of await translatedDeliveries(deps)) {
    if ((deliveries.get(kindOf(one)) ?? 0) < one.count) throw differs("counts of deliveries", one.kind);
  }
  return { minutes: minutes.length, cameraHours: hours.length };
}

function differs(what: string, which: string): AppError {
  return new AppError("conflict", `copying: the copy differs (${what} of the source is missing, ${which})`, {
    hint: "The source or the target was worked on meanwhile: empty the target database and copy again.",
  });
}
