import { Type } from "typebox";
import { maskPlate } from "../format.ts";
import { eraseMany } from "../images/image-store.ts";
import type { Quarantined } from "../store/store.ts";
import type { Auditor } from "./audit.ts";
import type { ApiDeps } from "./deps.ts";
import { describe } from "./message-routes.ts";
import { After, Changed, HeldDetail, HeldList, HeldResults, HeldSelection } from "./message-schemas.ts";
import { invalid, mustFind } from "./refusal.ts";
import { defineRoute, LONG_SECONDS, type Route } from "./route.ts";
import { exactly, Id } from "./schemas.ts";

const USUAL_LIMIT = 50;
/** One request takes in or drops at most so many; the answer says how many, so that the caller may ask again. */
const MOST_AT_ONCE = 2000;

/** Messages that could not be queued: of cameras that nobody registered, and malformed ones. */
export function quarantineRoutes(deps: ApiDeps, auditor: Auditor): readonly Route[] {
  const { store, quarantine } = deps;

  const find = async (id: number) => mustFind(await store.findQuarantined(id), `held message ${id}`);

  async function select(body: {
    ids?: number[];
    kind?: "unregistered" | "malformed";
    camera?: string;
    all?: boolean;
  }): Promise<readonly Quarantined[]> {
    const { ids, kind, camera, all } = body;
    const filter = {
      ...(kind === undefined ? {} : { kind }),
      ...(camera === undefined ? {} : { cameraSerial: camera }),
    };
    const ways = [ids !== undefined, Object.keys(filter).length > 0, all === true].filter(Boolean).length;
    if (ways !== 1) throw invalid("which held messages?", "Give ids, or kind and camera, or all: true.");
    return ids === undefined ? store.listQuarantine(filter, MOST_AT_ONCE) : Promise.all(ids.map(find));
  }

  return [
    defineRoute({
      method: "GET",
      path: "/api/v1/quarantine",
      tag: "quarantine",
      summary: "held messages, the oldest first",
      access: "viewer",
      query: exactly({
        kind: Type.Optional(Type.Enum(["unregistered", "malformed"])),
        camera: Type.Optional(Type.String({ minLength: 1, maxLength: 64, description: "a serial" })),
        limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
        after: After,
      }),
      answer: HeldList,
      handle: async ({ query: { kind, camera, limit = USUAL_LIMIT, after } }) => {
        const found = await store.listQuarantine(
          { ...(kind === undefined ? {} : { kind }), ...(camera === undefined ? {} : { cameraSerial: camera }) },
          limit + 1,
          after,
        );
        const held = found.slice(0, limit);
        const more = found.length > limit;
        return { held, more, next: more ? (held.at(-1)?.id ?? null) : null };
      },
    }),
    defineRoute({
      method: "GET",
      path: "/api/v1/quarantine/{id}",
      tag: "quarantine",
      summary: "one held message and what can be understood of it",
      access: "operator",
      params: exactly({ id: Id }),
      query: exactly({ plates: Type.Optional(Type.Boolean()) }),
      answer: HeldDetail,
      handle: async ({ params, query, caller }) => {
        const held = await find(params.id);
        const bytes = held.path === null ? null : await quarantine.read(held.path);
        const parsed = bytes === null ? null : deps.held.understand(held, bytes);
        const nothing = { plate: null, ocrBytes: 0, ctxBytes: 0 };
        if (parsed === null) return { held, understood: "gone" as const, problem: null, ...nothing };
        if (parsed.kind === "malformed") {
          return { held, understood: "no" as const, problem: parsed.reason, ...nothing };
        }
        const { facts, ocrImage, ctxImage } = parsed.reading;
        if (query.plates) await auditor.note(caller, { what: "plates show", detail: `held message ${held.id}` });
        return {
          held,
          understood: "yes" as const,
          problem: null,
          plate: query.plates ? facts.plate : maskPlate(facts.plate),
          ocrBytes: ocrImage?.byteLength ?? 0,
          ctxBytes: ctxImage?.byteLength ?? 0,
        };
      },
    }),
    defineRoute({
      method: "POST",
      path: "/api/v1/quarantine/retry",
      tag: "quarantine",
      summary: `take held messages in again, at most ${MOST_AT_ONCE} at once`,
      access: "operator",
      body: HeldSelection,
      answer: HeldResults,
      handle: async ({ body, caller, wait }) => {
        wait(LONG_SECONDS);
        const held = await select(body);
        const deed = { what: "quarantine retry" as const, detail: `${describe(body)}: ${held.length}` };
        return auditor.around(caller, deed, async () => {
          const counts: Record<string, number> = {};
          for (const one of held) {
            const result = (await deps.held.retry(one)) ?? "gone";
            counts[result] = (counts[result] ?? 0) + 1;
          }
          return counts;
        });
      },
    }),
    defineRoute({
      method: "POST",
      path: "/api/v1/quarantine/drop",
      tag: "quarantine",
      summary: `erase held messages, at most ${MOST_AT_ONCE} at once`,
      access: "operator",
      body: HeldSelection,
      answer: Changed,
      handle: async ({ body, caller, wait }) => {
        wait(LONG_SECONDS);
        const held = await select(body);
        const deed = { what: "quarantine drop" as const, detail: `${describe(body)}: ${held.length}` };
        const ids = held.map(({ id }) => id);
        // Rows first: a row without its file could not be shown; a file without its row is swept.
        await eraseMany(quarantine, await auditor.around(caller, deed, () => store.dropQuarantined(ids)));
        return { messages: held.length };
      },
    }),
  ];
}
