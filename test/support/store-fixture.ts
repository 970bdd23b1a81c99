import { Database } from "bun:sqlite";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Clock, systemClock } from "../../src/clock.ts";
import { NO_FACTS } from "../../src/reading.ts";
import { endpointDefaults, type NewCamera, type NewCertificate, type NewEndpoint } from "../../src/store/registry.ts";
import { openSqlite } from "../../src/store/sqlite.ts";
import type {
  Claim,
  ClaimRequest,
  IntakeEntry,
  NewReading,
  Settled,
  Settlement,
  Store,
} from "../../src/store/store.ts";

/** The instant at which every test begins. */
export const START = new Date("2026-05-04T10:00:00.000Z");

/** Long enough for a busy machine, short enough for a test that waits it out. */
const BUSY_TIMEOUT_MS = 1000;

export function after(ms: number): Date {
  return new Date(START.getTime() + ms);
}

/** A store that a test may use and must dispose of. `reopen` closes it and opens the same data again. */
export interface StoreUnderTest extends AsyncDisposable {
  store: Store;
  /** How often the store waited for an answer from elsewhere so far; 0 for one in this process. Needs `counted`. */
  trips(): number;
  reopen(): Promise<void>;
  /** From now on the database refuses to delete from this table, as a disk that fails in the middle of a change would. */
  refuseRemovalFrom(table: "endpoints" | "certificates"): Promise<void>;
}

export type OpenStore = (clock?: Clock, options?: { counted?: boolean }) => Promise<StoreUnderTest>;

/** A clock that stands at `START` until a test sets it. */
export function standingClock(): Clock & { set(now: Date): void } {
  let current = START;
  return {
    now: () => current,
    monotonicMs: () => systemClock.monotonicMs(),
    sleep: (ms, signal) => systemClock.sleep(Math.min(ms, 1), signal),
    set: (now) => {
      current = now;
    },
  };
}

export class SqliteUnderTest implements StoreUnderTest {
  readonly path: string;
  store: Store;
  readonly #folder: string;
  readonly #clock: Clock;

  private constructor(folder: string, path: string, store: Store, clock: Clock) {
    this.#folder = folder;
    this.path = path;
    this.store = store;
    this.#clock = clock;
  }

  static async open(this: void, clock: Clock = standingClock()): Promise<SqliteUnderTest> {
    const folder = mkdtempSync(join(tmpdir(), "tattile-store-"));
    const path = join(folder, "data", "tattile.db");
    return new SqliteUnderTest(folder, path, await openSqlite({ path, clock, busyTimeoutMs: BUSY_TIMEOUT_MS }), clock);
  }

  trips(): number {
    return 0;
  }

  async reopen(): Promise<void> {
    await this.store.close();
    await this.openAgain();
  }

  async refuseRemovalFrom(table: string): Promise<void> {
    using database = new Database(this.path);
    database.run(`CREATE TRIGGER refuse BEFORE DELETE ON ${table} BEGIN SELECT RAISE(ABORT, 'refused'); END`);
  }

  /** After the store was closed by the test itself. */
  async openAgain(): Promise<void> {
    this.store = await openSqlite({ path: this.path, clock: this.#clock, busyTimeoutMs: BUSY_TIMEOUT_MS });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.store.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Sixteen bytes that differ for every number. */
export function dedupeKey(number: number): Uint8Array {
  const key = new Uint8Array(16);
  new DataView(key.buffer).setUint32(0, Math.imul(number, 0x9e3779b1) >>> 0);
  new DataView(key.buffer).setUint32(12, number);
  return key;
}

export function newReading(number: number, cameraSerial: string, change: Partial<NewReading> = {}): NewReading {
  return {
    dedupeKey: dedupeKey(number),
    protocol: "tattile-xml",
    cameraSerial,
    facts: { ...NO_FACTS, plate: `T${number}` },
    capturedAt: after(number),
    timeSource: "camera",
    receivedAt: after(number),
    extra: {},
    rawText: `<root><PLATE_STRING>T${number}</PLATE_STRING></root>`,
    imageOcrPath: `${cameraSerial}/2026/05/04/${number}_ocr.jpg`,
    imageCtxPath: `${cameraSerial}/2026/05/04/${number}_ctx.jpg`,
    ...change,
  };
}

export function readingEntry(number: number, cameraSerial: string, change: Partial<NewReading> = {}): IntakeEntry {
  return { kind: "reading", reading: newReading(number, cameraSerial, change) };
}

export function newEndpoint(name: string, change: Partial<NewEndpoint> = {}): NewEndpoint {
  return {
    name,
    url: `https://${name.toLowerCase()}.example/matr-ws`,
    ...endpointDefaults({ mossos: { timeoutMs: 5000 }, sender: { retryMax: 3, backoffMs: 1000 } }),
    ...change,
  };
}

export function newCertificate(name: string, change: Partial<NewCertificate> = {}): NewCertificate {
  return {
    name,
    alias: null,
    municipalityId: null,
    clientCertPath: `/certs/${name}/client.pem`,
    keyPath: `/certs/${name}/key.pem`,
    privpubPath: null,
    subject: `CN=${name}`,
    serialNumber: "01",
    fingerprint: "AA:BB",
    validFrom: after(-1000),
    validTo: after(1_000_000),
    active: true,
    ...change,
  };
}

export function newCamera(serial: string, municipalityId: number, change: Partial<NewCamera> = {}): NewCamera {
  return {
    serial,
    readerCode: `R-${serial}`,
    description: null,
    municipalityId,
    endpointId: null,
    coordX: "430000.10",
    coordY: "4580000.00",
    timezone: null,
    active: true,
    ...change,
  };
}

export async function addEndpoint(store: Store, name: string, change: Partial<NewEndpoint> = {}): Promise<number> {
  await store.saveEndpoint(newEndpoint(name, change));
  return idOf(await store.findEndpoint(name));
}

export async function addMunicipality(store: Store, name: string, endpointId: number | null = null): Promise<number> {
  await store.saveMunicipality({ name, code: null, endpointId, certificateId: null, active: true });
  return idOf(await store.findMunicipality(name));
}

export async function addCamera(
  store: Store,
  serial: string,
  municipalityId: number,
  change: Partial<NewCamera> = {},
): Promise<number> {
  await store.saveCamera(newCamera(serial, municipalityId, change));
  return idOf(await store.findCamera(serial));
}

/** One municipality with an endpoint and these cameras: enough for most tests. */
export async function addCameras(
  store: Store,
  ...serials: string[]
): Promise<{ endpoint: number; municipality: number }> {
  const endpoint = await addEndpoint(store, "Police");
  const municipality = await addMunicipality(store, "Girona", endpoint);
  for (const serial of serials) await addCamera(store, serial, municipality);
  return { endpoint, municipality };
}

function idOf(record: { id: number } | null): number {
  if (record === null) throw new Error("what was saved just now is not there");
  return record.id;
}

export function claimRequest(change: Partial<ClaimRequest> = {}): ClaimRequest {
  return {
    owner: "machine/boot/1/1",
    leaseMs: 60_000,
    defaultTimeoutMs: 10_000,
    limit: 100,
    slots: new Map(),
    slotsPerEndpoint: 100,
    probedEndpoints: new Set(),
    routeSlots: new Map(),
    ...change,
  };
}

export function settled(claim: Claim, settlement: Settlement, attempt: Settled["attempt"] = null): Settled {
  return { claim, settlement, attempt };
}

export const DELIVERED: Settlement = { kind: "delivered" };

export function dead(reason: string): Settlement {
  return { kind: "dead", reason, detail: `because of ${reason}`, spent: false };
}

export function retryAt(at: Date, spent = false): Settlement {
  return { kind: "retry", at, spent, error: "no answer" };
}

/** Claims everything and settles all of it alike. */
export async function settleAll(store: Store, settlement: Settlement, now: Date = after(100_000)): Promise<number> {
  const claims = await store.claim(claimRequest(), now);
  await store.settle(
    claims.map((claim) => settled(claim, settlement)),
    now,
  );
  return claims.length;
}

/** The lasting counts of one serial, those of zero left out. */
export async function talliesOf(store: Store, serial: string): Promise<Record<string, number>> {
  const own = (await store.tallies()).filter(({ cameraSerial }) => cameraSerial === serial);
  return Object.fromEntries(own.map(({ tally, count }) => [tally, count]));
}
