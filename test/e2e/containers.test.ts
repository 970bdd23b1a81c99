import { expect, test } from "bun:test";
import { existsSync, mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openSite, type Site } from "./site.ts";

/** In a pid namespace of its own, as in a container: the first process there, which sees no other. */
const CONTAINER = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"];
/** Each takes its own port, as each container has a network of its own. */
const OWN_PORT = { TRANSIT_PORT: "0" };

/** Two pictures without a row: one that may be on its way to it, and one that is too old for that. */
function plant(site: Site) {
  const folder = join(site.folder, "data/images/CAM1/2026");
  mkdirSync(folder, { recursive: true });
  const [fresh, old] = [5, 660].map((seconds) => {
    const path = join(folder, `${seconds}_ocr.jpg`);
    writeFileSync(path, "picture");
    utimesSync(path, new Date(), new Date(Date.now() - seconds * 1000));
    return path;
  });
  return {
    /** Waits for the first sweep. @returns whether it left the fresh one */
    async survives(): Promise<boolean> {
      for (let n = 0; existsSync(old ?? ""); n += 1) {
        if (n > 500) throw new Error(`nothing was swept: ${site.log()}`);
        await Bun.sleep(20);
      }
      return existsSync(fresh ?? "");
    },
  };
}

test("what a killed service left without a row goes at the next start", async () => {
  await using site = await openSite();
  await (await site.start("ingest", OWN_PORT)).kill();
  const pictures = plant(site);
  await site.start("ingest", OWN_PORT);
  expect(await pictures.survives()).toBe(false);
});

// A pid namespace takes root. In CI that must be so; elsewhere whoever is not root does without.
if (process.getuid?.() === 0 || process.env["CI"] !== undefined) {
  test("a picture that a service of another container is writing is no orphan to one that starts beside it", async () => {
    await using site = await openSite();
    await site.start("ingest", OWN_PORT, CONTAINER);
    const beside = plant(site);
    const second = await site.start("ingest", OWN_PORT, CONTAINER);
    expect(await beside.survives()).toBe(true);
    // Nor when it starts again: neither its own run file nor its goodbye stands for the other's.
    await second.kill();
    const again = plant(site);
    await site.start("ingest", OWN_PORT, CONTAINER);
    expect(await again.survives()).toBe(true);
    const outside = plant(site);
    await site.start("ingest", OWN_PORT);
    expect(await outside.survives()).toBe(true);
  });
}
