import { describe, expect, test } from "bun:test";
import type { MessageStatus } from "../../src/message.ts";
import type { Claim, IntakeResult, Settlement } from "../../src/store/store.ts";
import { usePostgres } from "../support/postgres-server.ts";
import { PostgresUnderTest } from "../support/postgres-store.ts";
import { seededRandom } from "../support/random.ts";
import {
  addCameras,
  after,
  claimRequest,
  dead,
  dedupeKey,
  readingEntry,
  retryAt,
  SqliteUnderTest,
  type StoreUnderTest,
  settled,
} from "../support/store-fixture.ts";

const SERIALS = ["A", "B", "C", "D"];
const OPERATIONS = 600;

/** What the store should hold of one message. */
interface Expected {
  plate: string;
  serial: string;
  status: MessageStatus;
  attempts: number;
  nextRetryMs: number | null;
  leaseUntilMs: number | null;
  owner: string | null;
}

/** A queue in memory that does what the store's contract says, in the plainest way. */
class Model {
  /** In the order of queueing. */
  messages: Expected[] = [];
  known = new Map<number, number>();
  tallies = new Map<string, number>();

  count(serial: string, tally: string): void {
    const key = `${serial} ${tally}`;
    this.tallies.set(key, (this.tallies.get(key) ?? 0) + 1);
  }

  enqueue(number: number, key: number, serial: string, nowMs: number): IntakeResult {
    if (!SERIALS.includes(serial)) return "unregistered";
    const result = this.known.has(key) ? "duplicate" : "queued";
    this.count(serial, result);
    if (result === "duplicate") return result;
    this.known.set(key, nowMs);
    this.messages.push({
      plate: `T${number}`,
      serial,
      status: "PENDING",
      attempts: 0,
      nextRetryMs: null,
      leaseUntilMs: null,
      owner: null,
    });
    return result;
  }

  /** Which of a camera's messages comes next. */
  next(serial: string, nowMs: number): Expected | undefined {
    const own = this.messages.filter((message) => message.serial === serial);
    const pending = own.find(({ status }) => status === "PENDING");
    const failed = own
      .filter(({ status, nextRetryMs }) => status === "FAILED" && (nextRetryMs ?? 0) <= nowMs)
      .sort((a, b) => (a.nextRetryMs ?? 0) - (b.nextRetryMs ?? 0) || own.indexOf(a) - own.indexOf(b))
      .at(0);
    if (pending === undefined || failed === undefined) return pending ?? failed;
    return own.indexOf(pending) < own.indexOf(failed) ? pending : failed;
  }

  find(plate: string): Expected {
    const found = this.messages.find((message) => message.plate === plate);
    if (found === undefined) throw new Error(`the model has no such message (${plate})`);
    return found;
  }

  erase(message: Expected, tally: string): void {
    this.messages = this.messages.filter((one) => one !== message);
    this.count(message.serial, tally);
  }

  free(message: Expected, status: MessageStatus): void {
    Object.assign(message, { status, leaseUntilMs: null, owner: null, nextRetryMs: null });
  }
}

const server = usePostgres();
const STORES: [string, () => Promise<StoreUnderTest>][] = [
  ["SQLite", () => SqliteUnderTest.open()],
  ["PostgreSQL", () => PostgresUnderTest.open(server())],
];

describe("the store under random operations", () => {
  test.each(STORES)(
    "%s holds what a queue in memory holds, after each of them, reopened now and then",
    async (_name, open) => {
      const random = seededRandom("random operations");
      await using under = await open();
      await addCameras(under.store, ...SERIALS);
      const model = new Model();
      const claimed: Claim[] = [];
      let nowMs = 0;
      let number = 0;

      const enqueue = async (): Promise<void> => {
        const group = Array.from({ length: 1 + random.below(5) }, () => ({
          number: number++,
          // Some contents come again.
          key: random.below(5) === 0 ? random.below(number) : number,
          serial: random.below(10) === 0 ? "stranger" : (SERIALS[random.below(SERIALS.length)] ?? "A"),
        }));
        const results = await under.store.enqueue(
          group.map((one) => readingEntry(one.number, one.serial, { dedupeKey: dedupeKey(one.key) })),
          after(nowMs),
        );
        expect([...results]).toEqual(group.map((one) => model.enqueue(one.number, one.key, one.serial, nowMs)));
      };

      const claim = async (): Promise<void> => {
        const owner = `owner ${random.below(2)}`;
        const limit = random.below(6);
        const claims = await under.store.claim(claimRequest({ owner, limit }), after(nowMs));
        for (const one of claims) {
          // Which camera has its turn is the store's affair; which message of it is not.
          const expected = model.next(one.camera.serial, after(nowMs).getTime());
          expect(one.facts.plate).toBe(expected?.plate as string);
          expect(one.attempts).toBe(expected?.attempts as number);
          Object.assign(expected as Expected, {
            status: "SENDING",
            owner,
            leaseUntilMs: one.leaseUntil.getTime(),
            nextRetryMs: null,
          });
          claimed.push(one);
        }
        const isMore = SERIALS.some((serial) => model.next(serial, after(nowMs).getTime()) !== undefined);
        if (isMore) expect(claims.length).toBe(limit);
      };

      const settle = async (): Promise<void> => {
        const some = claimed.filter(() => random.below(3) === 0);
        const settlements = some.map((): Settlement => {
          const spent = random.below(2) === 0;
          const kinds: Settlement[] = [
            { kind: "delivered" },
            retryAt(after(nowMs + random.below(20_000)), spent),
            { ...dead(`reason ${random.below(3)}`), spent } as Settlement,
            { kind: "release" },
          ];
          return kinds[random.below(kinds.length)] as Settlement;
        });
        const results = await under.store.settle(
          some.map((one, i) => settled(one, settlements[i] as Settlement)),
          after(nowMs),
        );
        expect([...results]).toEqual(some.map((one, i) => applySettlement(model, one, settlements[i] as Settlement)));
      };

      const operations: (() => Promise<void>)[] = [
        enqueue,
        enqueue,
        enqueue,
        claim,
        claim,
        claim,
        settle,
        settle,
        async () => {
          const expired = model.messages.filter(
            (one) => (one.leaseUntilMs ?? Number.POSITIVE_INFINITY) <= after(nowMs).getTime(),
          );
          expect(await under.store.releaseExpired(after(nowMs))).toBe(expired.length);
          for (const one of expired) {
            model.free(one, "FAILED");
            one.nextRetryMs = after(nowMs).getTime();
          }
        },
        async () => {
          const owner = `owner ${random.below(2)}`;
          if (random.below(4) > 0) return;
          const own = model.messages.filter((one) => one.owner === owner);
          expect(await under.store.releaseOwner(owner, after(nowMs))).toBe(own.length);
          for (const one of own) model.free(one, "PENDING");
        },
        async () => {
          const owner = `owner ${random.below(2)}`;
          if (random.below(4) > 0) return;
          const own = model.messages.filter((one) => one.owner === owner);
          const kept = own.filter(() => random.below(2) === 0);
          const ids = claimed
            .filter((one) => kept.some(({ plate }) => plate === one.facts.plate))
            .map((one) => one.messageId);
          nowMs += 1;
          expect(await under.store.takeBack(owner, new Set(ids), after(nowMs))).toBe(own.length - kept.length);
          for (const one of own) if (!kept.includes(one)) model.free(one, "PENDING");
        },
        async () => {
          if (random.below(4) > 0) return;
          const serial = SERIALS[random.below(SERIALS.length)] ?? "A";
          const meant = model.messages.filter(
            (one) => one.serial === serial && ["FAILED", "DEAD"].includes(one.status),
          );
          expect(await under.store.retryMessages({ cameraSerial: serial }, after(nowMs))).toBe(meant.length);
          for (const one of meant) {
            model.free(one, "PENDING");
            one.attempts = 0;
          }
        },
        async () => {
          const meant = model.messages.filter((one) => one.status === "DEAD" && one.serial === "A");
          const filter = { statuses: ["DEAD" as const], cameraSerial: "A" };
          expect((await under.store.discardMessages(filter)).messages).toBe(meant.length);
          for (const one of meant) model.erase(one, "discarded");
        },
        async () => {
          if (random.below(10) > 0) return;
          const old = model.messages.filter((one) => one.status === "DEAD");
          expect((await under.store.purgeDead(after(nowMs + 1), 10_000)).messages).toBe(old.length);
          for (const one of old) model.erase(one, "expired");
        },
        async () => {
          const before = nowMs - 20_000;
          const old = [...model.known].filter(([, seenMs]) => seenMs < before);
          expect(await under.store.purgeDedupe(after(before), 10_000)).toBe(old.length);
          for (const [key] of old) model.known.delete(key);
        },
        () => under.store.scrub(),
        async () => {
          if (random.below(5) === 0) await under.reopen();
        },
      ];

      for (let i = 0; i < OPERATIONS; i++) {
        nowMs += random.below(2000);
        await operations[random.below(operations.length)]?.();
        await compare(under, model);
      }
      expect([...model.tallies.keys()].filter((key) => key.endsWith("delivered")).length).toBeGreaterThan(0);
    },
    60_000,
  );
});

function applySettlement(model: Model, claim: Claim, settlement: Settlement): boolean {
  const message = model.messages.find(({ plate }) => plate === claim.facts.plate);
  if (message?.owner !== claim.owner || message.leaseUntilMs !== claim.leaseUntil.getTime()) return false;
  switch (settlement.kind) {
    case "delivered":
      model.erase(message, "delivered");
      break;
    case "retry":
      model.free(message, "FAILED");
      message.nextRetryMs = settlement.at.getTime();
      message.attempts += settlement.spent ? 1 : 0;
      break;
    case "dead":
      model.free(message, "DEAD");
      message.attempts += settlement.spent ? 1 : 0;
      model.count(message.serial, "dead");
      break;
    case "release":
      model.free(message, "PENDING");
  }
  return true;
}

async function compare({ store }: StoreUnderTest, model: Model): Promise<void> {
  const listed = await store.listMessages({}, 100_000);
  expect(
    listed.map((one) => ({
      plate: one.plate,
      serial: one.cameraSerial,
      status: one.status,
      attempts: one.attempts,
      nextRetryMs: one.nextRetryAt?.getTime() ?? null,
      leaseUntilMs: one.leaseUntil?.getTime() ?? null,
      owner: one.leaseOwner,
    })),
  ).toEqual(model.messages);

  const tallies = await store.tallies();
  expect(
    Object.fromEntries(tallies.map(({ cameraSerial, tally, count }) => [`${cameraSerial} ${tally}`, count])),
  ).toEqual(Object.fromEntries(model.tallies));
  const total = (tally: string): number => tallies.reduce((sum, one) => sum + (one.tally === tally ? one.count : 0), 0);
  const { byStatus, readings } = await store.summarize();
  expect(total("queued")).toBe(total("delivered") + total("expired") + total("discarded") + readings);
  const dead = model.messages.filter(({ status }) => status === "DEAD").length;
  expect(await store.balance()).toEqual({
    received: total("queued"),
    delivered: total("delivered"),
    expired: total("expired"),
    discarded: total("discarded"),
    waiting: model.messages.length - dead,
    dead,
    difference: 0,
  });
  for (const status of ["PENDING", "SENDING", "FAILED", "DEAD"] as const) {
    expect(byStatus[status]).toBe(model.messages.filter((one) => one.status === status).length);
  }
  const due = model.messages.map(({ nextRetryMs }) => nextRetryMs).filter((at) => at !== null);
  expect((await store.nextDueAt(new Date(0)))?.getTime() ?? null).toBe(due.length === 0 ? null : Math.min(...due));

  const rows = (await store.countRows()).find(({ table }) => table === "alpr_readings");
  expect(rows?.rows).toBe(model.messages.length);
}
