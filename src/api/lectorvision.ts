import { timingSafeEqual } from "node:crypto";
import { hashToken } from "../api-token.ts";
import { parseLectorVision } from "../camera/lectorvision.ts";
import { type AddressList, parseAddressList } from "../cidr.ts";
import { errorText } from "../errors.ts";
import { readBody } from "./body.ts";
import type { ApiDeps, ReceivedMessage } from "./deps.ts";
import { Refusal } from "./refusal.ts";
import { defineMediaRoute, LONG_SECONDS, type Route } from "./route.ts";

const LECTORVISION_BODY_BYTES = 20 * 1024 * 1024;
const BODY_TIMEOUT_MS = 120_000;
/** Bodies in memory at once, all together; who comes beyond it is told to come again. */
const MEMORY_BYTES = 4 * LECTORVISION_BODY_BYTES;
const MOST_ITEMS = 5000;
/** Of one body so many readings are on their way to the disk at once: what one group commit takes. */
const AT_ONCE = 64;
/** Of a body that is not understood so much is held. */
const SAMPLE_BYTES = 64 * 1024;
const SPACE_FOR_MS = 5000;
const AGAIN: Readonly<Record<string, string>> = { "retry-after": "10" };

type Receive = (request: Request, peer: string, wait: (seconds: number) => void) => Promise<Response>;

export type LectorVisionDeps = Pick<ApiDeps, "config" | "images" | "clock" | "log" | "take">;

/**
 * Lector Vision's agents. They take every 4xx but 429 as final and delete their copy. So nothing is refused for good that
 * may still become a reading: of an unknown device it is held; who is not allowed is told 429, to keep what he has until
 * somebody corrects the list; what cannot be understood is answered 400, and held as well.
 */
export function createLectorVision(deps: LectorVisionDeps): Receive {
  const { config, clock, log, take } = deps;
  const { allow, token } = config.lectorVision;
  const allowed: AddressList | null = allow.length === 0 ? null : parseAddressList(allow);
  const tokenHash = token === null ? null : hashToken(token);
  let heldBytes = 0;
  let space = { isLow: false, lookedAtMs: Number.NEGATIVE_INFINITY };

  function authorize(request: Request, peer: string): void {
    // A page of some site could make a browser of this network post readings; a browser says whose page it was.
    if (request.headers.has("origin") || request.headers.has("sec-fetch-site")) {
      throw new Refusal(403, "foreign-page", "readings do not come from a browser's page");
    }
    if (allowed !== null && !allowed.allows(peer)) {
      log.warn("Lector Vision: address not in LECTORVISION_ALLOW", { peer });
      throw new Refusal(429, "not-allowed", "this address may not send readings; keep them", { headers: AGAIN });
    }
    if (tokenHash === null) return;
    const header = request.headers.get("authorization") ?? "";
    const given = /^bearer +(\S+)$/i.exec(header)?.[1] ?? request.headers.get("x-api-key") ?? "";
    if (timingSafeEqual(hashToken(given), tokenHash)) return;
    log.warn("Lector Vision: the token is missing or wrong (LECTORVISION_TOKEN)", { peer });
    throw new Refusal(429, "not-allowed", "the token is missing or wrong; keep the readings", { headers: AGAIN });
  }

  async function requireSpace(): Promise<void> {
    const nowMs = clock.monotonicMs();
    if (nowMs - space.lookedAtMs >= SPACE_FOR_MS) {
      const { freeBytes } = await deps.images.space();
      space = { isLow: freeBytes < config.diskMinFreeBytes, lookedAtMs: nowMs };
    }
    if (space.isLow) throw unavailable("the disk is nearly full");
  }

  /** Memory for one body: `grow` is called with all that it needs by now. */
  async function withMemory<T>(work: (grow: (bytes: number) => void) => Promise<T>): Promise<T> {
    let own = 0;
    try {
      return await work((bytes) => {
        const more = Math.max(0, bytes - own);
        if (heldBytes + more > MEMORY_BYTES) throw unavailable("too much is being received at once");
        heldBytes += more;
        own += more;
      });
    } finally {
      heldBytes -= own;
    }
  }

  async function receive(
    request: Request,
    peer: string,
    receivedAt: Date,
    grow: (bytes: number) => void,
    wait: (seconds: number) => void,
  ): Promise<Response> {
    const hold = (reason: string, bytes: Uint8Array) =>
      take(messageOf({ kind: "malformed", reason, cameraSerial: null }, () => bytes, peer, receivedAt));
    let body: Buffer;
    try {
      body = await readBody(request, {
        maxBytes: LECTORVISION_BODY_BYTES,
        timeoutMs: BODY_TIMEOUT_MS,
        onGrowth: grow,
      });
    } catch (error) {
      // The agent deletes its copy now: at least that there was one is to be seen.
      if (error instanceof Refusal && error.status === 413)
        await hold(`${error.message} (Lector Vision)`, new Uint8Array());
      throw error;
    }
    let value: unknown;
    try {
      value = JSON.parse(new TextDecoder().decode(body));
    } catch {
      await hold("not JSON", body.subarray(0, SAMPLE_BYTES));
      return refuse("the body is not JSON", null, null, 0);
    }
    const items: readonly unknown[] = Array.isArray(value) ? value : [value];
    if (items.length > MOST_ITEMS) {
      throw new Refusal(
        429,
        "too-many",
        `${items.length} readings in one request, at most ${MOST_ITEMS}; send fewer at once`,
      );
    }
    // Only now: a sender that falls silent in the middle is not waited for so long.
    wait(LONG_SECONDS);
    return answer(items, Array.isArray(value), peer, receivedAt);
  }

  async function answer(items: readonly unknown[], isList: boolean, peer: string, receivedAt: Date): Promise<Response> {
    const counts: Record<string, number> = {};
    const wrong: { index: number; field: string | null; reason: string }[] = [];
    const failures: unknown[] = [];
    let first: { plate: string; serial: string } | null = null;
    for (let at = 0; at < items.length; at += AT_ONCE) {
      const group = items.slice(at, at + AT_ONCE).map(async (item, offset) => {
        const { parsed, field } = parseLectorVision(item);
        if (parsed.kind === "malformed") wrong.push({ index: at + offset, field, reason: parsed.reason });
        else first ??= { plate: parsed.reading.facts.plate, serial: parsed.reading.cameraSerial };
        const result = await take(messageOf(parsed, () => Buffer.from(JSON.stringify(item)), peer, receivedAt));
        counts[result] = (counts[result] ?? 0) + 1;
      });
      for (const one of await Promise.allSettled(group)) if (one.status === "rejected") failures.push(one.reason);
      // What is stored already is recognised when it comes again.
      if (failures.length > 0) throw unavailable(`storing: ${errorText(failures[0])}`);
    }
    const [problem] = wrong.toSorted((a, b) => a.index - b.index);
    if (problem !== undefined) {
      return refuse(problem.reason, problem.field, isList ? problem.index : null, items.length - wrong.length);
    }
    const said = first as { plate: string; serial: string } | null;
    if (!isList && said !== null) {
      return Response.json({ status: "accepted", plate: said.plate, device_sn: said.serial }, { status: 202 });
    }
    return Response.json({ status: "accepted", readings: items.length, results: counts }, { status: 202 });
  }

  function unavailable(reason: string): Refusal {
    log.warn("Lector Vision: readings could not be stored; the sender keeps them", { reason });
    return new Refusal(503, "unavailable", "the reading could not be stored; send it again", { headers: AGAIN });
  }

  return async (request, peer, wait) => {
    authorize(request, peer);
    await requireSpace();
    // What is announced is set aside at once: better refused at the beginning than in the middle.
    const announced = Math.min(Number(request.headers.get("content-length") ?? 0) || 0, LECTORVISION_BODY_BYTES);
    return withMemory((grow) => {
      grow(announced);
      return receive(request, peer, clock.now(), grow, wait);
    });
  };
}

const PATHS = ["/ingest/lectorvision", "/ingest/v2/detection/", "/ingest/v2/detection", "/ingest", "/ingest/", "/"];

/** On the API's own port one path; on a listener of its own all that agents are set to. */
export function lectorVisionRoutes(receive: Receive, where: "api" | "own"): readonly Route[] {
  return (where === "api" ? PATHS.slice(0, 1) : PATHS).map((path) =>
    defineMediaRoute({
      method: "POST",
      path,
      tag: "lector-vision",
      summary:
        "a reading of Lector Vision, or an array of them: 202 once durable, 400 naming the field, 429 and 503: keep it and send it again",
      access: "public",
      media: "application/json",
      status: 202,
      handle: async ({ request, peer, wait }) => receive(request, peer, wait),
    }),
  );
}

function refuse(reason: string, field: string | null, item: number | null, accepted: number): Response {
  const place = item === null ? "" : `item ${item}: `;
  return Response.json({ code: "invalid", error: `${place}${reason}`, field, item, accepted }, { status: 400 });
}

/** Its bytes are made only when they are to be held. */
function messageOf(
  parsed: ReceivedMessage["parsed"],
  makeBytes: () => Uint8Array,
  peer: string,
  receivedAt: Date,
): ReceivedMessage {
  let bytes: Uint8Array | null = null;
  return {
    protocol: "lector-vision",
    parsed,
    get bytes() {
      bytes ??= makeBytes();
      return bytes;
    },
    peer,
    receivedAt,
    release() {},
  };
}
