import { expect } from "bun:test";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type FakeTimeServer, openTimeServer } from "../support/fake-time-server.ts";
import { type Issued, type OpensslPki, openOpensslPki } from "../support/openssl-pki.ts";
import { openServer } from "../support/tls-server.ts";
import { isEmpty, openSite, type Site } from "./site.ts";

const BINARY = new URL("../../dist/tattile", import.meta.url).pathname;
export const SERIAL = "2001008851";

export interface Finding {
  check: string;
  grade: "good" | "warning" | "bad";
  text: string;
  cure: string | null;
}
export type Environment = Record<string, string>;
export type Undo = () => unknown;

export interface Fault {
  plant(): Promise<{ environment?: Environment; undo?: Undo }> | { environment?: Environment; undo?: Undo };
  finds: { check: string | RegExp; grade: "warning" | "bad"; text: RegExp; cure: RegExp };
}

/** What systemctl says of a unit with which all is well. */
export const UNIT = [
  ...["Id=tattile.service", "LoadState=loaded", "ActiveState=active", "SubState=running", "UnitFileState=enabled"],
  ...["NRestarts=0", "NeedDaemonReload=no", "User=tattile", "NoNewPrivileges=yes", "ProtectSystem=strict"],
].join("\n");

/** One real gateway on which all is well; faults are planted into it, or into a copy of its data, and taken out again. */
export type IllSite = ReturnType<typeof createIllSite>;

/** @returns what tests plant faults with; `open` must have been called before any of it is used */
export function createIllSite() {
  let opened: {
    site: Site;
    time: FakeTimeServer;
    pki: OpensslPki;
    paths: { key: string; certificate: string };
  } | null = null;
  const get = () => {
    if (opened === null) throw new Error("the site is not open");
    return opened;
  };
  const ill = {
    get site() {
      return get().site;
    },
    get time() {
      return get().time;
    },
    get pki() {
      return get().pki;
    },
    get paths() {
      return get().paths;
    },
    file,
    doctor,
    must,
    replaced,
    copyData,
    endpointAt,
    serverWith,
    systemctl,
    aptGet,
    tell,
    async open() {
      const time = await openTimeServer();
      const site = await openSite({ NTP_SERVER: time.address });
      await site.addCameras(SERIAL);
      await site.start();
      await site.send({ serials: [SERIAL], total: 1 });
      await site.until(isEmpty);
      const { stdout } = await site.run("cert", "list", "--json");
      const [certificate] = JSON.parse(stdout);
      const paths = { key: certificate.keyPath, certificate: certificate.clientCertPath };
      opened = { site, time, pki: openOpensslPki(), paths };
      // What waits on the machine that runs the tests is not a fault of ours.
      standIn("bin", "apt-get", "exit 0");
    },
    async close() {
      await ill.site[Symbol.asyncDispose]();
      await ill.time[Symbol.asyncDispose]();
      ill.pki[Symbol.dispose]();
    },
  };
  return ill;

  function file(name: string): string {
    return join(ill.site.folder, name);
  }

  async function doctor(environment: Environment = {}): Promise<{ code: number; findings: readonly Finding[] }> {
    const child = Bun.spawn([BINARY, "doctor", "--json", "--env-file", file("tattile.env")], {
      env: { PATH: path(), TMPDIR: process.env["TMPDIR"] ?? "/tmp", ...environment },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "ignore",
    });
    const [stdout, code] = await Promise.all([new Response(child.stdout).text(), child.exited]);
    return { code, findings: JSON.parse(stdout).findings };
  }

  /** What a person reads of it. */
  async function tell(): Promise<{ code: number; stdout: string }> {
    const child = Bun.spawn([BINARY, "doctor", "--env-file", file("tattile.env")], {
      env: { PATH: path(), TMPDIR: process.env["TMPDIR"] ?? "/tmp" },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "ignore",
    });
    const [stdout, code] = await Promise.all([new Response(child.stdout).text(), child.exited]);
    return { code, stdout };
  }

  /** Stand-ins first, then the machine's own programs. */
  function path(...folders: string[]): string {
    return [...folders, file("bin"), process.env["PATH"] ?? ""].join(":");
  }

  /** @returns the folder it lies in */
  function standIn(folder: string, program: string, script: string): string {
    mkdirSync(file(folder), { recursive: true });
    writeFileSync(join(file(folder), program), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    return file(folder);
  }

  function ownFolder(): string {
    return `bin-${Math.random().toString(36).slice(2)}`;
  }

  /** An apt-get that does this. */
  function aptGet(script: string): Environment {
    return { PATH: path(standIn(ownFolder(), "apt-get", script)) };
  }

  async function must(...words: string[]): Promise<void> {
    const { exitCode, stderr } = await ill.site.run(...words);
    expect([words.slice(0, 2).join(" "), exitCode, exitCode === 0 ? "" : stderr]).toEqual([
      words.slice(0, 2).join(" "),
      0,
      "",
    ]);
  }

  /** Changes files and gives back how to have them as they were. */
  function replaced(path: string, text: string): Undo {
    const before = readFileSync(path);
    writeFileSync(path, text);
    return () => writeFileSync(path, before);
  }

  /** A copy of the data folder, with the service still living as far as its run files say. */
  function copyData(): { folder: string; environment: Environment } {
    const folder = file(`copy-${Math.random().toString(36).slice(2)}`);
    cpSync(file("data"), folder, { recursive: true });
    return { folder, environment: { DATA_DIR: folder } };
  }

  async function endpointAt(url: string, ...flags: string[]): Promise<Undo> {
    await must("endpoint", "set", "police", "--url", url, ...flags);
    return () =>
      must("endpoint", "set", "police", "--url", ill.site.mossos.url, "--ca", file("ca.pem"), "--wsdl", "none");
  }

  /** A server with this certificate, whose authority is trusted. */
  async function serverWith(issued: Issued, authority: Issued): Promise<{ undo: Undo }> {
    const server = await openServer({ cert: issued.cert, key: issued.key }, (_request, response) => {
      response.writeHead(405, { date: new Date().toUTCString() }).end();
    });
    const restore = await endpointAt(`https://localhost:${server.port}/matr-ws`, "--ca", authority.certPath);
    return {
      undo: async () => {
        await restore();
        await server[Symbol.asyncDispose]();
      },
    };
  }

  /** A systemctl that says this of the unit. */
  function systemctl(properties: string): Environment {
    return { PATH: path(standIn(ownFolder(), "systemctl", `cat <<'END'\n${properties}\nEND`)) };
  }
}
