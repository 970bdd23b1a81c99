import { expect, test } from "bun:test";
import type { NewQuarantined } from "../../src/store/store.ts";
import { type ApiUnderTest, openApi } from "../support/api-fixture.ts";
import { addCameras, after, claimRequest, dead, readingEntry, START, settled } from "../support/store-fixture.ts";

const MANY = 1100;

/** More than a thousand of everything that is listed. */
function openFull(): Promise<ApiUnderTest> {
  return openApi(
    {},
    {
      prepare: async (store) => {
        await addCameras(store, "A", "B");
        const readings = Array.from({ length: MANY }, (_, n) => readingEntry(n + 1, n % 5 === 0 ? "B" : "A"));
        await store.enqueue(readings, START);
        const all = { limit: MANY, slotsPerEndpoint: MANY };
        const claims = await store.claim(claimRequest(all), after(100_000));
        const judged = claims.map((claim) => settled(claim, claim.messageId % 2 ? dead("codiRetorn=5") : release));
        await store.settle(judged, after(100_000));
        const held = Array.from({ length: MANY }, (_, n) => ({ kind: "quarantine", quarantined: heldOf(n) }) as const);
        await store.enqueue(held, START);
        for (let n = 0; n < MANY; n += 1) {
          await store.recordAudit({ who: "anna (cli)", what: "queue retry", messageId: n, detail: `${n}` }, new Date());
        }
      },
    },
  );
}

const release = { kind: "release" } as const;

function heldOf(n: number): NewQuarantined {
  const whence = { protocol: "tattile-xml", peer: "192.0.2.1", receivedAt: after(n) } as const;
  return { kind: "malformed", reason: "why", cameraSerial: null, ...whence, sizeBytes: 1, path: null };
}

/** All of a list, page by page. */
async function walk(api: ApiUnderTest, path: string, field: string, idField: string): Promise<number[]> {
  const ids: number[] = [];
  for (let after: number | null = 0; after !== null; ) {
    const behind: string = after === 0 ? "" : `&after=${after}`;
    const { status, json } = await api.call("GET", `/api/v1/${path}${behind}`, { as: "admin" });
    expect([path, status]).toEqual([path, 200]);
    ids.push(...json[field].map((item: Record<string, number>) => item[idField]));
    expect(json.more).toBe(json.next !== null);
    after = json.next;
  }
  return ids;
}

test("every list goes on where its page ended, whatever is asked for", async () => {
  await using api = await openFull();
  const upwards = Array.from({ length: MANY }, (_, n) => n + 1);
  expect(await walk(api, "messages?limit=300", "messages", "messageId")).toEqual(upwards);
  expect(await walk(api, "messages?limit=1000&order=newest", "messages", "messageId")).toEqual(upwards.toReversed());
  const odd = upwards.filter((id) => id % 2 === 1);
  expect(await walk(api, "messages?limit=99&state=DEAD", "messages", "messageId")).toEqual(odd);
  expect(await walk(api, "messages?limit=99&state=DEAD&camera=B", "messages", "messageId")).toEqual(
    odd.filter((id) => id % 5 === 1),
  );
  expect(await walk(api, "readings?limit=400", "readings", "id")).toEqual(upwards.toReversed());
  expect(await walk(api, "quarantine?limit=300&kind=malformed", "held", "id")).toEqual(upwards);
  expect(await walk(api, "audit?limit=300", "entries", "id")).toEqual(upwards.toReversed());
}, 60_000);

test("a page that begins nowhere is refused, and one behind the end is empty", async () => {
  await using api = await openApi();
  const wrong = await api.call("GET", "/api/v1/messages?after=x", { as: "viewer" });
  expect(wrong).toMatchObject({ status: 400, json: { error: expect.stringContaining("query.after") } });
  expect((await api.call("GET", "/api/v1/messages?after=7", { as: "viewer" })).json).toEqual({
    messages: [],
    more: false,
    next: null,
  });
});

test("readings are listed as they were seen: no plate for a viewer, a masked one for an operator, a whole one is noted", async () => {
  await using api = await openFull();
  const ask = async (query: string, as: "viewer" | "operator") =>
    api.call("GET", `/api/v1/readings?limit=1&camera=B${query}`, { as });
  const [reading] = (await ask("", "viewer")).json.readings;
  expect(reading).toEqual({
    ...{ id: 1096, camera: "B", municipality: "Girona", plate: null, state: "PENDING", timeSource: "camera" },
    ...{ country: null, direction: null, lane: null, score: null, images: { ocr: true, ctx: true } },
    ...{ capturedAt: after(1096).toISOString(), capturedWallClock: null, receivedAt: after(1096).toISOString() },
  });
  expect((await ask("", "operator")).json.readings[0].plate).toBe("•••");
  expect((await ask("&plates=true", "viewer")).status).toBe(403);
  expect((await ask("&plates=true", "operator")).json.readings[0].plate).toBe("T1096");
  expect((await api.store.listAudit({ limit: 1 }))[0]).toMatchObject({
    who: "token operator (api)",
    what: "plates show",
    messageId: 1096,
    detail: "readings 1096: camera B",
  });
});
