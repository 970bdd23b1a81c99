import type { Statement } from "bun:sqlite";
import type { Clock } from "../clock.ts";
import { MESSAGE_STATUSES, type MessageStatus } from "../message.ts";
import { endsInWord, type MessageAttempt, type MessageFilter, type QueuedMessage } from "./messages.ts";
import { ROUTE_OF_CAMERA } from "./sqlite-claim.ts";
import type { Connection } from "./sqlite-connection.ts";
import { dateOrNull } from "./sqlite-rows.ts";
import { imagePathsOf } from "./sqlite-settle.ts";
import type { Tallies } from "./sqlite-tallies.ts";
import type { OperatorStore } from "./store.ts";

/** Rows that a bulk command changes in one transaction; between two of them other writers have their turn. */
const STEP_ROWS = 2000;

type Messages = Pick<
  OperatorStore,
  "listMessages" | "findMessage" | "findMessageImages" | "retryMessages" | "discardMessages"
>;
type StoredStatus = Exclude<MessageStatus, "SUCCESS">;
type Bindings = Record<string, string | number | null>;
type StepRow = { id: number; readingId: number; serial: string; ocr: string | null; ctx: string | null };
/** SQLite has neither instants nor booleans: both are numbers. */
type Stored<T> = T extends Date | boolean ? number : T;
type MessageRow = { [Field in keyof QueuedMessage]: Stored<QueuedMessage[Field]> };

const STORED_STATUSES: readonly StoredStatus[] = MESSAGE_STATUSES.filter((status) => status !== "SUCCESS");
/** By camera: a few dead among a million waiting are found by their own index, not by a walk through the queue. */
const INDEX_OF: Readonly<Record<StoredStatus, string>> = {
  PENDING: "",
  SENDING: "INDEXED BY messages_sending",
  FAILED: "INDEXED BY messages_failed_camera",
  DEAD: "INDEXED BY messages_dead_camera",
};
/** In the order of their ids: where a filter does not say which cameras, the first of a page are soon found, and none is sorted. */
const WALK_OF: Readonly<Record<StoredStatus, string>> = {
  PENDING: "NOT INDEXED",
  SENDING: "INDEXED BY messages_sending",
  FAILED: "INDEXED BY messages_failed_id",
  DEAD: "INDEXED BY messages_dead_id",
};

const SELECT_MESSAGE = `q.id AS messageId, q.status, q.attempts, q.reason, q.last_error AS lastError,
  c.serial_number AS cameraSerial, m.name AS municipality, e.name AS endpointName, r.plate,
  r.direction, r.lane_id AS laneId, r.ocr_score AS ocrScore, r.country_code AS countryCode,
  r.timestamp_utc AS capturedAt, r.time_source AS timeSource, r.created_at AS receivedAt, q.next_retry_at AS nextRetryAt,
  r.has_image_ocr AS hasOcrImage, r.has_image_ctx AS hasCtxImage, q.lease_owner AS leaseOwner, q.lease_until AS leaseUntil`;
const JOIN_MESSAGE = `JOIN alpr_readings r ON r.id = q.reading_id JOIN cameras c ON c.id = q.camera_id ${ROUTE_OF_CAMERA}`;

/** The statement of a page of one state; here for a test that it sorts nothing. */
export function pageSql(filter: MessageFilter, status: StoredStatus, first: "oldest" | "newest"): string {
  const isNarrow = filter.cameraSerial !== undefined || filter.municipalityId !== undefined;
  const index = filter.ids !== undefined ? "NOT INDEXED" : (isNarrow ? INDEX_OF : WALK_OF)[status];
  // The queue first: a walk along another table would have to be sorted.
  const join = JOIN_MESSAGE.replaceAll(/(?<!LEFT )JOIN/g, "CROSS JOIN");
  const [beyond, order] = first === "newest" ? ["<", " DESC"] : [">", ""];
  return `SELECT ${SELECT_MESSAGE} FROM messages_queue q ${index} ${join}
    WHERE q.id ${beyond} $after AND ${buildWhere(filter, status).where} ORDER BY q.id${order} LIMIT $limit`;
}

/** The queue as the operator sees and changes it. */
export function createMessages(connection: Connection, tallies: Tallies, clock: Clock): Messages {
  // The filters make few different statements: 4 states, 5 conditions that are there or not, 2 orders, 2 commands.
  const statements = new Map<string, Statement<unknown, Bindings[]>>();
  const prepare = <Row>(sql: string): Statement<Row, Bindings[]> => {
    const known = statements.get(sql) ?? connection.prepare<unknown, Bindings[]>(sql);
    statements.set(sql, known);
    return known as Statement<Row, Bindings[]>;
  };
  const findOne = connection.prepare<MessageRow, [number]>(
    `SELECT ${SELECT_MESSAGE} FROM messages_queue q ${JOIN_MESSAGE} WHERE q.id = ?`,
  );
  const findImages = connection.prepare<{ ocr: string | null; ctx: string | null }, [number]>(
    `SELECT r.image_ocr_path AS ocr, r.image_ctx_path AS ctx
     FROM messages_queue q JOIN alpr_readings r ON r.id = q.reading_id WHERE q.id = ?`,
  );
  const listAttempts = connection.prepare<
    { at: number; kind: MessageAttempt["kind"]; detail: string; durationMs: number },
    [number]
  >("SELECT at, kind, detail, duration_ms AS durationMs FROM message_attempts WHERE message_id = ? ORDER BY number");
  const retryOne = connection.prepare<never, [number, number]>(
    `UPDATE messages_queue SET status = 'PENDING', attempts = 0, reason = NULL, next_retry_at = NULL, last_failed_at = NULL,
       updated_at = ? WHERE id = ?`,
  );
  const eraseMessage = connection.prepare<never, [number]>("DELETE FROM messages_queue WHERE id = ?");
  const eraseReading = connection.prepare<never, [number]>("DELETE FROM alpr_readings WHERE id = ?");

  /** Calls `change` with what the filter means, step by step, each step one transaction. */
  const changeAll = async (
    doing: string,
    filter: MessageFilter,
    changeable: readonly StoredStatus[],
    change: (rows: readonly StepRow[]) => void,
    limit = Number.POSITIVE_INFINITY,
  ): Promise<number> => {
    let changed = 0;
    for (const status of statusesOf(filter).filter((one) => changeable.includes(one))) {
      const { where, bindings } = buildWhere(filter, status);
      const step = prepare<StepRow>(
        `SELECT q.id, q.reading_id AS readingId, c.serial_number AS serial, r.image_ocr_path AS ocr, r.image_ctx_path AS ctx
         FROM messages_queue q NOT INDEXED CROSS JOIN alpr_readings r ON r.id = q.reading_id
         CROSS JOIN cameras c ON c.id = q.camera_id
         WHERE q.id > $after AND ${where} ORDER BY q.id LIMIT $limit`,
      );
      for (let after = 0, full = true; full && changed < limit; ) {
        const rows = connection.write(doing, () => {
          const found = step.all({ ...bindings, after, limit: Math.min(STEP_ROWS, limit - changed) });
          if (found.length > 0) change(found);
          return found;
        });
        changed += rows.length;
        after = rows.at(-1)?.id ?? after;
        full = rows.length === STEP_ROWS;
        if (full) await clock.sleep(0);
      }
    }
    return changed;
  };

  return {
    listMessages: async (filter, limit, first = "oldest", after) =>
      connection.read("listing messages", () => {
        const newest = first === "newest";
        const bound = { after: after ?? (newest ? Number.MAX_SAFE_INTEGER : 0), limit: Math.max(0, limit) };
        const rows = statusesOf(filter).flatMap((status) =>
          prepare<MessageRow>(pageSql(filter, status, first)).all({ ...buildWhere(filter, status).bindings, ...bound }),
        );
        return rows
          .sort((a, b) => (newest ? b.messageId - a.messageId : a.messageId - b.messageId))
          .slice(0, Math.max(0, limit))
          .map(readMessage);
      }),
    findMessage: async (id) =>
      connection.read("finding a message", () => {
        const row = findOne.get(id);
        if (row === null) return null;
        const attempts = listAttempts.all(id).map((attempt) => ({ ...attempt, at: new Date(attempt.at) }));
        return { message: readMessage(row), attempts };
      }),
    findMessageImages: async (id) => connection.read("finding pictures", () => findImages.get(id)),
    retryMessages: (filter, now) =>
      changeAll("retrying messages", filter, ["FAILED", "DEAD"], (rows) => {
        for (const { id } of rows) retryOne.run(now.getTime(), id);
      }),
    discardMessages: async (filter, limit) => {
      const imagePaths: string[] = [];
      // What is being sent may be delivered this very moment: it is not ours to erase.
      const messages = await changeAll(
        "discarding messages",
        filter,
        ["PENDING", "FAILED", "DEAD"],
        (rows) => {
          const sheet = tallies.open();
          for (const { id, readingId, serial } of rows) {
            eraseMessage.run(id);
            eraseReading.run(readingId);
            sheet.add(serial, "discarded");
          }
          sheet.write();
          imagePaths.push(...imagePathsOf(rows));
        },
        limit,
      );
      return { messages, imagePaths };
    },
  };
}

function statusesOf(filter: MessageFilter): readonly StoredStatus[] {
  const { statuses } = filter;
  return statuses === undefined ? STORED_STATUSES : STORED_STATUSES.filter((status) => statuses.includes(status));
}

/** The filter as a condition on `q`. The state stands in it as a literal, or the partial indexes would not serve. */
function buildWhere(filter: MessageFilter, status: StoredStatus): { where: string; bindings: Bindings } {
  const terms = [`q.status = '${status}'`];
  const bindings: Bindings = {};
  if (filter.ids !== undefined) {
    terms.push("q.id IN (SELECT value FROM json_each($ids))");
    bindings["ids"] = JSON.stringify(filter.ids);
  }
  if (filter.reason !== undefined) {
    const isWord = endsInWord(filter.reason);
    const matches = (column: string): string =>
      `(substr(${column}, 1, length($reason)) = $reason${
        isWord ? ` AND substr(${column}, length($reason) + 1, 1) NOT GLOB '[A-Za-z0-9]'` : ""
      })`;
    terms.push(`(${matches("q.reason")} OR ${matches("q.last_error")})`);
    bindings["reason"] = filter.reason;
  }
  if (filter.cameraSerial !== undefined) {
    terms.push("q.camera_id = (SELECT id FROM cameras WHERE serial_number = $serial)");
    bindings["serial"] = filter.cameraSerial;
  }
  if (filter.municipalityId !== undefined) {
    terms.push("q.camera_id IN (SELECT id FROM cameras WHERE municipality_id = $municipality)");
    bindings["municipality"] = filter.municipalityId;
  }
  if (filter.capturedSince !== undefined) {
    terms.push("r.timestamp_utc >= $since");
    bindings["since"] = filter.capturedSince.getTime();
  }
  return { where: terms.join(" AND "), bindings };
}

function readMessage(row: MessageRow): QueuedMessage {
  return {
    ...row,
    capturedAt: new Date(row.capturedAt),
    receivedAt: new Date(row.receivedAt),
    nextRetryAt: dateOrNull(row.nextRetryAt),
    hasOcrImage: row.hasOcrImage === 1,
    hasCtxImage: row.hasCtxImage === 1,
    leaseUntil: dateOrNull(row.leaseUntil),
  };
}
