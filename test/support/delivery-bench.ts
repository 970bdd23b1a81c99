import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Config } from "../../src/config.ts";
import { AppError } from "../../src/errors.ts";
import { createIdentityStore } from "../../src/identity-store.ts";
import { openDiskStore } from "../../src/images/disk.ts";
import type { ImageStore } from "../../src/images/image-store.ts";
import { silentLog } from "../../src/log.ts";
import { NO_FACTS } from "../../src/reading.ts";
import { createSender, type Sender } from "../../src/sender.ts";
import type { PostResult, PostTarget, SoapClient } from "../../src/soap/client.ts";
import { builtinContract } from "../../src/soap/wsdl.ts";
import { endpointDefaults } from "../../src/store/registry.ts";
import { openSqlite } from "../../src/store/sqlite.ts";
import type { NewReading, Store } from "../../src/store/store.ts";
import { createFakeClock, type FakeClock } from "./fake-clock.ts";

const ocr = readFileSync(new URL("../fixtures/samples/car-a-ocr.jpg", import.meta.url));

export interface Posted {
  plate: string;
  url: string;
  at: Date;
}

/** The sender with a real store, real pictures and keys, a clock that the test moves, and police that it plays. */
export interface DeliveryBench extends AsyncDisposable {
  folder: string;
  store: Store;
  images: ImageStore;
  clock: FakeClock;
  sender: Sender;
  posted: Posted[];
  /** What the police make of a message from now on. */
  answer: (post: Posted) => Promise<PostResult["outcome"]> | PostResult["outcome"];
  /** While true, the store carries claims out, but nobody is told. */
  losesClaims: boolean;
  /** Until then no outcome becomes durable. */
  disk: Promise<void>;
  /** Queues a reading whose plate picture is on disk. @returns its plate */
  queue(plate: string, serial?: string, change?: Partial<NewReading>): Promise<string>;
  addMunicipality(
    name: string,
    options: { endpoint: string | null; certificate: boolean; serials: readonly string[] },
  ): Promise<void>;
  /** Under which name the sender leases. */
  owner(): string;
  /** A new sender on the same store, as after a restart; the earlier one is stopped. */
  restart(): Promise<void>;
}

export const SENDER: Config["sender"] = {
  enabled: true,
  pollIntervalMs: 1000,
  maxBatchSize: 100,
  concurrency: 4,
  retryMax: 3,
  backoffMs: 1000,
  stuckTimeoutMs: 60_000,
  deadRetentionMs: 3 * 86_400_000,
  pauseMaxMs: 30_000,
};

export const MOSSOS: Config["mossos"] = {
  endpointUrl: null,
  wsdl: null,
  timeoutMs: 10_000,
  timezone: "Europe/Madrid",
  successCodes: ["1"],
};

/** @param mossos what is different from MOSSOS; the municipality Vila with camera CAM1, endpoint `police` and a certificate is there */
export async function openDeliveryBench(mossos: Partial<Config["mossos"]> = {}): Promise<DeliveryBench> {
  const folder = mkdtempSync(join(tmpdir(), "tattile-delivery-"));
  const clock = createFakeClock();
  const store = await openSqlite({ path: join(folder, "tattile.db"), clock });
  const images = openDiskStore(join(folder, "images"));
  const { certPath, keyPath } = makeIdentity(folder);
  const plates = new Map<string, string>();
  const posted: Posted[] = [];
  let number = 0;
  let answering = 0;

  const client: SoapClient = {
    async post(target: PostTarget, envelope, { signal }): Promise<PostResult> {
      const text = Buffer.concat(envelope.parts).toString("latin1");
      const plate = /matricula>([^<]+)</.exec(text)?.[1] ?? "?";
      const post = { plate, url: target.url, at: clock.now() };
      posted.push(post);
      const startedAt = clock.monotonicMs();
      answering += 1;
      const aborted = new Promise<PostResult["outcome"]>((resolve) =>
        signal?.addEventListener("abort", () => resolve({ kind: "unanswered", detail: "aborted" })),
      );
      const outcome = await Promise.race([bench.answer(post), aborted]);
      answering -= 1;
      return { outcome, dateHeader: null, durationMs: clock.monotonicMs() - startedAt };
    },
    async close() {},
  };

  let owner = "";
  const start = async (): Promise<Sender> => {
    owner = `test/${number++}`;
    const sender = createSender({
      store: {
        ...store,
        claim: async (request, now) => {
          const claims = await store.claim(request, now);
          if (bench.losesClaims) throw new AppError("store-unreachable", "claiming messages: the answer was lost");
          return claims;
        },
        settle: async (settled, now) => {
          await bench.disk;
          return await store.settle(settled, now);
        },
      },
      images,
      identities: createIdentityStore(),
      contracts: { contractFor: () => builtinContract, settled: async () => {}, close: async () => {} },
      client,
      sender: SENDER,
      mossos: { ...MOSSOS, ...mossos },
      owner,
      clock,
      log: silentLog,
      random: () => 0.5,
      randomId: () => crypto.randomUUID(),
      soapDebug: false,
    });
    await sender.start();
    return sender;
  };

  const bench: DeliveryBench = {
    folder,
    store,
    images,
    clock,
    posted,
    sender: undefined as unknown as Sender,
    losesClaims: false,
    disk: Promise.resolve(),
    answer: () => ({ kind: "accepted", returnCode: "1" }),
    async queue(plate, serial = "CAM1", change = {}) {
      const id = number++;
      const imageOcrPath = `${serial}/${id}_ocr.jpg`;
      await images.put(imageOcrPath, ocr);
      plates.set(plate, imageOcrPath);
      const dedupeKey = new Uint8Array(16);
      new DataView(dedupeKey.buffer).setUint32(0, id + 1);
      const [result] = await store.enqueue(
        [
          {
            kind: "reading",
            reading: {
              dedupeKey,
              protocol: "tattile-xml",
              cameraSerial: serial,
              facts: { ...NO_FACTS, plate },
              capturedAt: clock.now(),
              timeSource: "camera",
              receivedAt: clock.now(),
              extra: {},
              rawText: "",
              imageOcrPath,
              imageCtxPath: null,
              ...change,
            },
          },
        ],
        clock.now(),
      );
      if (result !== "queued") throw new Error(`the reading was not queued: ${result}`);
      bench.sender?.nudge();
      return plate;
    },
    async addMunicipality(name, { endpoint, certificate, serials }) {
      if (endpoint !== null) {
        await store.saveEndpoint({
          name: endpoint,
          url: `https://${endpoint}.example/matr-ws`,
          ...endpointDefaults({ mossos: MOSSOS, sender: SENDER }),
        });
      }
      const endpointId = endpoint === null ? null : ((await store.findEndpoint(endpoint))?.id ?? null);
      await store.saveMunicipality({ name, code: null, endpointId, certificateId: null, active: true });
      const municipality = await store.findMunicipality(name);
      if (municipality === null) throw new Error("the municipality is not there");
      if (certificate) {
        await store.addCertificate({
          name,
          alias: null,
          municipalityId: municipality.id,
          clientCertPath: certPath,
          keyPath,
          privpubPath: null,
          subject: null,
          serialNumber: null,
          fingerprint: null,
          validFrom: null,
          validTo: null,
          active: true,
        });
      }
      for (const serial of serials) {
        await store.saveCamera({
          serial,
          readerCode: `R-${serial}`,
          description: null,
          municipalityId: municipality.id,
          endpointId: null,
          coordX: null,
          coordY: null,
          timezone: null,
          active: true,
        });
      }
    },
    owner: () => owner,
    async restart() {
      await bench.sender.stop(0);
      bench.sender = await start();
    },
    async [Symbol.asyncDispose]() {
      await bench.sender.stop(0);
      await store.close();
      images.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await bench.addMunicipality("Vila", { endpoint: "police", certificate: true, serials: ["CAM1"] });
  bench.sender = await start();
  // What is neither waiting for its answer nor done is being read, signed or settled, in real time.
  clock.busy = () => bench.sender.inFlight() > answering;
  return bench;
}

function makeIdentity(folder: string): { certPath: string; keyPath: string } {
  const certPath = join(folder, "client.pem");
  const keyPath = join(folder, "key.pem");
  const made = Bun.spawnSync(
    [
      "openssl",
      "req",
      "-x509",
      "-newkey",
      "rsa:2048",
      "-nodes",
      "-subj",
      "/CN=Test",
      "-days",
      "30",
      "-keyout",
      keyPath,
      "-out",
      certPath,
    ],
    { stderr: "ignore" },
  );
  if (made.exitCode !== 0) throw new Error("openssl could not make a certificate");
  return { certPath, keyPath };
}
