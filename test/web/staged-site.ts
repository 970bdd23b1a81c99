import { Database } from "bun:sqlite";
import { join } from "node:path";
import { formatInstant } from "../../src/format.ts";
import { openSite, type Site } from "../e2e/site.ts";
import { connectCamera } from "../support/camera-socket.ts";
import { xmlMessage } from "../support/messages.ts";
import { sample } from "../support/samples.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAYS = 8;

/**
 * A town on an ordinary day: cameras with a week behind them, readings that came and went, some that the police refused,
 * and a camera that nobody has registered yet. The service runs.
 */
export async function openStagedSite(settings: Readonly<Record<string, string>> = {}): Promise<Site> {
  const site = await openSite(settings);
  await site.addCameras("2001008851", "2001008852", "2001008853");
  await site.start();
  await site.send({ serials: ["2001008851", "2001008852", "2001008853"], total: 60, ratePerSecond: 60 });
  await site.until((health) => health["total_readings"] === 0);
  site.mossos.behave({ answer: { kind: "code", code: "12" } });
  for (const plate of ["1234BCD", "5678FGH", "9012JKL"]) await sendReading(site, "2001008852", plate);
  await site.until((health) => health["dead_messages"] === 3);
  site.mossos.behave();
  await site.send({ serials: ["2009999999"], total: 4, seed: 3 });
  await site.send({ serials: ["2001008851"], total: 2, seed: 4, shares: { malformed: 1 } });
  writeWeek(join(site.folder, "data/tattile.db"), Date.now());
  return site;
}

/** One reading with pictures that a browser can show, taken now. */
export async function sendReading(site: Site, serial: string, plate: string): Promise<void> {
  const [date = "", time = ""] = formatInstant(new Date(), "Europe/Madrid").split(" ");
  await using camera = await connectCamera(site.transitPort);
  const tags = { DEVICE_SN: serial, PLATE_STRING: plate, DATE: date, TIME: time.replaceAll(":", "-") };
  await camera.write(xmlMessage({ ...tags, OCRSCORE: "093", IMAGE_CTX: sample("car-a-ctx.jpg").toString("base64") }));
  camera.halfClose();
  if ((await camera.ended()) !== "fin") throw new Error("the reading was not taken");
}

/** What a week of traffic leaves in the counts: people sleep, and the third camera has been quiet for two hours. */
function writeWeek(path: string, nowMs: number): void {
  const database = new Database(path, { strict: true });
  database.run("PRAGMA busy_timeout = 5000");
  const minutes = database.prepare(
    "INSERT OR IGNORE INTO minute_counts (minute, received, delivered) VALUES (?, ?, ?)",
  );
  const hours = database.prepare("INSERT OR IGNORE INTO camera_hours (hour, camera_serial, received) VALUES (?, ?, ?)");
  const thisMinute = nowMs - (nowMs % MINUTE_MS);
  const thisHour = nowMs - (nowMs % HOUR_MS);
  const traffic = (at: number): number => {
    const hour = new Date(at).getUTCHours() + new Date(at).getUTCMinutes() / 60;
    return (
      1.5 +
      9 * Math.exp(-((hour - 8) ** 2) / 6) +
      11 * Math.exp(-((hour - 18) ** 2) / 9) +
      4 * Math.exp(-((hour - 13) ** 2) / 12)
    );
  };
  database.transaction(() => {
    let total = 0;
    let backlog = 0;
    for (let back = DAYS * 24 * 60; back > 0; back--) {
      const count = Math.round(traffic(thisMinute - back * MINUTE_MS) * (0.7 + ((back * 7919) % 61) / 100));
      total += count;
      backlog += count;
      // For twenty minutes the police were away.
      const isAway = back > 25 && back < 45;
      const delivered = isAway ? 0 : Math.min(backlog, 60);
      backlog -= delivered;
      minutes.run(thisMinute - back * MINUTE_MS, count, delivered);
    }
    database.run("UPDATE balance SET count = count + ? WHERE part IN ('queued', 'delivered')", [total]);
    for (let back = 1; back < DAYS * 24; back++) {
      const at = thisHour - back * HOUR_MS;
      for (const [serial, share] of [
        ["2001008851", 0.5],
        ["2001008852", 0.35],
        ["2001008853", back < 3 ? 0.01 : 0.15],
      ] as const) {
        hours.run(at, serial, Math.round(traffic(at) * 60 * share));
      }
    }
  })();
  database.close();
}
