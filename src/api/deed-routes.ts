import { randomBytes } from "node:crypto";
import { STATUS_OF, worstGrade } from "../finding.ts";
import { pictureProblem } from "../gray-picture.ts";
import type { WipeKind } from "../store/holdings.ts";
import type { Auditor } from "./audit.ts";
import { readBase64 } from "./base64.ts";
import { Findings, SendOrder, SentByHand, Totals, Wiped, WipeOrder, WipeWhat } from "./deed-schemas.ts";
import type { ApiDeps } from "./deps.ts";
import { invalid, mustFind, Refusal } from "./refusal.ts";
import { defineRoute, type Route } from "./route.ts";

/** How long a number may be looked at before it is erased by it. */
const CONFIRM_MS = 120_000;
/** After so long a wipe answers with what it has done, and goes on when it is asked again. */
const WIPE_TURN_MS = 15_000;
/** Of what a wipe goes on with. */
const LEFT = "what is left of ";
/** Longer than the longest of them takes. */
const PATIENCE_SECONDS = 150;
/** Two pictures in base64, and the rest of the body. */
const SEND_BODY_BYTES = 23 * 1024 * 1024;

interface Confirmation {
  kind: WipeKind;
  value: string;
  until: Date;
  /** What there was to erase, for the audit log. */
  text: string;
}

/** What is done to the whole, or looked at as a whole; each one at a time. */
export function deedRoutes(deps: ApiDeps, auditor: Auditor): readonly Route[] {
  const { store, clock, deeds } = deps;
  const [countTurn, doctorTurn, sendTurn, wipeTurn] = ["totals", "doctor", "send", "wipe"].map(createTurn) as [
    Turn,
    Turn,
    Turn,
    Turn,
  ];
  /** By token the last one that was given out. */
  const confirmations = new Map<number, Confirmation>();

  const offer = (tokenId: number, kind: WipeKind, text: string) => {
    const until = new Date(clock.now().getTime() + CONFIRM_MS);
    const value = randomBytes(12).toString("base64url");
    confirmations.set(tokenId, { kind, value, until, text });
    return { confirm: value, confirmUntil: until };
  };

  return [
    defineRoute({
      method: "GET",
      path: "/api/v1/totals",
      tag: "machine",
      summary: "the rows of every table and the files beside them, counted now",
      access: "operator",
      answer: Totals,
      handle: ({ wait }) => {
        wait(PATIENCE_SECONDS);
        return countTurn(async () => (await deeds()).totals());
      },
    }),
    defineRoute({
      method: "GET",
      path: "/api/v1/doctor",
      tag: "machine",
      summary: "look at everything that can be wrong, within a minute; endpoints are asked, nothing is sent",
      access: "operator",
      answer: Findings,
      handle: async ({ wait }) => {
        wait(PATIENCE_SECONDS);
        const findings = await doctorTurn(async () => (await deeds()).doctor());
        return { status: STATUS_OF[worstGrade(findings)], findings };
      },
    }),
    defineRoute({
      method: "POST",
      path: "/api/v1/send",
      tag: "messages",
      summary:
        "sign one reading by hand, and with dryRun false deliver it; it is in no queue and nothing of it is kept",
      access: "admin",
      body: SendOrder,
      maxBodyBytes: SEND_BODY_BYTES,
      answer: SentByHand,
      handle: async ({ body, caller, wait }) => {
        const dryRun = body.dryRun !== false;
        if (!dryRun && body.plate === undefined)
          throw invalid("body.plate is missing", "Give one that may be reported.");
        const camera = mustFind(await store.findCamera(body.camera), `camera ${body.camera}`);
        const given = {
          ...{ camera, dryRun, plate: body.plate?.trim() ?? null },
          ...{ ocr: readPicture("ocr", body.ocr), ctx: readPicture("ctx", body.ctx) },
        };
        if (given.plate === "") throw invalid("body.plate is empty", "Give one that may be reported.");
        wait(PATIENCE_SECONDS);
        return sendTurn(async () =>
          (await deeds()).send(given, (detail, run) => auditor.around(caller, { what: "message send", detail }, run)),
        );
      },
    }),
    defineRoute({
      method: "POST",
      path: "/api/v1/wipe/{what}",
      tag: "machine",
      summary:
        "erase the queue, every reading, or all images: first without confirm for the numbers, then with it; while the answer has one there is more",
      access: "admin",
      params: WipeWhat,
      body: WipeOrder,
      answer: Wiped,
      handle: async ({ params: { what }, body: { confirm }, caller, wait }) => {
        const tokenId = caller?.token.id ?? 0;
        wait(PATIENCE_SECONDS);
        if (confirm === undefined) {
          const { counts, text } = await wipeTurn(async () => (await deeds()).countWipe(what));
          return { done: false, counts, ...offer(tokenId, what, text) };
        }
        const given = confirmations.get(tokenId);
        if (given?.kind !== what || given.value !== confirm || given.until < clock.now()) {
          throw new Refusal(
            409,
            "conflict",
            "body.confirm is not the one of the last numbers, or its two minutes are over",
            {
              hint: "Ask for the numbers again, without confirm.",
            },
          );
        }
        return wipeTurn(async () => {
          // It counts once, whatever comes of it.
          confirmations.delete(tokenId);
          const endMs = clock.monotonicMs() + WIPE_TURN_MS;
          const deed = { what: `${what} wipe` as const, detail: given.text };
          const { counts, more } = await auditor.around(caller, deed, async () =>
            (await deeds()).runWipe(what, () => clock.monotonicMs() >= endMs),
          );
          const next = more ? offer(tokenId, what, `${LEFT}${given.text.replace(LEFT, "")}`) : null;
          return { done: true, counts, ...(next ?? { confirm: null, confirmUntil: null }) };
        });
      },
    }),
  ];
}

type Turn = <T>(run: () => Promise<T>) => Promise<T>;

/** One at a time: whoever comes while another is at it is told so. */
function createTurn(what: string): Turn {
  let isTaken = false;
  return async (run) => {
    if (isTaken) {
      throw new Refusal(409, "conflict", `${what} is under way already`, { hint: "Ask again in a moment." });
    }
    isTaken = true;
    try {
      return await run();
    } finally {
      isTaken = false;
    }
  };
}

function readPicture(field: string, text: string | undefined): Uint8Array | null {
  if (text === undefined) return null;
  const bytes = readBase64(field, text);
  const problem = pictureProblem(bytes);
  if (problem === null) return bytes;
  throw invalid(`body.${field}: ${problem}`, "Give a JPEG of at most 8 MiB.");
}
