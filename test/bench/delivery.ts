import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { openDiskStore } from "../../src/images/disk.ts";
import { buildTattileXml } from "../../src/simulator/camera-message.ts";
import { createPictures } from "../../src/simulator/picture.ts";
import type { Pki } from "../../src/simulator/pki.ts";
import { loadIdentity, signEnvelope } from "../../src/soap/sign.ts";
import { builtinContract } from "../../src/soap/wsdl.ts";
import type { Store } from "../../src/store/store.ts";
import { connectCamera } from "../support/camera-socket.ts";
import { readingEntry } from "../support/store-fixture.ts";
import { FIELDS } from "./fields.ts";
import { CTX_BYTES, OCR_BYTES, openGateway, serialsOf, startCameras, until, WARM_UP } from "./gateway.ts";
import { ACCEPTED } from "./sink.ts";

const AT_ONCE = 8;

/** Messages signed a second in one process, and what `openssl speed` makes of RSA-2048 alone on one core. */
export async function measureSigning(pki: Pki): Promise<{ perSecond: number; openssl: number }> {
  const client = await pki.issueClient({ organization: "Bench" });
  const identity = loadIdentity(client.certPem, client.keyPem);
  const [ocrImage, ctxImage] = [Buffer.alloc(OCR_BYTES, 7), Buffer.alloc(CTX_BYTES, 7)];
  let signed = 0;
  const startedAt = performance.now();
  const work = async (): Promise<void> => {
    while (performance.now() - startedAt < 3000) {
      await signEnvelope({
        contract: builtinContract,
        fields: FIELDS,
        ocrImage,
        ctxImage,
        identity,
        profile: "compat",
        createdAt: new Date(),
        randomId: () => crypto.randomUUID(),
      });
      signed += 1;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  const perSecond = signed / ((performance.now() - startedAt) / 1000);
  const said = Bun.spawnSync(["openssl", "speed", "-seconds", "2", "rsa2048"]).stdout.toString();
  return { perSecond, openssl: Number(/rsa 2048 bits\s+\S+\s+\S+\s+([\d.]+)/.exec(said)?.[1]) };
}

async function openSink(root: string, pki: Pki) {
  const file = (name: string, text: string): string => {
    const path = join(root, name);
    writeFileSync(path, text);
    return path;
  };
  const words = [file("sink-key.pem", pki.server.keyPem), file("sink-cert.pem", pki.server.certPem)];
  const caPath = file("sink-ca.pem", pki.caPem);
  const child = Bun.spawn([process.execPath, new URL("sink.ts", import.meta.url).pathname, ...words]);
  const reader = child.stdout.getReader();
  const port = Number(new TextDecoder().decode((await reader.read()).value).trim());
  const url = `https://localhost:${port}/matr-ws`;
  return {
    url,
    caPath,
    received: async (): Promise<number> => Number(await (await fetch(url, { tls: { ca: pki.caPem } })).text()),
    async close() {
      child.kill();
      await child.exited;
    },
  };
}

/** A full queue delivered over HTTPS, and the same pictures posted, unsigned and signed: messages a second, after a warm-up each. */
export async function measureDelivery(root: string, pki: Pki, count: number) {
  await using stack = new AsyncDisposableStack();
  const total = WARM_UP + count;
  const sink = await openSink(root, pki);
  stack.defer(() => sink.close());
  const plain = join(root, "unsigned");
  if (!existsSync(plain)) {
    mkdirSync(plain);
    await fillImages(plain, total);
  }
  const gateway = await openGateway({
    root,
    task: "sender",
    cameras: AT_ONCE,
    endpoint: { url: sink.url, caPath: sink.caPath },
    pki,
    prepare: async (store, data) => {
      await fillImages(join(data, "images"), total);
      await fillQueue(store, total);
    },
  });
  stack.defer(() => gateway.close());
  await until(async () => (await sink.received()) >= WARM_UP, 60);
  const [startedAt, already, cpuBefore] = [performance.now(), await sink.received(), gateway.cpuMs()];
  await until(async () => (await sink.received()) >= total, 120);
  const perSecond = (total - already) / ((performance.now() - startedAt) / 1000);
  const cpuMs = (gateway.cpuMs() - cpuBefore) / (total - already);
  const program = [process.execPath, new URL("posting.ts", import.meta.url).pathname];
  const words = [sink.url, sink.caPath, plain, String(AT_ONCE), String(WARM_UP)];
  const identity = ["cert.pem", "key.pem"].map((name) => join(gateway.folder, name));
  const [unsigned = Number.NaN, signed = Number.NaN] = [words, [...words, ...identity]].map((given) =>
    Number(Bun.spawnSync([...program, ...given]).stdout.toString()),
  );
  return { perSecond, cpuMs, unsigned, signed };
}

function pathsOf(number: number): [ocr: string, ctx: string] {
  const serial = serialsOf(AT_ONCE)[number % AT_ONCE] ?? "";
  return [`${serial}/2026/05/04/${number}_ocr.jpg`, `${serial}/2026/05/04/${number}_ctx.jpg`];
}

async function fillImages(root: string, total: number): Promise<void> {
  const images = openDiskStore(root);
  const pictures = createPictures({ ocrBytes: OCR_BYTES, ctxBytes: CTX_BYTES }, 1, false);
  for (let number = 0; number < total; number++) {
    const { ocr, ctx } = pictures(number);
    const [ocrPath, ctxPath] = pathsOf(number);
    await images.put(ocrPath, Buffer.concat(ocr.bytes));
    if (ctx !== null) await images.put(ctxPath, Buffer.concat(ctx.bytes));
  }
  await images.flush();
  images.close();
}

async function fillQueue(store: Store, total: number): Promise<void> {
  const now = new Date();
  for (let from = 0; from < total; from += 100) {
    const entries = Array.from({ length: Math.min(100, total - from) }, (_, index) => {
      const number = from + index;
      const [imageOcrPath, imageCtxPath] = pathsOf(number);
      const serial = serialsOf(AT_ONCE)[number % AT_ONCE] ?? "";
      return readingEntry(number, serial, { imageOcrPath, imageCtxPath, capturedAt: now, receivedAt: now });
    });
    await store.enqueue(entries, now);
  }
}

/** One reading a second, from the camera's last byte to the first byte at the police; and what the process takes meanwhile. */
export async function measureLatency(root: string, pki: Pki, count: number) {
  await using stack = new AsyncDisposableStack();
  const arrivals: number[] = [];
  const server = createServer((request, response) => {
    arrivals.push(performance.now());
    request.resume();
    request.on("end", () => response.writeHead(200, { "content-type": "text/xml" }).end(ACCEPTED));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  stack.defer(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/matr-ws`;
  const gateway = await openGateway({ root, task: "all", cameras: 1, endpoint: { url, caPath: null }, pki });
  stack.defer(() => gateway.close());
  const [serial = ""] = serialsOf(1);
  const pictures = createPictures({ ocrBytes: OCR_BYTES, ctxBytes: CTX_BYTES }, 1, true);
  await Bun.sleep(3000);
  const idleMegabytes = gateway.residentMegabytes();
  const idleFrom = gateway.cpuMs();
  await Bun.sleep(5000);
  const idleCpuMs = (gateway.cpuMs() - idleFrom) / 5;
  const waits: number[] = [];
  const cpuFrom = gateway.cpuMs();
  for (let n = 0; n < count; n++) {
    const pieces = buildTattileXml({
      serial,
      plate: `${1000 + n}BCD`,
      date: "2026-01-23",
      time: `09-25-57-${100 + n}`,
      transitId: n,
      ...pictures(n),
    });
    await using camera = await connectCamera(gateway.port);
    await camera.write(Buffer.concat(pieces));
    const sentAt = performance.now();
    await Bun.sleep(1000);
    const arrived = arrivals[n];
    if (arrived !== undefined) waits.push(arrived - sentAt);
  }
  const cpuMs = (gateway.cpuMs() - cpuFrom) / count - idleCpuMs;
  waits.sort((a, b) => a - b);
  const at = (share: number): number => waits[Math.ceil(waits.length * share) - 1] ?? Number.NaN;
  return {
    median: at(0.5),
    most: at(0.99),
    worst: at(1),
    arrived: waits.length,
    idleMegabytes,
    idleCpuMs,
    startMs: gateway.startMs ?? Number.NaN,
    cpuMs,
  };
}

/** Fifty readings a second, received and delivered over HTTPS by one process: memory at its highest, CPU for each. */
export async function measureFiftyASecond(root: string, pki: Pki, seconds: number) {
  await using stack = new AsyncDisposableStack();
  const sink = await openSink(root, pki);
  stack.defer(() => sink.close());
  const total = 50 * seconds;
  const endpoint = { url: sink.url, caPath: sink.caPath };
  const gateway = await openGateway({ root, task: "all", cameras: 50, endpoint, pki });
  stack.defer(() => gateway.close());
  const cpuFrom = gateway.cpuMs();
  const cameras = startCameras(gateway, 50, total, ["--rate", "50"]);
  stack.defer(() => cameras.stop());
  let highest = 0;
  await until(async () => {
    highest = Math.max(highest, gateway.residentMegabytes());
    return (await sink.received()) >= total;
  }, 3 * seconds);
  return { megabytes: highest, cpuMs: (gateway.cpuMs() - cpuFrom) / total };
}
