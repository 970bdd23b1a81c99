import type { Clock } from "../clock.ts";
import { MESSAGE_STATUSES, type MessageStatus } from "../message.ts";
import { endsInWord, type MessageAttempt, type MessageFilter, type QueuedMessage } from "./messages.ts";
import { ROUTE_OF_CAMERA, timeSource } from "./postgres-claim.ts";
import type { Parameter, Pool } from "./postgres-connection.ts";
import { instant, json, type Row } from "./postgres-rows.ts";
import { type ErasedRow, eraseSql, readErased, SELECT_PICTURES } from "./postgres-settle.ts";
import type { OperatorStore } from "./store.ts";

/** Rows that a bulk command changes in one transaction; between two of them other writers have their turn. */
const STEP_ROWS = 2000;

type Messages = Pick<
  OperatorStore,
  "listMessages" | "findMessage" | "findMessageImages" | "retryMessages" | "discardMessages"
>;
type StoredStatus = Exclude<MessageStatus, "SUCCESS">;
type StoredAttempt = Omit<MessageAttempt, "at"> & { at: string };

const STORED_STATUSES: readonly StoredStatus[] = MESSAGE_STATUSES.filter((status) => status !== "SUCCESS");

const SELECT_MESSAGE = `q.id AS "messageId", q.status, q.attempts, q.reason, q.last_error AS "lastError",
  c.serial_number AS "cameraSerial", m.name AS municipality, e.name AS "endpointName", r.plate, r.direction, r.exact,
  r.lane_id AS "laneId", r.ocr_score AS "ocrScore", r.country_code AS "countryCode",
  coalesce(r.timestamp_utc, r.created_at) AS "capturedAt", ${timeSource()} AS "timeSource", r.created_at AS "receivedAt",
  q.next_retry_at AS "nextRetryAt", r.image_ocr_path IS NOT NULL AS "hasOcrImage", r.image_ctx_path IS NOT NULL AS "hasCtxImage",
  q.lease_owner AS "leaseOwner", q.lease_until AS "leaseUntil"`;
const JOIN_MESSAGE = `JOIN alpr_readings r ON r.id = q.reading_id JOIN cameras c ON c.id = q.camera_id ${ROUTE_OF_CAMERA}`;

/** The same with the queue first, whatever the planner thinks without statistics: another table's order would have to be sorted. */
const JOIN_LISTED = `CROSS JOIN LATERAL (SELECT * FROM alpr_readings own WHERE own.id = q.reading_id OFFSET 0) r
  CROSS JOIN LATERAL (SELECT * FROM cameras own WHERE own.id = q.camera_id OFFSET 0) c ${ROUTE_OF_CAMERA}`;

/** The queue as the operator sees and changes it. */
export function createMessages(pool: Pool, clock: Clock): Messages {
  /** Calls `change` with a statement's condition step by step, each step one transaction. */
  const changeAll = async (
    filter: MessageFilter,
    changeable: readonly StoredStatus[],
    change: (picked: string, parameters: readonly Parameter[]) => Promise<readonly number[]>,
    limit = Number.POSITIVE_INFINITY,
  ): Promise<number> => {
    let changed = 0;
    for (const status of statusesOf(filter).filter((one) => changeable.includes(one))) {
      const { where, parameters } = buildWhere(filter, status);
      const after = parameters.length + 1;
      const order = orderOf(filter, status);
      const pick = (
        most: number,
      ): string => `SELECT q.id FROM messages_queue q JOIN alpr_readings r ON r.id = q.reading_id
        WHERE ${order} > $${after}::text::bigint AND ${where} ORDER BY ${order} LIMIT ${most} FOR UPDATE OF q`;
      for (let last = 0, full = true; full && changed < limit; ) {
        const ids = await change(pick(Math.min(STEP_ROWS, limit - changed)), [...parameters, String(last)]);
        changed += ids.length;
        last = ids.reduce((most, id) => Math.max(most, id), last);
        full = ids.length === STEP_ROWS;
        if (full) await clock.sleep(0);
      }
    }
    return changed;
  };

  return {
    listMessages: async (filter, limit, first = "oldest", after) => {
      const newest = first === "newest";
      const most = Math.max(0, limit);
      const rows: Row[] = [];
      for (const status of statusesOf(filter)) {
        const order = walkOf(filter, status);
        const { where, parameters } = buildWhere(filter, status, order === "q.id");
        const [limited, behind] = [parameters.length + 1, parameters.length + 2];
        const found = await pool.query<Row>(
          "listing messages",
          `SELECT ${SELECT_MESSAGE} FROM messages_queue q ${JOIN_LISTED}
           WHERE ${order} ${newest ? "<" : ">"} $${behind}::text::bigint AND ${where}
           ORDER BY ${order}${newest ? " DESC" : ""} LIMIT $${limited}::text::bigint`,
          [...parameters, String(most), String(after ?? (newest ? Number.MAX_SAFE_INTEGER : 0))],
        );
        rows.push(...found);
      }
      return rows
        .map(readMessage)
        .sort((a, b) => (newest ? b.messageId - a.messageId : a.messageId - b.messageId))
        .slice(0, most);
    },
    findMessage: async (id) => {
      if (!Number.isSafeInteger(id)) return null;
      const [row] = await pool.query<Row>(
        "finding a message",
        `SELECT ${SELECT_MESSAGE}, q.attempt_log AS log FROM messages_queue q ${JOIN_MESSAGE} WHERE q.id = $1::text::bigint`,
        [String(id)],
      );
      if (row === undefined) return null;
      const { log, ...message } = row;
      const attempts = ((log ?? []) as StoredAttempt[]).map((attempt) => ({ ...attempt, at: new Date(attempt.at) }));
      return { message: readMessage(message), attempts };
    },
    findMessageImages: async (id) => {
      if (!Number.isSafeInteger(id)) return null;
      const [row] = await pool.query<{ ocr: string | null; ctx: string | null }>(
        "finding pictures",
        `SELECT ${SELECT_PICTURES}
         FROM messages_queue q JOIN alpr_readings r ON r.id = q.reading_id WHERE q.id = $1::text::bigint`,
        [String(id)],
      );
      return row ?? null;
    },
    retryMessages: (filter, now) =>
      changeAll(filter, ["FAILED", "DEAD"], async (picked, parameters) => {
        const rows = await pool.query<{ id: number }>(
          "retrying messages",
          `WITH picked AS MATERIALIZED (${picked})
           UPDATE messages_queue q SET status = 'PENDING', attempts = 0, reason = NULL, next_retry_at = NULL,
             last_failed_at = NULL, updated_at = $${parameters.length + 1}::text::timestamptz
           WHERE q.id = ANY (ARRAY(SELECT id FROM picked)) RETURNING q.id`,
          [...parameters, instant(now)],
        );
        return rows.map(({ id }) => id);
      }),
    discardMessages: async (filter, limit) => {
      const imagePaths: string[] = [];
      // What is being sent may be delivered this very moment: it is not ours to erase.
      const messages = await changeAll(
        filter,
        ["PENDING", "FAILED", "DEAD"],
        async (picked, parameters) => {
          const rows = await pool.query<ErasedRow>("discarding messages", eraseSql(picked, "discarded"), parameters);
          const erased = readErased(rows);
          imagePaths.push(...erased.imagePaths);
          return erased.ids;
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

/**
 * Few among many are found by their own index and sorted; only of all that are PENDING the first are found by walking along
 * the primary key, which an expression keeps the planner from doing elsewhere.
 */
function orderOf(filter: MessageFilter, status: StoredStatus): string {
  const isNarrow = filter.cameraSerial !== undefined || filter.municipalityId !== undefined || filter.ids !== undefined;
  return status === "PENDING" && !isNarrow ? "q.id" : "(q.id + 0)";
}

/** The same for a list: what failed or was given up has an index by id for it, unless the filter says which cameras. */
function walkOf(filter: MessageFilter, status: StoredStatus): string {
  const isNarrow = filter.cameraSerial !== undefined || filter.municipalityId !== undefined || filter.ids !== undefined;
  return (status === "FAILED" || status === "DEAD") && !isNarrow ? "q.id" : orderOf(filter, status);
}

/** The filter as a condition on `q` and `r`. The state stands in it as a literal, or the partial indexes would not serve. */
function buildWhere(
  filter: MessageFilter,
  status: StoredStatus,
  byId = false,
): { where: string; parameters: Parameter[] } {
  // Of all that are PENDING only the primary key has the order of the ids: no other index is to look as if it served.
  const terms = [`${byId && status === "PENDING" ? "(q.status || '')" : "q.status"} = '${status}'`];
  const parameters: Parameter[] = [];
  const bind = (value: Parameter): string => `$${parameters.push(value)}::text`;
  if (filter.ids !== undefined) {
    const ids = bind(json(filter.ids.filter(Number.isSafeInteger)));
    terms.push(`q.id = ANY (ARRAY(SELECT value::bigint FROM json_array_elements_text(${ids}::json)))`);
  }
  if (filter.reason !== undefined) {
    const reason = bind(filter.reason);
    const isWord = endsInWord(filter.reason);
    const matches = (column: string): string =>
      `(starts_with(${column}, ${reason})${
        isWord ? ` AND substr(${column}, length(${reason}) + 1, 1) !~ '[A-Za-z0-9]'` : ""
      })`;
    terms.push(`(${matches("q.reason")} OR ${matches("q.last_error")})`);
  }
  if (filter.cameraSerial !== undefined) {
    terms.push(`q.camera_id = (SELECT id FROM cameras WHERE serial_number = ${bind(filter.cameraSerial)})`);
  }
  if (filter.municipalityId !== undefined) {
    const municipality = bind(String(filter.municipalityId));
    terms.push(`q.camera_id = ANY (ARRAY(SELECT id FROM cameras WHERE municipality_id = ${municipality}::bigint))`);
  }
  if (filter.capturedSince !== undefined) {
    terms.push(`coalesce(r.timestamp_utc, r.created_at) >= ${bind(instant(filter.capturedSince))}::timestamptz`);
  }
  return { where: terms.join(" AND "), parameters };
}

function readMessage({ exact, ...row }: Row): QueuedMessage {
  const { direction, laneId, ocrScore, countryCode, plate } = { ...row, ...(exact as Row | null) };
  // The columns' types are the schema's.
  return { ...row, direction, laneId, ocrScore, countryCode, plate: plate ?? "" } as unknown as QueuedMessage;
}
