import { type DeliveryOutcome, describeOutcome } from "../delivery.ts";
import type { Connection } from "./sqlite-connection.ts";
import { MAX_DETAIL_CHARS } from "./sqlite-rows.ts";
import type { Tallies, TallySheet } from "./sqlite-tallies.ts";
import type { Claim, QueueStore, Settled, Settlement } from "./store.ts";

/** Of a message's attempts the newest so many are kept. */
const ATTEMPTS_KEPT = 20;
const LEASE_ENDED = "the lease ended before an outcome was known";

type Settling = Pick<
  QueueStore,
  | "settle"
  | "bringForward"
  | "releaseExpired"
  | "listOwners"
  | "releaseOwner"
  | "takeBack"
  | "purgeDead"
  | "findReferenced"
>;
type Holder = { id: number; owner: string; until: number };

/** The claim is still the one that was given: a lease that was lost, even to the same owner again, settles nothing. */
const HELD = "id = $id AND status = 'SENDING' AND lease_owner = $owner AND lease_until = $until";
const FREE = "lease_owner = NULL, lease_until = NULL, updated_at = $now";

/** How a message leaves SENDING, and how it leaves the store. */
export function createSettling(connection: Connection, tallies: Tallies): Settling {
  const eraseHeld = connection.prepare<never, Holder[]>(`DELETE FROM messages_queue WHERE ${HELD}`);
  const eraseReading = connection.prepare<never, [number]>("DELETE FROM alpr_readings WHERE id = ?");
  const touchCamera = connection.prepare<never, [number, number]>("UPDATE cameras SET last_sent_at = ? WHERE id = ?");
  const fail = connection.prepare<never, (Holder & { at: number; spent: number; error: string; now: number })[]>(
    `UPDATE messages_queue SET status = 'FAILED', next_retry_at = $at, last_failed_at = $now, attempts = attempts + $spent,
       last_error = $error, ${FREE} WHERE ${HELD}`,
  );
  const bury = connection.prepare<never, (Holder & { reason: string; spent: number; error: string; now: number })[]>(
    `UPDATE messages_queue SET status = 'DEAD', reason = $reason, last_failed_at = $now, attempts = attempts + $spent,
       last_error = $error, ${FREE} WHERE ${HELD}`,
  );
  const release = connection.prepare<never, (Holder & { now: number })[]>(
    `UPDATE messages_queue SET status = 'PENDING', ${FREE} WHERE ${HELD}`,
  );
  const addAttempt = connection.prepare<
    { number: number },
    { id: number; at: number; kind: string; detail: string; duration: number }[]
  >(
    `INSERT INTO message_attempts (message_id, number, at, kind, detail, duration_ms)
     SELECT $id, coalesce(max(number), 0) + 1, $at, $kind, $detail, $duration FROM message_attempts WHERE message_id = $id
     RETURNING number`,
  );
  const trimAttempts = connection.prepare<never, [number, number]>(
    "DELETE FROM message_attempts WHERE message_id = ? AND number <= ?",
  );
  const markSent = connection.prepare<never, [number, number]>(
    "UPDATE messages_queue SET last_sent_at = ? WHERE id = ?",
  );
  const expire = connection.prepare<never, { now: number; error: string }[]>(
    `UPDATE messages_queue SET status = 'FAILED', next_retry_at = $now, last_error = $error, ${FREE}
     WHERE status = 'SENDING' AND lease_until <= $now`,
  );
  const bringForward = connection.prepare<never, { now: number; limit: number }[]>(
    `UPDATE messages_queue SET next_retry_at = $now WHERE id IN
       (SELECT id FROM messages_queue WHERE status = 'FAILED' AND next_retry_at > $now LIMIT $limit)`,
  );
  const hasExpired = connection.prepare<{ found: number }, [number]>(
    "SELECT 1 AS found FROM messages_queue WHERE status = 'SENDING' AND lease_until <= ? LIMIT 1",
  );
  const listOwners = connection.prepare<{ owner: string }, []>(
    "SELECT DISTINCT lease_owner AS owner FROM messages_queue WHERE status = 'SENDING' ORDER BY lease_owner",
  );
  const releaseAll = connection.prepare<never, { owner: string; now: number }[]>(
    `UPDATE messages_queue SET status = 'PENDING', ${FREE} WHERE status = 'SENDING' AND lease_owner = $owner`,
  );
  const stray =
    "status = 'SENDING' AND lease_owner = $owner AND updated_at < $now AND id NOT IN (SELECT value FROM json_each($held))";
  const hasStray = connection.prepare<{ found: number }, { owner: string; now: number; held: string }[]>(
    `SELECT 1 AS found FROM messages_queue WHERE ${stray} LIMIT 1`,
  );
  const releaseStray = connection.prepare<never, { owner: string; now: number; held: string }[]>(
    `UPDATE messages_queue SET status = 'PENDING', ${FREE} WHERE ${stray}`,
  );
  const listOldDead = connection.prepare<
    { id: number; readingId: number; serial: string; ocr: string | null; ctx: string | null },
    [number, number]
  >(
    `SELECT q.id, q.reading_id AS readingId, coalesce(r.device_sn, '') AS serial, r.image_ocr_path AS ocr, r.image_ctx_path AS ctx
     FROM messages_queue q JOIN alpr_readings r ON r.id = q.reading_id
     WHERE q.status = 'DEAD' AND q.updated_at < ? ORDER BY q.updated_at LIMIT ?`,
  );
  const eraseMessage = connection.prepare<never, [number]>("DELETE FROM messages_queue WHERE id = ?");
  // The second and third find context images; together they find every one, whatever the files are called (see the schema).
  const isReferenced = connection.prepare<{ found: number }, { path: string }[]>(
    `SELECT EXISTS (SELECT 1 FROM alpr_readings WHERE image_ocr_path = $path)
       OR EXISTS (SELECT 1 FROM alpr_readings
         WHERE image_ocr_path = replace($path, '_ctx', '_ocr') AND image_ctx_path = $path)
       OR EXISTS (SELECT 1 FROM alpr_readings WHERE image_ctx_path = $path
         AND image_ctx_path IS NOT NULL AND image_ocr_path IS NOT replace(image_ctx_path, '_ctx', '_ocr')) AS found`,
  );

  const keepAttempt = (id: number, attempt: { at: Date; outcome: DeliveryOutcome; durationMs: number }): void => {
    const { at, outcome, durationMs } = attempt;
    const detail = describeOutcome(outcome).slice(0, MAX_DETAIL_CHARS);
    const added = addAttempt.get({ id, at: at.getTime(), kind: outcome.kind, detail, duration: durationMs });
    if (added !== null && added.number > ATTEMPTS_KEPT) trimAttempts.run(id, added.number - ATTEMPTS_KEPT);
    markSent.run(at.getTime(), id);
  };

  const apply = (claim: Claim, settlement: Settlement, nowMs: number, sheet: TallySheet): boolean => {
    const holder = { id: claim.messageId, owner: claim.owner, until: claim.leaseUntil.getTime() };
    switch (settlement.kind) {
      case "delivered":
        if (eraseHeld.run(holder).changes === 0) return false;
        eraseReading.run(claim.readingId);
        touchCamera.run(nowMs, claim.camera.id);
        sheet.add(claim.camera.serial, "delivered");
        return true;
      case "retry": {
        const { at, spent, error } = settlement;
        const bound = {
          ...holder,
          at: at.getTime(),
          spent: spent ? 1 : 0,
          error: error.slice(0, MAX_DETAIL_CHARS),
          now: nowMs,
        };
        return fail.run(bound).changes > 0;
      }
      case "dead": {
        const { reason, detail, spent } = settlement;
        const bound = { ...holder, reason, spent: spent ? 1 : 0, error: detail.slice(0, MAX_DETAIL_CHARS), now: nowMs };
        if (bury.run(bound).changes === 0) return false;
        sheet.add(claim.camera.serial, "dead");
        return true;
      }
      case "release":
        return release.run({ ...holder, now: nowMs }).changes > 0;
    }
  };

  const settleOne = ({ claim, settlement, attempt }: Settled, nowMs: number, sheet: TallySheet): boolean => {
    if (!apply(claim, settlement, nowMs, sheet)) return false;
    if (attempt === null) return true;
    const isDelivered = settlement.kind === "delivered";
    if (!isDelivered) keepAttempt(claim.messageId, attempt);
    sheet.addAttempt({
      endpointId: claim.route.endpointId,
      kind: attempt.outcome.kind,
      durationMs: attempt.durationMs,
      deliveredAfterMs: isDelivered ? Math.max(0, nowMs - claim.receivedAt.getTime()) : null,
    });
    return true;
  };

  return {
    settle: (settled, now) =>
      connection.writeAndSync("settling messages", () => {
        const sheet = tallies.open();
        const results = settled.map((one) => settleOne(one, now.getTime(), sheet));
        sheet.write();
        return results;
      }),
    bringForward: async (now, limit) =>
      connection.write("bringing messages forward", () => bringForward.run({ now: now.getTime(), limit }).changes),
    releaseExpired: async (now) => {
      const nowMs = now.getTime();
      if (connection.read("looking for ended leases", () => hasExpired.get(nowMs)) === null) return 0;
      return connection.write("ending leases", () => expire.run({ now: nowMs, error: LEASE_ENDED }).changes);
    },
    listOwners: async () => connection.read("listing owners", () => listOwners.all().map(({ owner }) => owner)),
    releaseOwner: async (owner, now) =>
      connection.write("freeing messages", () => releaseAll.run({ owner, now: now.getTime() }).changes),
    takeBack: async (owner, held, now) => {
      const meant = { owner, now: now.getTime(), held: JSON.stringify([...held]) };
      if (connection.read("looking for stray messages", () => hasStray.get(meant)) === null) return 0;
      return connection.write("freeing messages", () => releaseStray.run(meant).changes);
    },
    purgeDead: async (before, limit) => {
      const old = (): ReturnType<typeof listOldDead.all> => listOldDead.all(before.getTime(), limit);
      if (connection.read("looking for dead messages", old).length === 0)
        return { messages: 0, imagePaths: [], more: false };
      return connection.write("erasing dead messages", () => {
        const sheet = tallies.open();
        const dead = old();
        for (const { id, readingId, serial } of dead) {
          eraseMessage.run(id);
          eraseReading.run(readingId);
          sheet.add(serial, "expired");
        }
        sheet.write();
        return { messages: dead.length, imagePaths: imagePathsOf(dead), more: dead.length >= limit };
      });
    },
    findReferenced: async (paths) => {
      const doing = "looking for images";
      const found = connection.read(
        doing,
        () => new Set(paths.filter((path) => isReferenced.get({ path })?.found === 1)),
      );
      // Who asks erases what is not referred to: a row that is gone must not come back with the next power cut.
      if (found.size < paths.length) await connection.sync(doing);
      return found;
    },
  };
}

/** The pictures of erased readings. */
export function imagePathsOf(rows: readonly { ocr: string | null; ctx: string | null }[]): string[] {
  return rows.flatMap(({ ocr, ctx }) => [ocr, ctx].filter((path) => path !== null));
}
