import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createPki } from "../../src/simulator/pki.ts";
import { measureBacklog } from "./backlog.ts";
import { measureDelivery, measureFiftyASecond, measureLatency, measureSigning } from "./delivery.ts";
import { measureBareLoop, measureIngest, measureReceivingLoop } from "./ingest.ts";
import { measureQueueCosts } from "./postgres.ts";

/** Each figure beside its limit on this machine in this run. Nothing here passes or fails. `npm run bench -- ingest` runs a part. */

const root = mkdtempSync(join(process.env["BENCH_DIR"] ?? tmpdir(), "tattile-bench-"));
const rows: (readonly [what: string, figure: string, limit: string, ratio: string, wanted: string])[] = [];
const pki = await createPki({ now: new Date() });

function add(what: string, figure: string, limit = "", ratio = "", wanted = ""): void {
  rows.push([what, figure, limit, ratio, wanted]);
  console.error([what, figure, limit, ratio, wanted].filter((text) => text !== "").join(" | "));
}

/** A rate beside its limit. */
function addRate(what: string, rate: number, unit: string, limit: number, limitIs: string, wanted = ""): void {
  add(what, `${rate.toFixed(0)} ${unit}`, `${limit.toFixed(0)}/s ${limitIs}`, (rate / limit).toFixed(2), wanted);
}

/** From which size on a virtual machine gives free memory back to its host; none is as large as the last. */
const PAGE_REPORTING = "/sys/module/page_reporting/parameters/page_reporting_order";

/** Keeps what was touched until the end. @returns what it was, or null where there is no such thing or no right to it */
function keepMemory(): string | null {
  try {
    const before = readFileSync(PAGE_REPORTING, "utf8");
    writeFileSync(PAGE_REPORTING, "11");
    return before;
  } catch {
    return null;
  }
}

/** Of an odd number of rounds; limit and figure taken in turns, so that what else the machine does meets both. */
function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

const parts: Record<string, () => Promise<void>> = {
  async ingest() {
    for (const [connections, count] of [
      [1, 3000],
      [16, 4000],
      [200, 4000],
    ] as const) {
      const bare: number[] = [];
      const receiving: number[] = [];
      const ours: Awaited<ReturnType<typeof measureIngest>>[] = [];
      let group = 1;
      for (let round = 0; round < 3; round++) {
        ours.push(await measureIngest(root, pki, connections, count, false));
        group = Math.round(median(ours.map((one) => one.group)));
        bare.push(await measureBareLoop(root, connections, group, count));
        receiving.push(await measureReceivingLoop(root, connections, group, count));
      }
      const name = `ingest flat out, ${connections} connection${connections === 1 ? "" : "s"}`;
      const perSecond = median(ours.map((one) => one.perSecond));
      addRate(name, perSecond, "readings/s", median(bare), `bare, groups of ${group}`, ">= 0.7");
      const receives = `${name}: beside a loop that also receives`;
      addRate(receives, perSecond, "readings/s", median(receiving), "received, written and synced unread");
      add(`${name}: CPU per reading`, `${median(ours.map((one) => one.cpuMs)).toFixed(2)} ms`);
      const written = median(ours.map((one) => one.writtenPerByte));
      add(`${name}: bytes written per byte received`, written.toFixed(2), "", "", "<= 1.3");
      if (connections === 16) {
        const { syncsPerReading } = await measureIngest(root, pki, connections, count, true);
        add(`${name}: syncs per reading`, (syncsPerReading ?? Number.NaN).toFixed(2), "", "", "<= 1");
      }
      // Some ten gigabytes that nothing after it needs.
      for (const folder of readdirSync(root)) rmSync(join(root, folder), { recursive: true });
    }
  },
  async postgres() {
    const [few, many] = await measureQueueCosts([1000, 1_000_000]);
    if (few === undefined || many === undefined) return;
    const micro = (value: number): string => `${value.toFixed(0)} µs`;
    const of = (what: string, a: number, b: number) =>
      add(
        `PostgreSQL, ${what}, 1,000,000 waiting`,
        micro(b),
        `${micro(a)} with 1,000 waiting`,
        (b / a).toFixed(2),
        "<= 1.5",
      );
    of("claim and settle per message", few.claimAndSettle, many.claimAndSettle);
    of("enqueue per message", few.enqueue, many.enqueue);
  },
  async signing() {
    const { perSecond, openssl } = await measureSigning(pki);
    addRate("signing", perSecond, "messages/s", openssl, "RSA-2048 alone", ">= 0.25");
  },
  async delivery() {
    const rounds: Awaited<ReturnType<typeof measureDelivery>>[] = [];
    while (rounds.length < 3) rounds.push(await measureDelivery(root, pki, 3000));
    const of = (part: keyof (typeof rounds)[number]): number => median(rounds.map((round) => round[part]));
    const unsigned = of("unsigned");
    addRate("delivery over HTTPS", of("perSecond"), "messages/s", unsigned, "posted unsigned", ">= 0.5");
    addRate("posted signed, with no queue", of("signed"), "messages/s", unsigned, "posted unsigned");
    add("delivery over HTTPS: CPU per message", `${of("cpuMs").toFixed(2)} ms`);
  },
  async latency() {
    const latency = await measureLatency(root, pki, 100);
    const name = "last byte in to first byte out, 1 reading/s";
    add(`${name}: median of ${latency.arrived}`, `${latency.median.toFixed(1)} ms`, "", "", "< 15 ms");
    add(`${name}: 99 % within`, `${latency.most.toFixed(1)} ms`, "", "", "< 50 ms");
    add(`${name}: slowest`, `${latency.worst.toFixed(1)} ms`);
    add(`${name}: CPU per reading, whole way`, `${latency.cpuMs.toFixed(1)} ms`);
    add("idle: memory", `${latency.idleMegabytes.toFixed(0)} MB`, "", "", "<= 70 MB");
    add("idle: CPU", `${latency.idleCpuMs.toFixed(1)} ms a second`);
    add("start to listening", `${latency.startMs.toFixed(0)} ms`);
  },
  async memory() {
    const fifty = await measureFiftyASecond(root, pki, 30);
    add("50 readings/s: memory at most", `${fifty.megabytes.toFixed(0)} MB`);
    add("50 readings/s: CPU per reading, whole way", `${fifty.cpuMs.toFixed(1)} ms`);
    for (const waiting of [0, 1_000_000]) {
      const { megabytes, startMs } = await measureBacklog(root, pki, waiting, 20);
      const name = waiting === 0 ? "nothing waiting" : "a million waiting";
      add(`${name}, police unreachable: memory at most`, `${megabytes.toFixed(0)} MB`);
      add(`${name}: start to listening`, `${startMs.toFixed(0)} ms`);
    }
  },
};

const wanted = process.argv.slice(2).filter((name) => name in parts);
const givesMemoryBack = keepMemory();
// In a process of its own, which gives all of it back.
Bun.spawnSync([process.execPath, new URL("touch-memory.ts", import.meta.url).pathname]);
try {
  for (const [name, measure] of Object.entries(parts))
    if (wanted.length === 0 || wanted.includes(name)) await measure();
  console.log("| what | figure | limit in the same run | ratio | wanted |\n|---|---|---|---|---|");
  for (const row of rows) console.log(`| ${row.join(" | ")} |`);
} finally {
  rmSync(root, { recursive: true, force: true });
  if (givesMemoryBack !== null) writeFileSync(PAGE_REPORTING, givesMemoryBack);
}
