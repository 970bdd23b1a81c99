import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAuditor } from "../../src/api/audit.ts";
import type { ApiDeps } from "../../src/api/deps.ts";
import { createLectorVision } from "../../src/api/lectorvision.ts";
import { messageRoutes } from "../../src/api/message-routes.ts";
import { quarantineRoutes } from "../../src/api/quarantine-routes.ts";
import { registryRoutes } from "../../src/api/registry-routes.ts";
import { systemClock } from "../../src/clock.ts";
import { loadConfig } from "../../src/config.ts";
import { createDeeds } from "../../src/deeds/deeds.ts";
import { openDiskStore } from "../../src/images/disk.ts";
import { collectingLog } from "../support/api-fixture.ts";
import { addCameras, readingEntry, SqliteUnderTest, START } from "../support/store-fixture.ts";

/** What the routes work with, over a real store in a folder of its own. */
async function openDeps() {
  const folder = mkdtempSync(join(tmpdir(), "tattile-patience-"));
  const under = await SqliteUnderTest.open();
  const images = openDiskStore(join(folder, "images"));
  const quarantine = openDiskStore(join(folder, "quarantine"));
  const { config } = loadConfig({ env: { DATA_DIR: folder, DISK_MIN_FREE_BYTES: "1" }, installed: false });
  const base = { store: under.store, images, quarantine, config, clock: systemClock };
  const deps = {
    ...base,
    log: collectingLog([]),
    held: { retry: async () => null },
    take: async () => "queued",
    deeds: async () => createDeeds(base),
    onDue() {},
  } as unknown as ApiDeps;
  return {
    deps,
    [Symbol.asyncDispose]: async () => {
      images.close();
      quarantine.close();
      await under[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const bulk = [
  ["POST", "/api/v1/messages/retry", { body: { all: true } }],
  ["POST", "/api/v1/messages/discard", { body: { all: true } }],
  ["POST", "/api/v1/quarantine/retry", { body: { all: true } }],
  ["POST", "/api/v1/quarantine/drop", { body: { all: true } }],
  ["DELETE", "/api/v1/cameras/{serial}", { params: { serial: "A" }, query: { readings: "erase" } }],
  ["DELETE", "/api/v1/municipalities/{name}", { params: { name: "Girona" }, query: { cascade: true } }],
] as const;

test.each(bulk)("%s %s keeps the connection open for as long as it takes", async (method, path, input) => {
  await using opened = await openDeps();
  const { deps } = opened;
  await addCameras(deps.store, "A");
  await deps.store.enqueue([readingEntry(1, "A")], START);
  const [town] = await deps.store.listMunicipalities();
  const auditor = createAuditor(deps.store, systemClock);
  const routes = [messageRoutes, quarantineRoutes, registryRoutes].flatMap((make) => make(deps, auditor));
  const route = routes.find((one) => one.method === method && one.path === path);
  const asked: number[] = [];
  const params = "params" in input && "name" in input.params ? { name: town?.name } : undefined;
  await route?.handle({
    ...{ params: {}, query: {}, body: {}, peer: "", caller: { token: { name: "t", role: "admin" }, via: "token" } },
    ...input,
    ...(params === undefined ? {} : { params }),
    wait: (seconds: number) => void asked.push(seconds),
  } as never);
  expect(asked).toEqual([255]);
});

test("readings of Lector Vision are waited for once they are all there, not while they come", async () => {
  await using opened = await openDeps();
  const events: string[] = [];
  const deps = {
    ...opened.deps,
    take: async () => {
      events.push("taken");
      return "queued" as const;
    },
  };
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      events.push("read");
      controller.enqueue(new TextEncoder().encode("[{}]"));
      controller.close();
    },
  });
  const request = new Request("http://127.0.0.1/ingest/lectorvision", { method: "POST", body });
  await createLectorVision(deps)(request, "127.0.0.1", (seconds) => void events.push(`wait ${seconds}`));
  expect(events).toEqual(["read", "wait 255", "taken"]);
});
