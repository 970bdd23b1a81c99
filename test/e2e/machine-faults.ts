import { Database } from "bun:sqlite";
import { execFileSync } from "node:child_process";
import { appendFileSync, mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { systemClock } from "../../src/clock.ts";
import { openSqlite } from "../../src/store/sqlite.ts";
import { newReading } from "../support/store-fixture.ts";
import { type Fault, type IllSite, SERIAL, UNIT } from "./ill-site.ts";

/** The run file of the service that does `task`. */
function runFileOf(task: string, folder: string): string {
  const name = readdirSync(join(folder, "run")).find((one) => one.startsWith(`${task}-`));
  return join(folder, "run", name ?? "none");
}

/** What can be wrong with this machine, the service, the store and the cameras. */
export function machineFaults(ill: IllSite): Record<string, Fault> {
  const { file, must, copyData, systemctl, aptGet } = ill;
  /** Only root may mount a small disk and fill it. */
  const FULL_DISK: Fault = {
    plant: () => {
      const small = file("small");
      mkdirSync(small);
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", small]);
      for (const size of [65_536, 1]) {
        try {
          for (;;) appendFileSync(join(small, "filler"), Buffer.alloc(size));
        } catch {
          // Full.
        }
      }
      return { environment: { IMAGES_BASE_DIR: small }, undo: () => execFileSync("umount", [small]) };
    },
    finds: {
      check: /^(disk of|folder IMAGES)/,
      grade: "bad",
      text: /full, 0 B free of 1.0 MiB/,
      cure: /free some space/,
    },
  };
  return {
    "another program has the cameras' port": {
      plant: async () => {
        const other = createServer();
        await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
        const { port } = other.address() as { port: number };
        return { environment: { TRANSIT_PORT: String(port) }, undo: () => other.close() };
      },
      finds: { check: /^port /, grade: "bad", text: /held by \S+ \(pid \d+\), not by ingest/, cure: /TRANSIT_PORT/ },
    },
    "the service does not listen where it should": {
      plant: () => ({ environment: { TRANSIT_PORT: "2" } }),
      finds: { check: "port 2", grade: "bad", text: /nobody listens/, cure: /systemctl restart tattile/ },
    },
    "the disk is fuller than allowed": {
      plant: () => ({ environment: { DISK_MIN_FREE_BYTES: "1024GiB" } }),
      finds: { check: /^disk of /, grade: "bad", text: /full/, cure: /free some space/ },
    },
    "a folder cannot be written": {
      plant: () => {
        writeFileSync(file("in-the-way"), "");
        return { environment: { IMAGES_BASE_DIR: file("in-the-way") } };
      },
      finds: { check: "folder IMAGES_BASE_DIR", grade: "bad", text: /cannot be written: ENOTDIR/, cure: /chown/ },
    },
    "the bucket of the pictures cannot be reached": {
      plant: () => ({
        environment: {
          IMAGES_URL: "s3://pictures",
          IMAGES_S3_ENDPOINT: "http://127.0.0.1:1",
          IMAGES_S3_ACCESS_KEY_ID: "key",
          IMAGES_S3_SECRET_ACCESS_KEY: "secret",
        },
      }),
      finds: { check: "pictures, S3", grade: "bad", text: /pictures/, cure: /./ },
    },
    "a page of the store is damaged": {
      plant: () => {
        const { folder, environment } = copyData();
        const path = join(folder, "tattile.db");
        const database = new Database(path);
        database.run("PRAGMA wal_checkpoint(TRUNCATE)");
        const root = database
          .query<{ rootpage: number }, []>("SELECT rootpage FROM sqlite_schema WHERE name = 'alpr_readings'")
          .get();
        database.close();
        const bytes = readFileSync(path);
        bytes.fill(0x5a, ((root?.rootpage ?? 1) - 1) * 4096, (root?.rootpage ?? 1) * 4096);
        writeFileSync(path, bytes);
        return { environment };
      },
      finds: { check: "store", grade: "bad", text: /damaged/, cure: /restore a backup/ },
    },
    "the store was written by a newer tattile": {
      plant: () => {
        const { folder, environment } = copyData();
        const database = new Database(join(folder, "tattile.db"));
        database.run("PRAGMA user_version = 999");
        database.close();
        return { environment };
      },
      finds: { check: "store", grade: "bad", text: /schema 999/, cure: /newer tattile/ },
    },
    "the store is no database": {
      plant: () => {
        const { folder, environment } = copyData();
        rmSync(join(folder, "tattile.db-wal"), { force: true });
        writeFileSync(join(folder, "tattile.db"), "no database at all, but text ".repeat(200));
        return { environment };
      },
      finds: { check: "store", grade: "bad", text: /not a database/, cure: /backup/ },
    },
    "a camera fell silent": {
      plant: () => {
        const { folder, environment } = copyData();
        const database = new Database(join(folder, "tattile.db"));
        database.run("UPDATE cameras SET last_reading_at = last_reading_at - 3 * 86400000");
        database.close();
        return { environment };
      },
      finds: {
        check: "cameras",
        grade: "warning",
        text: new RegExp(`silent for a day: ${SERIAL}`),
        cure: /power and network/,
      },
    },
    "a camera was never heard": {
      plant: async () => {
        await must("camera", "add", "2001009999", "--reader", "1", "--municipality", "Vila");
        return { undo: () => must("camera", "remove", "2001009999", "--yes") };
      },
      finds: { check: "cameras", grade: "warning", text: /never heard: 2001009999/, cure: /tattile listen/ },
    },
    "a camera's clock is an hour behind": {
      plant: async () => {
        const { folder, environment } = copyData();
        const store = await openSqlite({ path: join(folder, "tattile.db"), clock: systemClock });
        const now = new Date();
        const entries = [1, 2, 3, 4].map((number) => {
          const receivedAt = new Date(now.getTime() - number * 1000);
          const capturedAt = new Date(receivedAt.getTime() - 3_600_000);
          return { kind: "reading", reading: newReading(number, SERIAL, { receivedAt, capturedAt }) } as const;
        });
        await store.enqueue(entries, now);
        await store.close();
        return { environment };
      },
      finds: { check: "clocks of cameras", grade: "warning", text: /3600 s behind/, cure: /NTP in the camera/ },
    },
    "a camera's clock is ahead, though nothing waits": {
      plant: () => {
        const { folder, environment } = copyData();
        const database = new Database(join(folder, "tattile.db"));
        database.run("UPDATE camera_hours SET least_delay_ms = -90000");
        database.close();
        return { environment };
      },
      finds: { check: "clocks of cameras", grade: "warning", text: /90 s ahead/, cure: /NTP in the camera/ },
    },
    "the service died": {
      plant: () => {
        const { folder, environment } = copyData();
        const run = runFileOf("sender", folder);
        const text = readFileSync(run, "utf8").replace(/"pid":\d+/, '"pid":4194303');
        writeFileSync(run, text.replace(/(?<before>"process":"[^/]+\/[^/]+\/)\d+/, "$<before>4194303"));
        return { environment };
      },
      finds: { check: "service sender", grade: "bad", text: /process 4194303 is gone/, cure: /journalctl -u tattile/ },
    },
    "the service hangs": {
      plant: () => {
        const { folder, environment } = copyData();
        const long = new Date(Date.now() - 600_000);
        utimesSync(runFileOf("sender", folder), long, long);
        return { environment };
      },
      finds: { check: "service sender", grade: "bad", text: /does not answer/, cure: /systemctl restart tattile/ },
    },
    "the service runs an older version than is installed": {
      plant: () => {
        const { folder, environment } = copyData();
        const run = runFileOf("sender", folder);
        const text = readFileSync(run, "utf8").replace(/"version":"[^"]+"/, '"version":"0.0.1"');
        writeFileSync(run, text);
        return { environment };
      },
      finds: {
        check: "service sender",
        grade: "warning",
        text: /runs version 0\.0\.1/,
        cure: /systemctl restart tattile/,
      },
    },
    "the unit failed": {
      plant: () => ({ environment: systemctl(UNIT.replace("=active", "=failed")) }),
      finds: { check: "unit tattile", grade: "bad", text: /failed/, cure: /journalctl -u tattile/ },
    },
    "the unit is not started with the machine": {
      plant: () => ({ environment: systemctl(UNIT.replace("=enabled", "=disabled")) }),
      finds: { check: "unit tattile", grade: "warning", text: /not started when/, cure: /systemctl enable tattile/ },
    },
    "the unit has lost its hardening": {
      plant: () => ({ environment: systemctl(UNIT.replace("=strict", "=no").replace("User=tattile", "User=root")) }),
      finds: {
        check: "unit tattile, hardening",
        grade: "warning",
        text: /ProtectSystem=strict, a user other/,
        cure: /install\.sh/,
      },
    },
    "updates of the machine wait": {
      plant: () => ({
        environment: aptGet(`[ "$1 $LC_ALL" = "-s C" ] || exit 9
cat <<'END'
Reading package lists...
Inst openssl [3.0.15-1] (3.0.17-1~deb12u2 Debian-Security:12/stable-security [amd64])
Inst tzdata [2025a] (2025b-0+deb12u1 Debian:12.11/stable-updates [all])
Conf openssl (3.0.17-1~deb12u2 Debian-Security:12/stable-security [amd64])
END`),
      }),
      finds: {
        check: "updates",
        grade: "warning",
        text: /2 packages wait, 1 for security: openssl/,
        cure: /sudo apt-get update && sudo apt-get upgrade/,
      },
    },
    ...(process.getuid?.() === 0 ? { "the disk is full to the last byte": FULL_DISK } : {}),
  };
}
